import Dispatch
import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@testable import Fleet

@Suite(
    "The schema of a fleet's database",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct SchemaTests {
    let server: TestServer

    init() throws { server = try TestServer.shared.get() }

    @Test("it is made once; again there is nothing to do, and nothing in it changes")
    func again() throws {
        let server = try TestServer()
        var connection = try server.connect()
        let first = try FleetSchema.current.migrate(&connection, before: soon)
        #expect(first.before == 0 && first.after == FleetSchema.current.version && !first.isEmpty)
        #expect(first.titles.count == FleetSchema.current.version)
        #expect(first.roles == ["keyvigil_host", "keyvigil_verifier"])
        try FleetSchema.current.require(&connection, before: soon)
        let before = try server.dump("postgres")
        let second = try FleetSchema.current.migrate(&connection, before: soon)
        #expect(second.isEmpty && second.titles == [])
        #expect(try server.dump("postgres") == before)
        // Roles are not in the dump of one database: after a restore on another server they are made again.
        let other = try TestServer()
        try other.restore(before, to: "postgres")
        var restored = try other.connect()
        let third = try FleetSchema.current.migrate(&restored, before: soon)
        #expect(third.before == third.after && third.roles == first.roles)
        #expect(try other.dump("postgres") == before)
    }

    @Test("entries of feeds are compressed by lz4 where the server has it")
    func compression() throws {
        var connection = try server.connect(server.makeFleetDatabase())
        let rows = try connection.read(
            [
                """
                SELECT a.attcompression::text AS method, 'lz4' = ANY(s.enumvals) AS has_lz4
                FROM pg_attribute a, pg_settings s
                WHERE a.attrelid = 'keyvigil.changes'::regclass AND a.attname = 'payload' AND s.name = 'default_toast_compression'
                """
            ], before: soon)[0]
        // PostgreSQL 13 has no such setting.
        #expect(try rows.map { try $0["method"] as String == ($0["has_lz4"] as Bool ? "l" : "") }.allSatisfy(\.self))
    }

    @Test("several that make it at once make it together")
    func together() async throws {
        let server = try TestServer()
        let reports = try await withThrowingTaskGroup(of: FleetMigrationReport.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var connection = try server.connect()
                    return try FleetSchema.current.migrate(&connection, before: soon)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports.flatMap(\.titles).count == FleetSchema.current.version)
        #expect(reports.flatMap(\.roles).count == 2)
        #expect(reports.allSatisfy { $0.after == FleetSchema.current.version })
    }

    /// What a thread has come to; nil: it runs.
    final class Outcome: Sendable {
        let result = Mutex<Result<FleetMigrationReport, any Error>?>(nil)
        let ended = DispatchSemaphore(value: 0)
    }

    @Test("it waits for another that is under way")
    func waiting() throws {
        let database = try server.makeDatabase()
        var other = try server.connect(database)
        let outcome = Outcome()
        let server = server
        try other.begin(["SELECT pg_advisory_xact_lock(\(FleetSchema.lock))"], before: soon)
        Thread.detachNewThread {
            let result = Result {
                var connection = try server.connect(database)
                return try FleetSchema.current.migrate(&connection, before: soon)
            }
            outcome.result.withLock { $0 = result }
            outcome.ended.signal()
        }
        var isWaiting = false
        while !isWaiting, outcome.result.withLock({ $0 == nil }) {
            isWaiting = try other.read(
                [
                    """
                    SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                      WHERE d.datname = \(database) AND l.locktype = 'advisory' AND NOT l.granted) AS is_waiting
                    """
                ], before: soon)[0][0]["is_waiting"]
        }
        #expect(isWaiting)
        try other.rollBack(before: soon)
        outcome.ended.wait()
        let report = try #require(outcome.result.withLock { $0 }).get()
        #expect(report.titles.count == FleetSchema.current.version)
    }

    @Test("a migration that fails leaves the database as it was, and the connection usable")
    func failing() throws {
        let database = try server.makeDatabase()
        var connection = try server.connect(database)
        _ = try FleetSchema.current.migrate(&connection, before: soon)
        let next = FleetMigration(
            version: FleetSchema.current.version + 1, compatibleFrom: 1, title: "next",
            statements: ["CREATE TABLE keyvigil.next (n bigint)", "SELECT 1/0"])
        let schema = FleetSchema(FleetSchema.shipped + [next])
        #expect(throws: PostgreSQLError.self) { try schema.migrate(&connection, before: soon) }
        let row = try connection.read(
            ["SELECT version, to_regclass('keyvigil.next') IS NULL AS is_absent FROM keyvigil.fleet"], before: soon)[0][
                0]
        #expect(try row["version"] == Int64(FleetSchema.current.version) && row["is_absent"] == true)
        #expect(try FleetSchema.current.migrate(&connection, before: soon).isEmpty)
    }

    @Test("a program works with a newer schema as long as that says so, and with no older one")
    func versions() throws {
        let database = try server.makeDatabase()
        var connection = try server.connect(database)
        #expect(throws: FleetError.noSchema) { try FleetSchema.current.require(&connection, before: soon) }
        let shipped = FleetSchema.shipped
        let count = shipped.count
        let expanded = FleetMigration(
            version: count + 1, compatibleFrom: count, title: "expanded", statements: [])
        let contracted = FleetMigration(
            version: count + 2, compatibleFrom: count + 2, title: "contracted", statements: [])
        _ = try FleetSchema.current.migrate(&connection, before: soon)
        let (second, third) = (FleetSchema(shipped + [expanded]), FleetSchema(shipped + [expanded, contracted]))
        #expect(throws: FleetError.olderSchema(version: count, needed: count + 1)) {
            try second.require(&connection, before: soon)
        }
        #expect(try second.migrate(&connection, before: soon).titles == ["expanded"])
        try FleetSchema.current.require(&connection, before: soon)
        #expect(throws: FleetError.newerSchema(version: count + 1, known: count)) {
            try FleetSchema.current.migrate(&connection, before: soon)
        }
        #expect(try third.migrate(&connection, before: soon).titles == ["contracted"])
        #expect(throws: FleetError.newerSchema(version: count + 2, known: count)) {
            try FleetSchema.current.require(&connection, before: soon)
        }
    }

    /// The end of version 1's migration, with the rights that the statements of the test need.
    private static let rightsOfV1: [Statement] = [
        "UPDATE keyvigil.fleet SET version = 1, compatible_from = 1",
        "GRANT USAGE ON SCHEMA keyvigil TO keyvigil_host",
        "GRANT EXECUTE ON FUNCTION keyvigil.own_host() TO keyvigil_host",
        "GRANT SELECT ON ALL TABLES IN SCHEMA keyvigil TO keyvigil_host",
        """
        GRANT INSERT (name, machine, nonce, version, schema),
          UPDATE (machine, nonce, version, schema, seen_at, fresh_until, positions, undelivered, last_scan_at)
          ON keyvigil.hosts TO keyvigil_host
        """,
        "GRANT UPDATE (pepper_fingerprint, policy, policy_text) ON keyvigil.fleet TO keyvigil_host",
        "GRANT UPDATE (taken_by, taken_at, delivered_at), DELETE ON keyvigil.alerts TO keyvigil_host",
    ]

    @Test("a member whose program is of the schema 1 goes on while the schema is brought up to date")
    func upgrade() throws {
        let server = try TestServer()
        var owner = try server.connect()
        try server.run(
            "CREATE ROLE keyvigil_host", "CREATE ROLE keyvigil_verifier", "CREATE ROLE web1 LOGIN IN ROLE keyvigil_host"
        )
        try owner.run(FleetSchemaV1.migration.statements + Self.rightsOfV1, before: soon)
        var member = try server.connect(role: "web1")
        try FleetSchema([FleetSchemaV1.migration]).require(&member, before: soon)
        let bytes = [UInt8](repeating: 1, count: 16)
        try member.run(
            [
                "UPDATE keyvigil.fleet SET pepper_fingerprint = \([UInt8](repeating: 2, count: 32))",
                """
                INSERT INTO keyvigil.hosts (name, machine, nonce, version, schema)
                VALUES ('web1', \(bytes), \(bytes), '0.1.0', 17)
                """,
            ], before: soon)
        // As version 1 has them.
        let life: [Statement] = [
            """
            UPDATE keyvigil.hosts SET nonce = \(bytes), version = '0.1.0', schema = 17, seen_at = clock_timestamp(),
              fresh_until = clock_timestamp() + 900000 * interval '1 millisecond', positions = '{}', undelivered = 0,
              last_scan_at = 1
            WHERE host = 1 AND removed_at IS NULL RETURNING 1 AS is_done
            """,
            "SELECT host, name, version, positions, undelivered, last_scan_at FROM keyvigil.hosts WHERE removed_at IS NULL",
            "UPDATE keyvigil.alerts SET taken_by = 1, taken_at = clock_timestamp() WHERE taken_by IS NULL AND host = 1",
            "SELECT version, compatible_from FROM keyvigil.fleet WHERE compatible_from <= 1",
        ]
        for isBefore in [true, false] {
            let results = try member.run(life, before: soon)
            #expect(results[0].count == 1 && results[1].count == 1 && results[3].count == 1)
            guard isBefore else { break }
            let report = try FleetSchema.current.migrate(&owner, before: soon)
            #expect(report.before == 1 && report.titles == FleetSchema.shipped.dropFirst().map(\.title))
            try FleetSchema([FleetSchemaV1.migration]).require(&member, before: soon)
        }
    }

    @Test("without the rights, or with another encoding, it says what to do, and makes nothing")
    func refusals() throws {
        let server = try TestServer()
        try server.run(
            "CREATE ROLE owner LOGIN", "CREATE ROLE other LOGIN CREATEROLE", "CREATE DATABASE fleet OWNER owner",
            "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        func refusal(_ role: String, _ database: String = "fleet") throws -> FleetError? {
            var connection = try server.connect(database, role: role)
            return #expect(throws: FleetError.self) {
                try FleetSchema.current.migrate(&connection, before: soon)
            }
        }
        try server.run("CREATE DATABASE foreign_one OWNER owner")
        var foreign = try server.connect("foreign_one")
        try foreign.run(["CREATE SCHEMA keyvigil"], before: soon)
        #expect(try refusal("keyvigil", "foreign_one") == .foreignSchema)
        #expect(try refusal("keyvigil", "latin") == .otherEncoding("LATIN1", database: "latin"))
        #expect(try refusal("other") == .mayNotCreate(database: "fleet", caller: "other"))
        let missing = try refusal("owner")
        #expect(missing == .mayNotMakeRoles(["keyvigil_host", "keyvigil_verifier"], caller: "owner"))
        var plain = try server.connect("fleet", role: "owner")
        let row = try plain.read(["SELECT to_regclass('keyvigil.fleet') IS NULL AS is_absent"], before: soon)[0][0]
        #expect(try row["is_absent"] == true)

        // The hint is what a superuser runs.
        let commands = try #require(missing?.hint).split(separator: "'").filter { $0.hasPrefix("CREATE ROLE") }
        for command in commands { try server.run(Statement(stringLiteral: String(command))) }
        #expect(try FleetSchema.current.migrate(&plain, before: soon).roles == [])
        #expect(try refusal("other") == .otherOwner(owner: "owner", caller: "other"))
    }

    // MARK: - Beside the store's

    /// A column, as both databases describe it.
    struct Column: Hashable, Comparable, CustomStringConvertible {
        let table: String
        let name: String
        let type: String
        let isNullable: Bool

        var description: String { "\(table).\(name) \(type)\(isNullable ? "" : " NOT NULL")" }

        static func < (first: Column, second: Column) -> Bool { first.description < second.description }
    }

    @Test("its tables have the columns of the store's, with their types, and the same are never null")
    func columns() throws {
        let replica = try Replica()
        let database = try server.makeDatabase()
        var connection = try server.connect(database)
        _ = try FleetSchema.current.migrate(&connection, before: soon)
        let rows = try connection.read(
            [
                """
                SELECT table_name::text AS t, column_name::text AS c, data_type::text AS type, is_nullable = 'YES' AS nullable
                FROM information_schema.columns
                WHERE table_schema = 'keyvigil' AND table_name = ANY (\(List(SharedTable.names)))
                """
            ], before: soon)[0]
        let there = try rows.map {
            Column(table: try $0["t"], name: try $0["c"], type: try $0["type"], isNullable: try $0["nullable"])
        }
        #expect(Set(there.map(\.table)) == Set(SharedTable.names))
        #expect(try there.sorted() == replica.columns(of: SharedTable.names).sorted())
    }

    @Test("what is unique in the store is unique in it")
    func uniques() throws {
        let replica = try Replica()
        let database = try server.makeDatabase()
        var connection = try server.connect(database)
        _ = try FleetSchema.current.migrate(&connection, before: soon)
        let rows = try connection.read(
            [
                """
                SELECT c.relname::text AS t, pg_get_indexdef(i.indexrelid) AS definition
                FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                WHERE i.indisunique AND c.relnamespace = 'keyvigil'::regnamespace
                """
            ], before: soon)[0]
        let there = try rows.map { row in
            let definition: String = try row["definition"]
            let list = definition.split(separator: " btree (", maxSplits: 1)[1]
            return "\(try row["t"] as String) (\(Replica.plain(String(list)))"
        }
        for unique in try replica.uniques(of: SharedTable.names) {
            #expect(there.contains(unique), "\(unique) is not among \(there.sorted())")
        }
    }
}

/// The tables of a store that this version has made. Its folder goes away with the value.
private final class Replica {
    private let directory: URL
    private var path: String { directory.appending(path: "keys.sqlite").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "kv-replica-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        let pepper = try Pepper(bytes)
        let store = try Store(
            path: directory.appending(path: "keys.sqlite").path, pepper: pepper,
            now: Instant(milliseconds: 1_800_000_000_000))
        try store.close()
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func query(_ text: String) throws -> [[String]] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/sqlite3")
        process.arguments = ["-readonly", "-separator", "\u{1F}", path, text]
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    func columns(of tables: [String]) throws -> [SchemaTests.Column] {
        let types = ["INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea", "ANY": "bytea"]
        return try query(
            """
            SELECT m.name, c.name, c.type, c."notnull" OR c.pk > 0 FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name IN (\(list(tables)))
            """
        ).map { row in
            SchemaTests.Column(
                table: row[0], name: row[1], type: try #require(types[row[2]]), isNullable: row[3] == "0")
        }
    }

    /// `TABLE (COLUMN, …)` of each unique index and each key, with its condition.
    func uniques(of tables: [String]) throws -> [String] {
        let indexes = try query(
            """
            SELECT m.name, i.name, ifnull(replace(s.sql, char(10), ' '), ''), (SELECT group_concat(name, ', ') FROM pragma_index_info(i.name))
            FROM sqlite_schema m, pragma_index_list(m.name) i LEFT JOIN sqlite_schema s ON s.name = i.name
            WHERE m.type = 'table' AND m.name IN (\(list(tables))) AND i."unique"
            """
        ).map { row in
            let statement = row[2].split(separator: " (", maxSplits: 1)
            return "\(row[0]) (\(Self.plain(statement.count == 2 ? String(statement[1]) : row[3] + ")"))"
        }
        let rows = try query(
            """
            SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name IN (\(list(tables))) AND c.pk = 1 AND c.type = 'INTEGER'
              AND (SELECT max(pk) FROM pragma_table_info(m.name)) = 1
            """
        ).map { "\($0[0]) (\($0[1]))" }
        return indexes + rows
    }

    /// What follows the opening bracket of an index, as both engines have it.
    static func plain(_ definition: String) -> String {
        definition.replacing("ifnull", with: "coalesce").replacing("COALESCE", with: "coalesce")
            .replacing(#/(?:keyvigil\.)?digest\((\w+)\)/#) { $0.output.1 }.replacing("(0)::bigint", with: "0")
            .replacing("::text", with: "").replacing(#/'(\\x)?'::bytea/#, with: "x''")
            .replacing(#/WHERE \((.*)\)$/#) { "WHERE \($0.output.1)" }
    }
}
