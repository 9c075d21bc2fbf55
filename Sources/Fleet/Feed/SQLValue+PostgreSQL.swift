internal import KeyStore
internal import PostgreSQL

extension SQLValue {
    var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var blob: [UInt8]? {
        guard case .blob(let bytes) = self else { return nil }
        return bytes
    }

    /// A value of any type as bytes: a letter for the type, then a number in eight bytes, the highest first, or the bytes of a text or blob.
    var tagged: [UInt8]? {
        switch self {
        case .null: nil
        case .integer(let number):
            [UInt8(ascii: "i")] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
        case .text(let text): [UInt8(ascii: "t")] + text.utf8
        case .blob(let bytes): [UInt8(ascii: "b")] + bytes
        }
    }

    private init?(tagged bytes: [UInt8]) {
        let content = bytes.dropFirst()
        switch bytes.first {
        case UInt8(ascii: "i"): self = .integer(content.reduce(0) { $0 << 8 | Int64($1) })
        case UInt8(ascii: "t"): self = .text(String(decoding: content, as: UTF8.self))
        case UInt8(ascii: "b"): self = .blob(Array(content))
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
