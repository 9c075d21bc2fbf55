import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("Opening a store")
struct OpeningTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// Opening must fail with this code, have a hint, and leave the file as it was.
    func expectRefusal(_ code: StoreError.Code, pepper: Pepper? = nil) throws {
        let before = try Data(contentsOf: URL(filePath: fixture.path))
        let error = #expect(throws: StoreError.self) { try fixture.open(pepper: pepper) }
        #expect(error?.code == code)
        #expect(error?.hint != nil)
        #expect(try Data(contentsOf: URL(filePath: fixture.path)) == before)
    }

    @Test("a new store is private, in WAL mode, marked as ours, and opens again")
    func fresh() throws {
        let store = try fixture.open()
        let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        try store.read { db in
            #expect(try db.first("PRAGMA journal_mode") == "wal")
            #expect(try db.number(ofPragma: "application_id") == Int(StoreFile.applicationID))
            #expect(try db.number(ofPragma: "foreign_keys") == 1)
            let loose: [String] = try db.all(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
            #expect(loose == ["grdb_migrations"])
        }
        _ = try fixture.create(store, "a")
        try store.close()
        #expect(try fixture.open().key("a").name == "a")
    }

    @Test("memory that holds pages is given back, and nothing waits for that")
    func memory() throws {
        let store = try fixture.open()
        for number in 1...20 { _ = try fixture.create(store, "key \(number)") }
        func used() throws -> [Int] { try [store.pool.look(\.pageMemory), store.pool.withWriter(\.pageMemory)] }
        let before = try used()
        #expect(before.allSatisfy { $0 > 10_000 }, "\(before)")
        // Who uses a connection keeps its pages, and is not waited for.
        try store.pool.withWriter { writer in
            try store.pool.look { reader in
                store.releaseMemory()
                #expect([reader.pageMemory, writer.pageMemory] == before)
            }
        }
        store.releaseMemory()
        let after = try used()
        #expect(zip(after, before).allSatisfy { $0 < $1 / 2 }, "\(before) \(after)")
        #expect(try store.key("key 20").name == "key 20")
    }

    @Test("a file of zero bytes, left by a start that was cut off, becomes a store")
    func empty() throws {
        _ = FileManager.default.createFile(
            atPath: fixture.path, contents: Data(), attributes: [.posixPermissions: 0o600])
        let store = try fixture.open()
        #expect(try store.activeKeyCount() == 0)
    }

    @Test("where there is none and none may be made, it says so")
    func absent() throws {
        fixture.options.create = false
        let error = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(error?.code == .noStore)
        #expect(!FileManager.default.fileExists(atPath: fixture.path))
    }

    @Test("a file that is no store is refused and left as it was")
    func foreign() throws {
        _ = FileManager.default.createFile(
            atPath: fixture.path, contents: Data(repeating: 65, count: 5000), attributes: [.posixPermissions: 0o600])
        try expectRefusal(.notAStore)
    }

    @Test("another program's SQLite file is refused and left as it was")
    func otherDatabase() throws {
        _ = FileManager.default.createFile(
            atPath: fixture.path, contents: Data(), attributes: [.posixPermissions: 0o600])
        try fixture.connection().script("CREATE TABLE t (a)")
        try expectRefusal(.notAStore)
    }

    @Test("a store of a newer version is refused and left as it was")
    func newer() throws {
        let store = try fixture.open()
        try store.write { try $0.script("INSERT INTO grdb_migrations VALUES ('999 from the future')") }
        try store.close()
        try expectRefusal(.newerVersion)
    }

    @Test("a damaged store is reported as damaged")
    func damaged() throws {
        let store = try fixture.open()
        for index in 0..<200 { _ = try fixture.create(store, "key \(index)") }
        try store.close()
        let file = try FileHandle(forWritingTo: URL(filePath: fixture.path))
        let size = try file.seekToEnd()
        for offset in stride(from: UInt64(4096), to: size, by: 4096) {
            try file.seek(toOffset: offset)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 64))
        }
        try file.close()
        let error = #expect(throws: StoreError.self) {
            let store = try fixture.open()
            try store.checkIntegrity()
        }
        #expect(error?.code == .damaged)
        #expect(error?.hint?.contains("backup") == true)
    }

    @Test("damage in one page is found by the integrity check")
    func damagedPage() throws {
        let store = try fixture.open()
        for index in 0..<400 { _ = try fixture.create(store, "key \(index)") }
        try store.close()
        let file = try FileHandle(forWritingTo: URL(filePath: fixture.path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: size - 4096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        try file.close()
        let error = #expect(throws: StoreError.self) {
            let store = try fixture.open()
            try store.checkIntegrity()
        }
        #expect(error?.code == .damaged)
    }

    @Test("a store that others can read is refused with the command that repairs it")
    func exposed() throws {
        try fixture.open().close()
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: fixture.path)
        let error = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(error?.code == .exposed)
        #expect(error?.hint == "run: chmod 600 \(fixture.path)")
    }

    @Test("another pepper is refused: with it every secret would seem unknown")
    func wrongPepper() throws {
        try fixture.open().close()
        try expectRefusal(.wrongPepper, pepper: try StoreFixture.pepper(fill: "q"))
    }

    @Test("a store in a folder that is not there is a clear error")
    func noFolder() throws {
        let error = #expect(throws: StoreError.self) {
            try Store(path: fixture.path + ".d/keys.sqlite", pepper: fixture.pepper, now: fixture.start)
        }
        #expect(error?.code == .permission)
        #expect(error?.hint?.contains("install -d -m 0700") == true)
    }

    @Test("a store that another program holds is reported as busy after the patience, and works again afterwards")
    func busy() throws {
        fixture.options.patience = 0.05
        let store = try fixture.open()
        let other = try fixture.lock()
        let error = #expect(throws: StoreError.self) { try fixture.create(store, "a") }
        #expect(error?.code == .busy)
        try fixture.unlock(other)
        _ = try fixture.create(store, "a")
    }

    @Test("what a killed process has left half done in a file without a write-ahead log is taken back")
    func journal() throws {
        let store = try fixture.open()
        _ = try fixture.create(store, "a")
        try store.close()
        let other = try fixture.connection()
        try other.script(
            """
            PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (done BLOB); INSERT INTO half
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT randomblob(500) FROM n
            """)
        // As a kill would leave them.
        let copy = fixture.directory.appending(path: "copy.sqlite").path
        for suffix in ["", "-journal"] {
            try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copy + suffix)
        }
        let opened = try Store(path: copy, pepper: fixture.pepper, now: fixture.start)
        #expect(try opened.key("a").name == "a")
        #expect(try opened.read { try !$0.hasTable("half") })
        try opened.checkIntegrity()
        #expect(!FileManager.default.fileExists(atPath: copy + "-journal"))
    }

    @Test(
        "the schema refuses what the code must never write",
        arguments: [
            "UPDATE keys SET status = 'lost'", "UPDATE keys SET status = 'revoked', revoked_at = NULL",
            "UPDATE keys SET status = 'deleted'", "UPDATE keys SET name = ''", "UPDATE keys SET created_at = 'today'",
            "UPDATE secrets SET hash = x'00'", "UPDATE secrets SET state = 'retiring', retires_at = NULL",
            "INSERT INTO secrets (key_row, generation, state, prefix, origin, made_at) VALUES (99, 1, 'current', 'p', 'created', 0)",
        ])
    func checks(sql: String) throws {
        let store = try fixture.open()
        _ = try fixture.create(store, "a")
        #expect(throws: (any Error).self) { try store.write { try $0.script(sql) } }
    }
}
