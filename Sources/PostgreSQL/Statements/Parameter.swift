/// A type that can be bound to a parameter of a statement, in PostgreSQL's binary format.
package protocol Parameter {
    /// The OID of the type on the server: a constant of its `pg_type.dat`.
    static var type: UInt32 { get }
    /// Adds the bytes that are sent.
    ///
    /// - Returns: false for null, which has none.
    func encode(to bytes: inout [UInt8]) -> Bool
}

extension Parameter {
    /// The bytes that are sent; nil for null.
    var encoded: [UInt8]? {
        var bytes: [UInt8] = []
        return encode(to: &bytes) ? bytes : nil
    }
}

/// A type that can be read from a column, too.
package protocol ColumnValue: Parameter {
    /// - Throws: ``PostgreSQLError`` for a column of another type, and for null where that is no value of the type.
    init(_ cell: Cell) throws(PostgreSQLError)
}

extension Bool: ColumnValue {
    package static var type: UInt32 { 16 }
    package func encode(to bytes: inout [UInt8]) -> Bool {
        bytes.append(self ? 1 : 0)
        return true
    }
    package init(_ cell: Cell) throws(PostgreSQLError) { self = try cell.bytes(ofType: Self.type) != [0] }
}

extension [UInt8]: Parameter, ColumnValue {
    package static var type: UInt32 { 17 }
    package func encode(to bytes: inout [UInt8]) -> Bool {
        bytes += self
        return true
    }
    package init(_ cell: Cell) throws(PostgreSQLError) { self = try cell.bytes(ofType: Self.type) }
}

extension Int64: ColumnValue {
    package static var type: UInt32 { 20 }
    package func encode(to bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }

    /// Reads the smaller integers of the server as well: int2 and int4.
    package init(_ cell: Cell) throws(PostgreSQLError) {
        let bytes = try cell.bytes(ofType: Self.type, 21, 23)
        let sign: Int64 = (bytes.first ?? 0) > 127 ? -1 : 0
        self = bytes.reduce(sign) { $0 << 8 | Int64($1) }
    }
}

extension Int: Parameter {
    package static var type: UInt32 { Int64.type }
    package func encode(to bytes: inout [UInt8]) -> Bool { Int64(self).encode(to: &bytes) }
}

extension String: ColumnValue {
    package static var type: UInt32 { 25 }
    package func encode(to bytes: inout [UInt8]) -> Bool {
        bytes += utf8
        return true
    }

    /// Reads names of the server's catalogue as well.
    package init(_ cell: Cell) throws(PostgreSQLError) {
        self.init(decoding: try cell.bytes(ofType: Self.type, 19, 1043), as: UTF8.self)
    }
}

extension Optional: Parameter where Wrapped: Parameter {
    package static var type: UInt32 { Wrapped.type }
    package func encode(to bytes: inout [UInt8]) -> Bool { self?.encode(to: &bytes) ?? false }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    package init(_ cell: Cell) throws(PostgreSQLError) { self = cell.isNull ? nil : try Wrapped(cell) }
}

/// One value of a row, for a ``ColumnValue`` to be read from.
package struct Cell {
    private let column: String
    private let type: UInt32
    private let content: [UInt8]?

    init(column: String, type: UInt32, _ content: [UInt8]?) {
        self.column = column
        self.type = type
        self.content = content
    }

    package var isNull: Bool { content == nil }

    /// - Throws: ``PostgreSQLError`` for a column of none of the types, and for null.
    package func bytes(ofType types: UInt32...) throws(PostgreSQLError) -> [UInt8] {
        guard let content, types.contains(type) else { throw .unexpectedType(column: column) }
        return content
    }
}
