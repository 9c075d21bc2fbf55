import Fleet
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite("Examples", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetExampleTests {
    @Test("the example of the module's README makes the schema of a fleet")
    func migration() throws {
        let server = try TestServer.shared.get()
        let address = try server.address(server.makeDatabase())
        var connection = try Connection.open(address, before: .after(.seconds(10)))
        let report = try FleetSchema.current.migrate(&connection, before: .after(.seconds(600)))
        #expect(report.after == FleetSchema.current.version)
    }
}
