import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite(
    "What the database of a fleet can lose",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct WeaknessTests {
    func weakness(_ server: TestServer, role: String = "keyvigil") throws -> FleetWeakness? {
        try FleetAuthority(server.address(role: role), password: nil, version: "test").weakness()
    }

    @Test(
        "A commit that is not on a disk, and one that no standby has, can be lost; a login without special rights sees that"
    )
    func weaknesses() throws {
        let server = try TestServer()
        try server.run(
            "CREATE ROLE plain LOGIN", "CREATE ROLE hasty LOGIN", "ALTER ROLE hasty SET synchronous_commit = off")
        #expect(try weakness(server, role: "plain") == nil)
        #expect(try weakness(server, role: "hasty") == .notSynced)
        try server.run("SELECT pg_create_physical_replication_slot('standby')")
        #expect(try weakness(server, role: "plain") == .asynchronous)
        let synchronous = try TestServer(options: "-c synchronous_standby_names=standby")
        try synchronous.run("SELECT pg_create_physical_replication_slot('standby')")
        #expect(try weakness(synchronous) == nil)
    }
}
