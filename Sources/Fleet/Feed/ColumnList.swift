internal import KeyStore
internal import PostgreSQL

/// The values that one column of a shared table has in many rows, as an array of PostgreSQL.
///
/// Columns that SQLite lets have values of any type are bytes in PostgreSQL: a letter for the type, then the number in eight bytes, the highest
/// first, or the bytes of the text or blob.
struct ColumnList {
    private let column: SharedTable.Column
    private(set) var encoded: EncodedList

    init(of column: SharedTable.Column) {
        self.column = column
        encoded =
            switch column.kind {
            case .integer: EncodedList(of: Int64.self)
            case .text: EncodedList(of: String.self)
            case .blob, .any: EncodedList(of: [UInt8].self)
            }
    }

    /// Adds a value of a change set: it is in PostgreSQL's format already.
    ///
    /// - Throws: ``ColumnList/OtherType`` for a value that the column cannot have.
    mutating func append(_ value: RowChange.Value, of row: borrowing RowChange) throws(OtherType) {
        switch value.kind {
        case .null: encoded.appendNull()
        case .integer: try append(row.bytes(value), of: .integer)
        case .text: try append(row.bytes(value), of: .text)
        case .blob: try append(row.bytes(value), of: .blob)
        case .absent: throw OtherType(column: column.name)
        }
    }

    /// - Throws: ``ColumnList/OtherType`` for a value that the column cannot have.
    mutating func append(_ value: SQLValue) throws(OtherType) {
        switch value {
        case .null: encoded.appendNull()
        case .integer(let number): try append(number.bigEndianBytes[...], of: .integer)
        case .text(let text): try append(Array(text.utf8)[...], of: .text)
        case .blob(let bytes): try append(bytes[...], of: .blob)
        }
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>, of kind: SharedTable.Kind) throws(OtherType) {
        switch column.kind {
        case kind: encoded.append(bytes)
        case .any: encoded.append(bytes, after: SQLValue.tag(of: kind))
        default: throw OtherType(column: column.name)
        }
    }

    struct OtherType: Error, CustomStringConvertible {
        let column: String

        var description: String { "a value of the column \(column) is of another type" }
    }
}

extension SQLValue {
    /// The letter of a type in a column that has values of any type.
    fileprivate static func tag(of kind: SharedTable.Kind) -> UInt8 {
        switch kind {
        case .integer: UInt8(ascii: "i")
        case .text: UInt8(ascii: "t")
        case .blob, .any: UInt8(ascii: "b")
        }
    }

    private init?(tagged bytes: [UInt8]) {
        let content = bytes.dropFirst()
        switch bytes.first {
        case Self.tag(of: .integer): self = .integer(content.reduce(0) { $0 << 8 | Int64($1) })
        case Self.tag(of: .text): self = .text(String(decoding: content, as: UTF8.self))
        case Self.tag(of: .blob): self = .blob(Array(content))
        default: return nil
        }
    }

    /// Reads a column of a shared table.
    init(_ row: Row, _ column: SharedTable.Column) throws {
        switch column.kind {
        case .integer: self = try (row[column.name] as Int64?).map(SQLValue.integer) ?? .null
        case .text: self = try (row[column.name] as String?).map(SQLValue.text) ?? .null
        case .blob: self = try (row[column.name] as [UInt8]?).map(SQLValue.blob) ?? .null
        case .any:
            guard let bytes: [UInt8] = try row[column.name] else {
                self = .null
                return
            }
            guard let value = SQLValue(tagged: bytes) else { throw PostgreSQLError.unexpectedType(column: column.name) }
            self = value
        }
    }
}

extension Int64 {
    fileprivate var bigEndianBytes: [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
