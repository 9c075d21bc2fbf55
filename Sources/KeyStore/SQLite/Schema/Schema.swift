/// The store's schema: a list of migrations, each frozen once it has shipped.
///
/// The store has the names of those that it has been through in a table of its own. The table's name is that of the library
/// with which the first versions were made; they still look for it.
struct Schema: Sendable {
    private let migrations: [Migration]

    static let shipped = [
        SchemaV1.migration, SchemaV2.migration, SchemaV3.migration, SchemaV4.migration, SchemaV5.migration,
        SchemaV6.migration, SchemaV7.migration, SchemaV8.migration, SchemaV9.migration, SchemaV10.migration,
        SchemaV11.migration, SchemaV12.migration, SchemaV13.migration, SchemaV14.migration, SchemaV15.migration,
        SchemaV16.migration, SchemaV17.migration, SchemaV18.migration, SchemaV19.migration,
    ]
    static let current = Schema(shipped)

    /// The number of the last schema that has changed a table which the members of a fleet share. A member of this schema, or of a later one,
    /// applies what this version changes.
    static let ofSharedTables: Int64 = 17

    init(_ migrations: [Migration]) { self.migrations = migrations }

    /// Counts the schemas, from 1.
    var number: Int64 { Int64(migrations.count) }

    /// The entries of the store's list.
    private func entries(_ db: Connection) throws -> [String] {
        guard try db.hasTable("grdb_migrations") else { return [] }
        return try db.all("SELECT identifier FROM grdb_migrations")
    }

    /// Whether the store has been through a migration, or a part of one, that this program does not know.
    func isNewer(_ db: Connection) throws -> Bool {
        try entries(db).contains { entry in
            !migrations.contains { $0.name == entry || MigrationProgress(entry, of: $0) != nil }
        }
    }

    /// Whether the store has been through all migrations.
    func isComplete(_ db: Connection) throws -> Bool {
        let entries = try entries(db)
        return migrations.allSatisfy { entries.contains($0.name) }
    }

    /// Brings a store up to date. Several programs may do so at once: each goes on where the other has come to.
    ///
    /// - Parameters:
    ///   - work: does what SQL cannot say, on the next rows after one, and returns the last of them; nil at the end.
    ///   - committed: called after each transaction. What it throws ends the migration there, as a crash would.
    func migrate(
        _ pool: ConnectionPool, work: (Migration.Work, Connection, _ after: Int64) throws -> Int64?,
        committed: () throws -> Void
    ) throws {
        while try pool.write({ try migrateFurther($0, work) }) { try committed() }
    }

    /// One transaction of the first migration that is not complete.
    ///
    /// - Returns: whether there was one.
    private func migrateFurther(
        _ db: Connection, _ work: (Migration.Work, Connection, Int64) throws -> Int64?
    ) throws -> Bool {
        try db.script("CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        let entries = try entries(db)
        guard let migration = migrations.first(where: { !entries.contains($0.name) }) else { return false }
        let before = entries.compactMap { MigrationProgress($0, of: migration) }.first
        let after = try run(migration, from: before ?? MigrationProgress(), db, work)
        if let before { try db.run("DELETE FROM grdb_migrations WHERE identifier = \(before.entry(of: migration))") }
        let entry = after.step < migration.steps.count ? after.entry(of: migration) : migration.name
        try db.run("INSERT INTO grdb_migrations (identifier) VALUES (\(entry))")
        return true
    }

    private func run(
        _ migration: Migration, from progress: MigrationProgress, _ db: Connection,
        _ work: (Migration.Work, Connection, Int64) throws -> Int64?
    ) throws -> MigrationProgress {
        var after = progress
        switch migration.steps[progress.step] {
        case .script(let text): try db.script(text)
        case .columns(let table, let definitions): try db.addColumns(definitions, to: table)
        case .index(let name, let text, let table, let column): try db.addIndex(name, text, of: table, on: column)
        case .work(let kind):
            if let last = try work(kind, db, progress.row) {
                after.row = last
                return after
            }
        case .rows(let table, let key, let change):
            let (table, key, change) = (SQL(stringLiteral: table), SQL(stringLiteral: key), SQL(stringLiteral: change))
            let last: Int64? = try db.first(
                """
                SELECT max(\(key)) FROM (
                  SELECT \(key) FROM \(table) WHERE \(key) > \(progress.row) ORDER BY \(key) LIMIT \(Migration.batch))
                """)
            if let last {
                try db.run("\(change) AND \(key) > \(progress.row) AND \(key) <= \(last)")
                after.row = last
                return after
            }
        }
        after.step += 1
        after.row = 0
        return after
    }
}
