import Foundation
import GRDB
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
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA application_id = \(StoreFile.applicationID)")
            try db.execute(sql: sql)
        }
        try queue.close()
    }

    /// The schema as SQL, without the tables of the migrator.
    func schema(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'grdb%' ORDER BY name")
    }

    @Test("each fixture is what the schemas up to its own make", arguments: shipped)
    func fixtureIsSchema(_ name: String) throws {
        try restore(name)
        let queue = try DatabaseQueue(path: fixture.path)
        let made = try DatabaseQueue()
        try made.write { db in
            try SchemaV1.create(db)
            if name != "schema-1" { try SchemaV2.migrate(db) }
        }
        #expect(try queue.read(schema) == made.read(schema))
        try queue.close()
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
            "bank", Rotation(), to: .whole(next, prefixLength: 16), at: fixture.start, by: fixture.actor)
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
        // Somebody has made a table of the name that the migration needs.
        let obstacle = try #require(Self.obstacles[name])
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.write { try $0.execute(sql: "CREATE TABLE \(obstacle) (other INTEGER) STRICT") }
        let before = try queue.read(schema)
        #expect(throws: StoreError.self) { try fixture.open() }
        #expect(try queue.read(schema) == before)
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM keys") } == 3)
        try queue.write { try $0.execute(sql: "DROP TABLE \(obstacle)") }
        try queue.close()
        #expect(try fixture.open().key("billing").name == "billing")
    }
}
