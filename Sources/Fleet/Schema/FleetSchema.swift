internal import Keys
package import PostgreSQL

/// The schema of a fleet's database, and what brings it up to date.
package struct FleetSchema: Sendable {
    private let migrations: [FleetMigration]

    static let shipped = [
        FleetSchemaV1.migration, FleetSchemaV2.migration, FleetSchemaV3.migration, FleetSchemaV4.migration,
    ]
    package static let current = FleetSchema(shipped)

    init(_ migrations: [FleetMigration]) { self.migrations = migrations }

    /// The version that this program works with.
    package var version: Int { migrations.last?.version ?? 0 }

    /// What a database says of the schema that it has.
    struct Mark: Equatable {
        let version: Int
        let compatibleFrom: Int
    }

    // MARK: - Use

    /// Makes sure that this program can work with a database. To be asked by a member with each connection.
    ///
    /// - Throws: ``FleetError`` for a database without a fleet, of an older version, or of one that is too new; ``PostgreSQLError``.
    package func require(_ connection: inout Connection, before deadline: Deadline) throws {
        guard let mark = try Self.mark(&connection, before: deadline) else { throw FleetError.noSchema }
        guard mark.version >= version else {
            throw FleetError.olderSchema(version: mark.version, needed: version)
        }
        guard mark.compatibleFrom <= version else {
            throw FleetError.newerSchema(version: mark.version, known: version)
        }
    }

    // MARK: - Migration

    /// Brings a database up to date: makes the roles and the schema where they are missing. Run again, it changes nothing. Several may
    /// run at once: each goes on where the other has come to.
    ///
    /// - Parameter deadline: of each round trip; the server ends a statement after ten minutes.
    /// - Throws: ``FleetError`` where the database, or the rights of the caller, do not allow it; ``PostgreSQLError``.
    package func migrate(
        _ connection: inout Connection, before deadline: Deadline
    ) throws -> FleetMigrationReport {
        try requireUTF8(&connection, before: deadline)
        try requireRights(&connection, before: deadline)
        try requireKnown(Self.mark(&connection, before: deadline))
        let roles = try transaction(&connection, before: deadline) { try FleetRoles.make(&$0, before: deadline) }
        var before: Int?
        var titles: [String] = []
        while let step = try transaction(&connection, before: deadline, { try step(&$0, before: deadline) }) {
            before = before ?? step.before
            titles.append(step.title)
        }
        try transaction(&connection, before: deadline) { connection in
            _ = try connection.run(FleetRoles.grants, before: deadline)
        }
        let after = try Self.mark(&connection, before: deadline)?.version ?? 0
        return FleetMigrationReport(before: before ?? after, after: after, titles: titles, roles: roles)
    }

    /// The next migration, in a transaction that has the lock.
    ///
    /// - Returns: the version before it, and its title; nil where there is none.
    private func step(
        _ connection: inout Connection, before deadline: Deadline
    ) throws -> (before: Int, title: String)? {
        let mark = try Self.mark(&connection, before: deadline) ?? Mark(version: 0, compatibleFrom: 0)
        try requireKnown(mark)
        guard let migration = migrations.first(where: { $0.version > mark.version }) else { return nil }
        try connection.run(migration.statements, before: deadline)
        // Prepared only when the table is there.
        try connection.run(
            ["UPDATE keyvigil.fleet SET version = \(migration.version), compatible_from = \(migration.compatibleFrom)"],
            before: deadline)
        return (mark.version, migration.title)
    }

    /// The number of the lock that all who change the schema of a database wait for: "keyvigil" in ASCII.
    static let lock: Int64 = 0x6B65_7976_6967_696C

    /// Runs `body` in a transaction, which no other program's migration runs beside.
    private func transaction<Value>(
        _ connection: inout Connection, before deadline: Deadline, _ body: (inout Connection) throws -> Value
    ) throws -> Value {
        do {
            try connection.begin(
                [
                    "SET LOCAL statement_timeout = '10min'", "SET LOCAL idle_in_transaction_session_timeout = '1min'",
                    "SELECT pg_advisory_xact_lock(\(Self.lock))",
                ],
                before: deadline)
            let value = try body(&connection)
            try connection.commit(before: deadline)
            return value
        } catch {
            if connection.isUsable { try? connection.rollBack(before: deadline) }
            throw error
        }
    }

    /// The version that a database has; nil where it has no fleet.
    private static func mark(_ connection: inout Connection, before deadline: Deadline) throws -> Mark? {
        let there = try connection.read(
            ["SELECT to_regclass('keyvigil.fleet') IS NOT NULL AS is_there"], before: deadline)
        guard try there.first?.first?["is_there"] == true else { return nil }
        let rows = try connection.read(["SELECT version, compatible_from FROM keyvigil.fleet"], before: deadline)
        guard let row = rows.first?.first else { return nil }
        return Mark(version: Int(try row["version"] as Int64), compatibleFrom: Int(try row["compatible_from"] as Int64))
    }

    private func requireKnown(_ mark: Mark?) throws {
        guard let mark, mark.version > version else { return }
        throw FleetError.newerSchema(version: mark.version, known: version)
    }

    /// - Throws: ``FleetError`` where the caller can neither make the schema nor change it, and where it is something else.
    private func requireRights(_ connection: inout Connection, before deadline: Deadline) throws {
        let rows = try connection.read(
            [
                """
                SELECT r.rolname AS owner, coalesce(pg_has_role(current_user, r.oid, 'USAGE'),
                    has_database_privilege(current_database(), 'CREATE')) AS may_change,
                  current_database()::text AS name, current_user AS caller,
                  n.oid IS NOT NULL
                    AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'fleet') AS is_foreign
                FROM (VALUES (1)) AS one LEFT JOIN pg_namespace n ON n.nspname = 'keyvigil'
                  LEFT JOIN pg_roles r ON r.oid = n.nspowner
                """
            ], before: deadline)
        guard let row = rows.first?.first else { return }
        guard try row["is_foreign"] == false else { throw FleetError.foreignSchema }
        guard try row["may_change"] == false else { return }
        guard let owner: String = try row["owner"] else {
            throw FleetError.mayNotCreate(database: try row["name"], caller: try row["caller"])
        }
        throw FleetError.otherOwner(owner: owner, caller: try row["caller"])
    }

    /// - Throws: ``FleetError`` where the database cannot hold all texts.
    private func requireUTF8(_ connection: inout Connection, before deadline: Deadline) throws {
        let rows = try connection.read(
            ["SELECT getdatabaseencoding()::text AS encoding, current_database()::text AS name"], before: deadline)
        guard let row = rows.first?.first else { return }
        let encoding: String = try row["encoding"]
        guard encoding != "UTF8" else { return }
        throw FleetError.otherEncoding(encoding, database: try row["name"])
    }
}
