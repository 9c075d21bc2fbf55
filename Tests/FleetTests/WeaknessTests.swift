import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite(
    "What the database of a fleet can lose",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct WeaknessTests {
    func weakness(_ server: TestServer, _ database: String, role: String = "keyvigil") throws -> FleetWeakness? {
        try FleetAuthority(server.address(database, role: role), password: nil, version: "test").weakness()
    }

    @Test(
        "A commit that is not on a disk, and one that no standby has, can be lost; a login without special rights sees that"
    )
    func weaknesses() throws {
        let server = try TestServer()
        try server.run(
            "CREATE ROLE keyvigil_host NOLOGIN", "CREATE ROLE plain LOGIN IN ROLE keyvigil_host",
            "CREATE ROLE hasty LOGIN IN ROLE keyvigil_host", "ALTER ROLE hasty SET synchronous_commit = off")
        let database = try server.makeFleetDatabase()
        #expect(try weakness(server, database, role: "plain") == nil)
        #expect(try weakness(server, database, role: "hasty") == .notSynced)
        try server.run("SELECT pg_create_physical_replication_slot('standby')")
        #expect(try weakness(server, database, role: "plain") == .asynchronous)
        // From here on each commit waits for a standby, of which there is none.
        let settings = server.directory.appending(path: "data/postgresql.auto.conf")
        let file = try FileHandle(forWritingTo: settings)
        try file.seekToEnd()
        try file.write(contentsOf: Data("synchronous_standby_names = standby\n".utf8))
        try server.run("SELECT pg_reload_conf()")
        var names = ""
        while names.isEmpty {
            var connection = try server.connect(database)
            names = try connection.read(["SHOW synchronous_standby_names"], before: soon)[0][0][
                "synchronous_standby_names"]
        }
        #expect(try weakness(server, database) == nil)
    }
}
