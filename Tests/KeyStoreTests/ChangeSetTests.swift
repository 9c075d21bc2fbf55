import Testing

@testable import KeyStore

/// The reader of change sets, against what SQLite has recorded.
@Suite("Change sets") struct ChangeSetTests {
    /// What a change set says of one row.
    private struct Change: Equatable {
        let table: String
        let operation: RowChange.Operation
        let old: [SQLValue?]
        let new: [SQLValue?]
    }

    private let db: Connection

    init() throws {
        db = try Connection(":memory:", .readWrite, patience: LockPatience(0))
        try db.script(
            """
            CREATE TABLE one (n INTEGER PRIMARY KEY, t TEXT, b BLOB, i INTEGER) STRICT;
            CREATE TABLE two (k TEXT, i INTEGER, a ANY, PRIMARY KEY (k, i)) STRICT;
            INSERT INTO one VALUES (1, 'before', x'00ff', -1), (2, NULL, NULL, NULL), (3, '', x'', 0);
            """)
    }

    private func recorded(_ body: () throws -> Void) throws -> ChangeSet {
        let recorder = try ChangeRecorder.begin(on: db, tables: ["one", "two"])
        try body()
        return try recorder.changes()
    }

    private func read(_ set: ChangeSet) throws -> [Change] {
        var changes: [Change] = []
        try set.forEach { row in
            changes.append(
                Change(
                    table: row.table, operation: row.operation, old: row.old.map { row.content($0) },
                    new: row.new.map { row.content($0) }))
        }
        return changes
    }

    private func all() throws -> ChangeSet {
        try recorded {
            try db.run("UPDATE one SET t = 'after', i = \(Int64.min) WHERE n = 1")
            try db.run("DELETE FROM one WHERE n = 3")
            try db.run("INSERT INTO two VALUES ('caf\u{E9}', \(Int64.max), \([1, 2, 3] as [UInt8])), ('', 0, 'text')")
        }
    }

    @Test("each change is read with the values before and after")
    func changes() throws {
        let changes = try read(all())
        #expect(changes.count == 4)
        #expect(
            changes.contains(
                Change(
                    table: "one", operation: .update, old: [.integer(1), .text("before"), nil, .integer(-1)],
                    new: [nil, .text("after"), nil, .integer(.min)])))
        #expect(
            changes.contains(
                Change(
                    table: "one", operation: .delete, old: [.integer(3), .text(""), .blob([]), .integer(0)],
                    new: [nil, nil, nil, nil])))
        #expect(
            changes.contains(
                Change(
                    table: "two", operation: .insert, old: [nil, nil, nil],
                    new: [.text("caf\u{E9}"), .integer(.max), .blob([1, 2, 3])])))
        #expect(
            changes.contains(
                Change(
                    table: "two", operation: .insert, old: [nil, nil, nil],
                    new: [.text(""), .integer(0), .text("text")])
            ))
    }

    @Test(
        "values are read whole, whatever the number of bytes of their length",
        arguments: [0, 127, 128, 16_383, 16_384, 3_000_000])
    func lengths(count: Int) throws {
        let (text, bytes) = (String(repeating: "x", count: count), [UInt8](repeating: 7, count: count))
        let set = try recorded { try db.run("INSERT INTO one VALUES (9, \(text), \(bytes), NULL)") }
        #expect(
            try read(set) == [
                Change(
                    table: "one", operation: .insert, old: [nil, nil, nil, nil],
                    new: [.integer(9), .text(text), .blob(bytes), .null])
            ])
    }

    @Test("a table may have more columns than a byte counts")
    func manyColumns() throws {
        let names = (0..<300).map { "c\($0)" }
        try db.script("CREATE TABLE wide (\(names.joined(separator: ", ")), PRIMARY KEY (c299)) WITHOUT ROWID")
        let recorder = try ChangeRecorder.begin(on: db, tables: ["wide"])
        try db.script("INSERT INTO wide VALUES (\((0..<300).map(String.init).joined(separator: ", ")))")
        let changes = try read(recorder.changes())
        #expect(changes.map(\.new) == [(0..<300).map { SQLValue.integer($0) }])
    }

    @Test("a change set that is cut off is refused, or ends after a row")
    func cutOff() throws {
        let set = try all()
        let whole = try read(set)
        var ends = 0
        for count in 0..<set.bytes.count {
            do {
                let part = try read(ChangeSet(bytes: Array(set.bytes.prefix(count))))
                #expect(part == Array(whole.prefix(part.count)) && part.count < whole.count)
                ends += 1
            } catch let error as SQLiteError { #expect(error.message == "the bytes are no change set") }
        }
        #expect(ends == whole.count, "before the first row, and after each but the last")
    }

    @Test(
        "what is no change set is refused",
        arguments: ["T", "x", "T\u{1}", "T\u{1}\u{1}one\0", "T\u{1}\u{1}one\0\u{9}\0\u{2}12345678"])
    func refused(text: String) {
        #expect(throws: SQLiteError.self) { try read(ChangeSet(bytes: Array(text.utf8))) }
    }

    @Test("a size that no change set can have is refused")
    func tooLarge() {
        let start = Array("T\u{1}\u{1}one\0\u{12}\0".utf8)
        for size: [UInt8] in [[0x87, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF]] {
            #expect(throws: SQLiteError.self) { try read(ChangeSet(bytes: start + [4] + size)) }
        }
    }
}
