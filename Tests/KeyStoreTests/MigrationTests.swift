import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("Stores of older versions")
struct MigrationTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// The secret of the key `billing` in the fixture of the first version.
    static let secret = "kv_live_kjAdzV7W_FMErWGsSnLVvJxKGzgZJ433rgBFYoN4Dwl7W"

    /// The stores that were shipped, as `sqlite3 .dump` wrote them. A new schema adds its own; the last needs no migration.
    static let shipped = ["schema-1", "schema-2"]

    /// Puts a shipped store where the fixture's is.
    func restore(_ name: String) throws {
        let sql = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).sql"),
            encoding: .utf8)
        _ = FileManager.default.createFile(atPath: fixture.path, contents: nil, attributes: [.posixPermissions: 0o600])
        try fixture.connection().script("PRAGMA application_id = \(StoreFile.applicationID);" + sql)
    }

    /// The schema as SQL, without the tables of the migrator.
    func schema(_ db: Connection) throws -> [String] {
        try db.all("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'grdb%' ORDER BY name")
    }

    @Test("each fixture is what the schemas up to its own make", arguments: shipped)
    func fixtureIsSchema(_ name: String) throws {
        try restore(name)
        let made = try Connection(":memory:", .readWrite, patience: LockPatience(0))
        for migration in name == "schema-1" ? [SchemaV1.migration] : [SchemaV1.migration, SchemaV2.migration] {
            for case .script(let text) in migration.steps { try made.script(text) }
        }
        #expect(try schema(fixture.connection()) == schema(made))
    }

    @Test("members of the schema of shared tables apply what this version changes")
    func sharedTables() throws {
        let current = try fixture.open()
        let columns = try current.read { try SharedTable.all($0).map(\.columns) }
        let older = Schema(Array(Schema.shipped.prefix(Int(Schema.ofSharedTables))))
        let other = try StoreFixture()
        _ = FileManager.default.createFile(
            atPath: other.path, contents: nil, attributes: [.posixPermissions: 0o600])
        try older.migrate(ConnectionPool(other.path, patience: 0), work: { _, _, _ in nil }, committed: {})
        #expect(try SharedTable.all(other.connection()).map(\.columns) == columns)
        #expect(Schema.ofSharedTables <= Schema.current.number)
    }

    @Test("a shipped store opens, whole and working", arguments: shipped)
    func opens(_ name: String) throws {
        try restore(name)
        let store = try fixture.open()
        #expect(try store.checkAudit() == .intact(events: 6))
        try store.checkIntegrity()
        #expect(try fixture.verify(store, Self.secret, at: fixture.start) == .valid)
        #expect(try store.key("devices").generation == 2 && store.key("old").recordedStatus == .revoked)
        var actions: [AuditAction] = []
        var filter = AuditFilter()
        filter.keyID = try store.key("devices").id.text
        try store.forEachAuditEvent(filter) { actions.append(try #require(AuditAction(rawValue: $0.action))) }
        #expect(actions == [.keyCreated, .keyRotated])
        // It goes on living: everything that is written now fits.
        _ = try fixture.create(store, "new")
        _ = try fixture.rotate(store, "billing", at: fixture.start)
        while try store.sweep(at: fixture.day(400), by: fixture.actor).isIncomplete {}
        #expect(try fixture.verify(store, Self.secret, at: fixture.start) == .notFound)
        #expect(try fixture.alerts(store).contains(.leakResolved))
        guard case .intact = try store.checkAudit() else {
            Issue.record("the audit is broken")
            return
        }
    }

    @Test("a store of the first version keeps its findings, and learns who set them aside")
    func second() throws {
        try restore("schema-1")
        let store = try fixture.open()
        #expect(
            try store.finding(1, at: fixture.start).sighting.form == "plain"
                && store.finding(1, at: fixture.start).sighting.objectCount == 1)
        #expect(try store.finding(1, at: fixture.start).dismissal == nil)
        let dismissal = try #require(try store.finding(2, at: fixture.start).dismissal)
        #expect(dismissal.reason == "a fixture" && dismissal.program == "keyvigil findings dismiss")
    }

    @Test("the secrets that earlier versions have found have their incidents", arguments: shipped)
    func incidents(_ name: String) throws {
        try restore(name)
        let store = try fixture.open()
        var found: [Incident] = []
        try store.forEachIncident(at: fixture.start) { found.append($0) }
        #expect(found.map(\.keyName) == ["billing", "devices"] && found.map(\.isOpen) == [true, false])
        #expect(found.map(\.places) == [2, 1] && found[0].openPlaces == 1)
        #expect(found[0].detectedAt == Instant(milliseconds: 1_795_267_995_830))
        // The commit's date has no milliseconds, and is just before the secret was made.
        #expect(found[0].backdatedTo?.description == "2026-11-21T13:33:15Z")
    }

    @Test("what was imported from another issuer is held, and what is of this store's own format is issued")
    func origins() throws {
        try restore("schema-2-held")
        let store = try fixture.open()
        let origins = try ["ours", "bank", "ledger", "stopped", "legacy"].map { try store.key($0).origin }
        #expect(origins == [.issued, .held, .held, .held, .held])
        #expect(try store.key("legacy").issuer == "external" && store.key("bank").issuer == "qonto")
        #expect(try store.key("bank").attestation == nil)
    }

    @Test("a rotation of a held key that this store made up is taken back: the issuer's secret is the current one")
    func invented() throws {
        try restore("schema-2-held")
        let store = try fixture.open()
        let issued = "pied-piper-7132:62885d39f3a0ddedd3d3ee0432a43ccr"
        let answer = try store.verify(StoreFixture.secret(issued), at: fixture.start)
        #expect(answer.code == .valid && answer.secret == .current)
        #expect(try store.key("bank").rotatedAt == nil)
        // The key goes on living: the next rotation is recorded as one more.
        let next = StoreFixture.secret("pied-piper-7132:11115d39f3a0ddedd3d3ee0432a43ccr")
        let outcome = try store.rotate(
            store.key("bank"), Rotation(), to: .whole(next, prefixLength: 16), at: fixture.start, by: fixture.actor)
        guard case .made(let key) = outcome else {
            Issue.record("a rotation without a name was taken for one that was made before")
            return
        }
        #expect(key.generation == 3)
    }

    @Test("a leak of a held key that was called harmless by the record alone is open again, and reported once")
    func reopened() throws {
        try restore("schema-2-held")
        let store = try fixture.open()
        var states: [String] = []
        try store.forEachFinding(at: fixture.start) {
            states.append("\($0.keyName) \($0.secretState.rawValue) \($0.status.rawValue) \($0.condition.danger)")
        }
        #expect(states == ["bank current open live", "stopped revoked open unconfirmed"])
        let alerts = try store.undeliveredAlerts(limit: 100).map(\.alert).filter {
            $0.fields[.findings] != nil && $0.kind == .leakConfirmed
        }
        #expect(alerts.map(\.priority) == [.critical, .error])
        #expect(alerts.map { $0.fields[.keyName] } == ["bank", "stopped"])
        #expect(alerts.allSatisfy { $0.message.contains("open again") })
    }

    /// A table of each fixture's next schema, which makes its migration fail where it is there already.
    static let obstacles = ["schema-1": "finding_objects", "schema-2": "refused_candidates"]

    @Test("a migration that fails leaves the store as it was, and is made good later", arguments: shipped)
    func failed(_ name: String) throws {
        try restore(name)
        // Another program has made a table of the name that the migration needs.
        let obstacle = try #require(Self.obstacles[name])
        let other = try fixture.connection()
        try other.script("CREATE TABLE \(obstacle) (other INTEGER) STRICT")
        let before = try schema(other)
        #expect(throws: StoreError.self) { try fixture.open() }
        #expect(try schema(other) == before)
        #expect(try other.first("SELECT count(*) FROM keys") == 3)
        try other.script("DROP TABLE \(obstacle)")
        #expect(try fixture.open().key("billing").name == "billing")
    }

    @Test("columns and indexes that are added without a look at the rows are those that SQLite would have added")
    func shortcuts() throws {
        let ours = try fixture.connection(createsFile: true)
        let sqlites = try Connection(":memory:", .readWrite, patience: LockPatience(0))
        for db in [ours, sqlites] {
            try db.script(
                """
                CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, CONSTRAINT a_is_there CHECK (a <> '')) STRICT;
                INSERT INTO t (a) VALUES ('x')
                """)
        }
        let column = "b BLOB CONSTRAINT b_is_short CHECK (length(b) < 3)"
        let index = "CREATE INDEX t_by_b ON t (b) WHERE b IS NOT NULL"
        try ours.transaction(.immediate) { try ours.addColumns([column], to: "t") }
        try ours.transaction(.immediate) { try ours.addIndex("t_by_b", index, of: "t", on: "b") }
        try sqlites.script("ALTER TABLE t ADD COLUMN \(column); \(index)")
        #expect(try schema(ours) == schema(sqlites))
        for db in [ours, try fixture.connection()] {
            try db.run("UPDATE t SET b = x'01'")
            #expect(throws: SQLiteError.self) { try db.run("UPDATE t SET b = x'010203'") }
            let plan = try db.all("EXPLAIN QUERY PLAN SELECT id FROM t WHERE b = x'01'") { try $0["detail"] as String }
            #expect(plan.contains { $0.contains("t_by_b") })
            #expect(try db.first("SELECT a FROM t WHERE b = x'01'") == "x")
            #expect(try db.first("PRAGMA integrity_check") == "ok")
        }
    }

    @Test("a migration that is cut off anywhere goes on there; older programs refuse the store meanwhile")
    func cutOff() throws {
        struct Killed: Error {}
        let whole = try StoreFixture()
        let wanted = try whole.open().read(schema)
        let older = Schema([
            SchemaV1.migration, SchemaV2.migration, SchemaV3.migration, SchemaV4.migration,
        ])
        // More secrets than one transaction of the migration holds, of which it changes some in each.
        let count = 2 * Migration.batch + 10
        try restore("schema-2")
        try fixture.connection().script(
            """
            WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < \(999 + count))
            INSERT INTO keys (key_row, id, name, issuer, environment, permissions, role, status, created_at)
              SELECT i, 'key_' || i, 'bulk ' || i, 'keyvigil', 'live', '*', 'member', 'active', 0 FROM n;
            INSERT INTO secrets (key_row, generation, state, prefix, origin, made_at, retires_at, retired_at)
              SELECT key_row, 1, 'retired', 'p' || key_row, 'created', 0, 20, key_row % 3 * 10 + 1
              FROM keys WHERE key_row >= 1000;
            INSERT INTO secrets (key_row, generation, state, prefix, origin, made_at)
              SELECT key_row, 2, 'current', 'q' || key_row, 'created', 0 FROM keys WHERE key_row >= 1000
            """)
        var cuts = 0
        var refusals = 0
        fixture.options.migrationCommitted = { throw Killed() }
        while true {
            do {
                _ = try fixture.open()
                break
            } catch is Killed { cuts += 1 }
            let other = try fixture.connection()
            if try older.isNewer(other) {
                refusals += 1
            } else {
                // Nothing of the fifth schema is there yet.
                #expect(try !other.hasTable("review"))
            }
        }
        // Two before the fifth schema; then its tables, columns of keys, five ranges of secrets and their end, a column of
        // secrets, and its index. Then the columns of the sixth, a range of findings and their end, and what it
        // forgets. Then the tables and indexes of the seventh, its columns of objects, an index, a range and its end, an
        // index less, and a column. Then what the eighth requires, a column renamed, two columns and a table, the ranges of
        // keys and of secrets, and the note that they are sealed. Then the table of the ninth, five ranges and their end; then
        // the table of the tenth, and a column; then the columns of the eleventh and the twelfth; then the tables of the
        // thirteenth, and a column; then the tables of the
        // fourteenth, a column, a range and its end; then the column of the fifteenth; then the table of the sixteenth, and a
        // column; then the tables of the seventeenth, the column of the eighteenth, and the table of the nineteenth.
        #expect(cuts == 71 && refusals == 69, "\(cuts), \(refusals)")
        let store = try fixture.open()
        #expect(try store.read(schema) == wanted)
        let kept: Int? = try store.read { try $0.first("SELECT count(*) FROM secrets WHERE retires_at IS NOT NULL") }
        #expect(kept == (1000..<1000 + Int(count)).count { $0 % 3 == 2 })
        #expect(
            try !store.read { try $0.isTrue("SELECT count(*) FROM grdb_migrations WHERE identifier LIKE '%: step%'") })
    }
}
