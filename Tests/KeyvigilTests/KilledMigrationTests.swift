import Dispatch
import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("A migration whose process is killed")
struct KilledMigrationTests {
    let work: Workplace
    private let original: String
    private static let more = 6_000

    init() throws {
        work = try Workplace()
        original = work.path("original.sqlite")
    }

    private static var pepper: Pepper {
        get throws {
            var bytes = Secret(capacity: 32)
            bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
            return try Pepper(bytes)
        }
    }

    /// A store of the first version, with many keys.
    private func makeOriginal() throws {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let sql = try String(
            contentsOf: fixtures.appending(path: "KeyStoreTests/Fixtures/schema-1.sql"), encoding: .utf8)
        _ = FileManager.default.createFile(atPath: original, contents: nil, attributes: [.posixPermissions: 0o600])
        let db = try Connection(original, .readWrite, patience: LockPatience(5))
        try db.script("PRAGMA application_id = \(StoreFile.applicationID);" + sql)
        let first: Int64 = try #require(try db.first("SELECT min(key_row) FROM keys"))
        for (table, row, changed) in [
            ("keys", "key_row", ["id": "printf('key_%016d', i)", "name": "'more ' || i"]),
            (
                "secrets", "secret_id",
                ["key_row": "i + 1000", "prefix": "printf('zz_%08d', i)", "hash": "randomblob(32)"]
            ),
        ] {
            let columns: [String] = try db.all(
                "SELECT name FROM pragma_table_info(\(table)) WHERE name <> \(row)")
            let values = columns.map { changed[$0] ?? "t.\($0)" }
            try db.script(
                """
                INSERT INTO \(table) (\(row), \(columns.joined(separator: ", ")))
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.more))
                SELECT i + 1000, \(values.joined(separator: ", "))
                FROM n, (SELECT * FROM \(table) WHERE key_row = \(first) ORDER BY \(row) LIMIT 1) AS t
                """)
        }
    }

    /// Puts the old store in the place of the configuration's.
    private func putOriginal() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: work.directory.path)
        where name.contains("keys.sqlite") { try FileManager.default.removeItem(atPath: work.path(name)) }
        try FileManager.default.copyItem(atPath: original, toPath: work.path("keys.sqlite"))
        try Data(String(repeating: "p", count: 32).utf8).write(to: URL(filePath: work.path("pepper")))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: work.path("pepper"))
    }

    /// The names of the migrations that the store has been through, wholly or in part. Where the kill has left a journal that a
    /// reader may not roll back (sqlite.org/rescode.html, SQLITE_READONLY_ROLLBACK), that is said instead.
    private func entries() throws -> [String] {
        do {
            let db = try Connection(work.path("keys.sqlite"), .readOnly, patience: LockPatience(5))
            return try db.all("SELECT identifier FROM grdb_migrations ORDER BY identifier")
        } catch let error as SQLiteError {
            guard error.message == "attempt to write a readonly database" else { throw error }
            return ["a journal is left"]
        }
    }

    /// Opens the store with the tool and kills that after a time.
    private func openAndKill(after microseconds: UInt64) throws {
        let process = Process()
        process.executableURL = Workplace.binaries.appending(path: "keyvigil")
        process.arguments = ["show", "billing", "--config", work.configuration]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        let end = DispatchTime.now() + .microseconds(Int(microseconds))
        try process.run()
        _ = ended.wait(timeout: end)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    @Test("at whatever moment it is killed, the next start makes the store whole")
    func killed() throws {
        try makeOriginal()
        try putOriginal()
        let untouched = try entries()
        let start = ContinuousClock.now
        #expect(try work.keyvigil("show", "billing").status == 0)
        let (whole, span) = (try entries(), ContinuousClock.now - start)
        let longest =
            UInt64(span.components.attoseconds / 1_000_000_000_000) + UInt64(span.components.seconds) * 1_000_000
        #expect(whole != untouched)
        // Most kills come between two transactions of the migration; how many depends on the machine.
        var cutOff: Set<[String]> = []
        for round in 0..<200 where cutOff.count < 6 {
            try putOriginal()
            try openAndKill(after: longest * UInt64(round % 20 + 1) / 20)
            let state = try entries()
            if state != untouched, state != whole { cutOff.insert(state) }
            let store = try Store(
                path: work.path("keys.sqlite"), pepper: try Self.pepper, now: Instant(milliseconds: 1_800_000_000_000))
            try store.checkIntegrity()
            #expect(try entries() == whole, "killed at \(state)")
            // The chain is intact, and says nothing of the many keys, which SQL has added.
            #expect(
                try store.checkAudit()
                    == .broken(at: nil, host: nil, reason: "no event says that the key key_0000000000000001 was made"),
                "killed at \(state)")
            var count = 0
            try store.forEachKey(at: Instant(milliseconds: 1_800_000_000_000)) { _ in count += 1 }
            #expect(count == Self.more + 3, "killed at \(state)")
            try store.close()
        }
        #expect(!cutOff.isEmpty, "no kill met the migration")
    }
}
