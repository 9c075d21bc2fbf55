import Testing

@testable import KeyStore

/// A transaction whose changes are handed over in parts.
@Suite("Parts of change sets") struct ChangePartsTests {
    private static let schema = """
        CREATE TABLE one (n INTEGER PRIMARY KEY, t TEXT UNIQUE, i INTEGER) STRICT;
        CREATE TABLE two (n INTEGER PRIMARY KEY, one INTEGER REFERENCES one) STRICT;
        CREATE TABLE other (n INTEGER PRIMARY KEY) STRICT;
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1500)
          INSERT INTO one SELECT n, 'name ' || n, 0 FROM numbers;
        """
    private let db: Connection
    private let copy: Connection

    init() throws {
        (db, copy) = (try Self.open(), try Self.open())
    }

    private static func open() throws -> Connection {
        let db = try Connection(":memory:", .readWrite, patience: LockPatience(0))
        try db.script(schema)
        return db
    }

    /// The parts in which the changes of `body` are handed over, the last one too.
    private func parts(_ body: () throws -> Void) throws -> [ChangeSet] {
        var taken: [ChangeSet] = []
        let parts = try ChangeParts(of: db, tables: ["one", "two"]) { taken.append($0) }
        try db.transaction(.immediate) { try db.recording(parts, body) }
        #expect(parts.sent == taken.flatMap(\.bytes))
        return taken + [try parts.finish()]
    }

    private func content(_ db: Connection) throws -> [String] {
        try db.all("SELECT 'one ' || n || t || i FROM one UNION ALL SELECT 'two ' || n || '-' || one FROM two") {
            try $0.first()
        }
    }

    @Test("joined they are the change set of the transaction, whatever happened to a row in several of them")
    func joined() throws {
        let parts = try parts {
            // A name moves to another row, and a row is made, changed and removed in different parts.
            try db.run("UPDATE one SET i = i + 1")
            try db.run("UPDATE one SET t = 'former' WHERE n = 1")
            try db.run("UPDATE one SET i = i + 1")
            try db.run("INSERT INTO one VALUES (9000, 'name 1', 5), (9001, 'short', 5)")
            try db.run("INSERT INTO two VALUES (1, 9000)")
            try db.run("UPDATE one SET i = i + 1")
            try db.run("DELETE FROM one WHERE n = 9001")
            try db.run("UPDATE two SET one = 2")
            try db.run("DELETE FROM one WHERE n > 1000 AND n < 9000")
        }
        #expect(parts.count == 4)
        let whole = ChangeSet(bytes: parts.flatMap(\.bytes))
        #expect(try copy.transaction(.immediate) { try copy.apply(whole) })
        #expect(try content(copy) == content(db))
        var rows = 0
        try whole.forEach { _ in rows += 1 }
        var single = 0
        for part in parts { try part.forEach { _ in single += 1 } }
        #expect(rows == single && rows > 5_000)
    }

    @Test("a copy that has another row takes none of the parts")
    func conflict() throws {
        let parts = try parts {
            for _ in 1...3 { try db.run("UPDATE one SET i = i + 1") }
        }
        #expect(parts.count == 3)
        try copy.run("UPDATE one SET i = 7 WHERE n = 1400")
        let before = try content(copy)
        struct Conflict: Error {}
        #expect(throws: Conflict.self) {
            try copy.transaction(.immediate) {
                guard try copy.apply(ChangeSet(bytes: parts.flatMap(\.bytes))) else { throw Conflict() }
            }
        }
        #expect(try content(copy) == before)
    }

    @Test("what a savepoint takes back is in no part")
    func savepoints() throws {
        struct Failure: Error {}
        let parts = try parts {
            try? db.savepoint {
                try db.run("UPDATE one SET i = 99")
                try db.run("UPDATE one SET i = 98")
                throw Failure()
            }
            try db.savepoint {
                try db.run("UPDATE one SET i = i + 1")
                try db.run("UPDATE one SET i = i + 1 WHERE n <= 10")
            }
            try db.run("UPDATE one SET i = i + 1 WHERE n <= 10")
        }
        #expect(parts.count == 2)
        #expect(try copy.transaction(.immediate) { try copy.apply(ChangeSet(bytes: parts.flatMap(\.bytes))) })
        #expect(try content(copy) == content(db))
    }

    @Test("changes of few rows are one part, and rows of other tables are in none")
    func small() throws {
        let few = try parts { for _ in 1...50 { try db.run("UPDATE one SET i = i + 1 WHERE n = 3") } }
        #expect(few.count == 1)
        let others = try parts {
            for start in [0, 2_000] {
                try db.run(
                    "INSERT INTO other SELECT n + \(start) FROM one UNION ALL SELECT n + 10000 + \(start) FROM one")
            }
        }
        #expect(others.map(\.bytes) == [[]])
    }
}
