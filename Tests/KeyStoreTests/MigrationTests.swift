import Foundation
import GRDB
import Keys
import Testing

@testable import KeyStore

@Suite("Stores of older versions")
struct MigrationTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// A store as the first version left it: a key whose secret leaked into two files, of which one was set aside.
    func makeFirst() throws {
        let store = try fixture.open()
        _ = try fixture.create(store, "billing")
        let sightings = ["a.py", "b.py"].map { (path: String) in
            Sighting(
                prefixID: 1, secretID: 1, source: "blob", object: "0123abcd", path: path, line: 3, column: 7,
                commit: "beef", author: "Eve", authoredAt: nil, isInHead: true, objectCount: 2, place: "path:\(path)")
        }
        _ = try store.remember(
            sightings, searched: [], in: "/srv/shop.git", greatestSecret: 1, at: fixture.start, by: fixture.actor)
        try store.dismissFinding(2, reason: "a fixture", at: fixture.day(1), by: fixture.actor)
        try store.write { db in
            let kept = ["findings", "repositories"].map { table in (table, table == "findings" ? 20 : 5) }
            try db.execute(sql: "DROP TABLE finding_objects")
            for (table, columns) in kept {
                for column in try db.columns(in: table).map(\.name).dropFirst(columns) {
                    try db.execute(sql: "ALTER TABLE \(table) DROP COLUMN \(column)")
                }
            }
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier <> ?", arguments: [Schema.first])
        }
        try store.close()
    }

    /// The schema as SQL, without the tables of the migrator.
    func schema(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'grdb%' ORDER BY name")
    }

    @Test("the fixture is what the first version makes")
    func fixtureIsFirst() throws {
        try makeFirst()
        let queue = try DatabaseQueue(path: fixture.path)
        let made = try DatabaseQueue()
        try made.write { try SchemaV1.create($0) }
        #expect(
            try queue.read(schema).map { $0.filter { !$0.isWhitespace } }
                == made.read(schema).map { $0.filter { !$0.isWhitespace } })
        try queue.close()
    }

    @Test("a store of the first version keeps its findings, and learns who set them aside")
    func second() throws {
        try makeFirst()
        let store = try fixture.open()
        #expect(try store.finding(1).sighting.form == "plain" && store.finding(1).sighting.objectCount == 2)
        #expect(try store.finding(1).dismissal == nil)
        let dismissal = try #require(try store.finding(2).dismissal)
        #expect(dismissal.reason == "a fixture" && dismissal.at == fixture.day(1) && dismissal.program == "test")
        #expect(try store.checkAudit() == .intact(events: 2))
        try store.checkIntegrity()
    }

    @Test("a migration that fails leaves the store as it was")
    func failed() throws {
        try makeFirst()
        // Somebody has made a table of the name that the migration needs.
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.write { try $0.execute(sql: "CREATE TABLE finding_objects (other INTEGER) STRICT") }
        let before = try queue.read(schema)
        #expect(throws: StoreError.self) { try fixture.open() }
        #expect(try queue.read(schema) == before)
        try queue.write { try $0.execute(sql: "DROP TABLE finding_objects") }
        try queue.close()
        #expect(try fixture.open().key("billing").name == "billing")
    }
}
