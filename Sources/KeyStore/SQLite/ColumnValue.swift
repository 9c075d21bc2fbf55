/// A type that can be bound to a parameter of a statement and read from a column.
protocol ColumnValue {
    var sqlValue: SQLValue { get }

    /// Reads a column.
    ///
    /// - Throws: ``SQLiteError`` for a value that is none of the type's.
    init(_ cell: Cell) throws(SQLiteError)
}

extension Int64: ColumnValue {
    var sqlValue: SQLValue { .integer(self) }
    init(_ cell: Cell) { self = cell.integer }
}

extension Int: ColumnValue {
    var sqlValue: SQLValue { .integer(Int64(self)) }
    init(_ cell: Cell) { self = Int(cell.integer) }
}

extension UInt32: ColumnValue {
    var sqlValue: SQLValue { .integer(Int64(self)) }
    init(_ cell: Cell) { self = UInt32(truncatingIfNeeded: cell.integer) }
}

extension Bool: ColumnValue {
    var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    init(_ cell: Cell) { self = cell.integer != 0 }
}

extension String: ColumnValue {
    var sqlValue: SQLValue { .text(self) }
    init(_ cell: Cell) { self = cell.text }
}

extension [UInt8]: ColumnValue {
    var sqlValue: SQLValue { .blob(self) }
    init(_ cell: Cell) { self = cell.blob }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    var sqlValue: SQLValue { map(\.sqlValue) ?? .null }
    init(_ cell: Cell) throws(SQLiteError) { self = cell.isNull ? nil : try Wrapped(cell) }
}

/// Words of a fixed list. The schema's constraints keep unknown ones out.
extension ColumnValue where Self: RawRepresentable, RawValue: ColumnValue {
    var sqlValue: SQLValue { rawValue.sqlValue }
    init(_ cell: Cell) throws(SQLiteError) {
        guard let value = Self(rawValue: try RawValue(cell)) else {
            throw .corrupt("an unknown word in the column \(cell.name)")
        }
        self = value
    }
}

extension Row {
    /// The value of a column, by its name: that of the table's column, or what follows `AS`. A name that the statement does not
    /// have is a mistake in the program.
    subscript<Value: ColumnValue>(_ name: String) -> Value {
        get throws(SQLiteError) { try Value(cell(name)) }
    }

    /// The value of the first column.
    func first<Value: ColumnValue>() throws(SQLiteError) -> Value { try Value(firstCell) }
}
