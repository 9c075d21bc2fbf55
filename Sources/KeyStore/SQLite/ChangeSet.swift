/// The rows that a transaction has changed in some tables, in the format of SQLite's session extension
/// (sqlite.org/session/changeset.html): of an update what was there before, too, so that it is applied only where that is there.
package struct ChangeSet: Sendable {
    /// The format of SQLite.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package var isEmpty: Bool { bytes.isEmpty }

    /// Calls `body` with each changed row: those of one table together.
    ///
    /// - Throws: ``SQLiteError`` for bytes that are no change set.
    package func forEach(_ body: (borrowing RowChange) throws -> Void) throws {
        var row = RowChange(bytes)
        while try row.advance() { try body(row) }
    }
}

/// What became of one row, read from the bytes of a change set: no value is copied until it is asked for.
///
/// The format ("CHANGESET FORMAT" in ext/session/sqlite3session.c of SQLite): for each table `T`, the number of columns, a byte for each that says whether
/// it belongs to the primary key, and the name with a zero byte; then for each row the operation, a flag, and the values before and after.
package struct RowChange {
    package enum Operation: Hashable, Sendable {
        case insert, update, delete
    }

    /// A value as it is in the bytes of the change set.
    package struct Value {
        package enum Kind {
            case integer, text, blob, null
            /// The change set does not have it.
            case absent
        }

        package let kind: Kind
        fileprivate let range: Range<Int>
    }

    package private(set) var table = ""
    package private(set) var operation = Operation.insert
    /// The values before, one for each column: of an update those of the primary key and of the columns that have changed, of a deletion
    /// all, of an insertion none.
    package private(set) var old: [Value] = []
    /// The values after, one for each column: of an update those of the columns that have changed, of an insertion all, of a deletion none.
    package private(set) var new: [Value] = []

    private let set: [UInt8]
    /// The byte that is read next.
    private var place = 0
    private var columns = 0

    fileprivate init(_ set: [UInt8]) { self.set = set }

    /// The bytes of a value: a text in UTF-8, or an integer in eight bytes, the highest first; none for null and where there is none.
    package func bytes(_ value: Value) -> ArraySlice<UInt8> { set[value.range] }

    /// A value; nil where there is none.
    package func content(_ value: Value) -> SQLValue? {
        switch value.kind {
        case .absent: nil
        case .null: .null
        case .integer: .integer(bytes(value).reduce(0) { $0 << 8 | Int64($1) })
        case .text: .text(String(decoding: bytes(value), as: UTF8.self))
        case .blob: .blob(Array(bytes(value)))
        }
    }

    // MARK: - Reading

    /// Reads the next row.
    ///
    /// - Returns: false after the last one.
    fileprivate mutating func advance() throws(SQLiteError) -> Bool {
        guard place < set.count else { return false }
        while set[place] == UInt8(ascii: "T") { try readTable() }
        guard columns > 0 else { throw Self.malformed }
        let code = try byte()
        // Whether a trigger has made the change.
        _ = try byte()
        switch code {
        case 0x12: operation = .insert
        case 0x17: operation = .update
        case 0x09: operation = .delete
        default: throw Self.malformed
        }
        old.removeAll(keepingCapacity: true)
        new.removeAll(keepingCapacity: true)
        for _ in 0..<columns { old.append(operation == .insert ? absent : try value()) }
        for _ in 0..<columns { new.append(operation == .delete ? absent : try value()) }
        return true
    }

    private mutating func readTable() throws(SQLiteError) {
        place += 1
        columns = try size()
        // At least a name and its end follow.
        guard columns > 0, columns < set.count - place else { throw Self.malformed }
        place += columns
        guard let end = set[place...].firstIndex(of: 0), end + 1 < set.count else { throw Self.malformed }
        table = String(decoding: set[place..<end], as: UTF8.self)
        place = end + 1
    }

    private var absent: Value { Value(kind: .absent, range: place..<place) }

    private mutating func value() throws(SQLiteError) -> Value {
        let kind: Value.Kind
        let count: Int
        switch try byte() {
        case 0: (kind, count) = (.absent, 0)
        case 1: (kind, count) = (.integer, 8)
        case 3: (kind, count) = (.text, try size())
        case 4: (kind, count) = (.blob, try size())
        case 5: (kind, count) = (.null, 0)
        // 2 is a floating-point number, which no column has.
        default: throw Self.malformed
        }
        guard count <= set.count - place else { throw Self.malformed }
        defer { place += count }
        return Value(kind: kind, range: place..<place + count)
    }

    private mutating func byte() throws(SQLiteError) -> UInt8 {
        guard place < set.count else { throw Self.malformed }
        defer { place += 1 }
        return set[place]
    }

    /// A number of SQLite's variable length: seven bits a byte, the highest first, with the eighth bit set in all but the last.
    private mutating func size() throws(SQLiteError) -> Int {
        var size = 0
        // A size of 31 bits has at most five bytes.
        for _ in 0..<5 {
            let byte = try byte()
            size = size << 7 | Int(byte & 0x7F)
            if byte & 0x80 == 0 { return size }
        }
        throw Self.malformed
    }

    private static let malformed = SQLiteError.corrupt("the bytes are no change set")
}
