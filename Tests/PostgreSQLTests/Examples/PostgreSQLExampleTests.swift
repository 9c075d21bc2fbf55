import PostgreSQL
import PostgreSQLServer
import Testing

@Suite("Examples", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct PostgreSQLExampleTests {
    @Test("the example of the module's README changes a row in two round trips")
    func change() throws {
        let server = try TestServer.shared.get()
        try server.run(
            "CREATE TABLE keys (key_row int8 PRIMARY KEY, name text NOT NULL)", "INSERT INTO keys VALUES (7, 'metrics')"
        )
        let address = try server.address()
        var connection = try Connection.open(address, before: .after(.seconds(5)))
        try connection.begin(["SELECT name FROM keys WHERE key_row = \(7) FOR UPDATE"], before: .after(.seconds(30)))
        try connection.commit(
            ["UPDATE keys SET name = \("billing") WHERE key_row = \(7)"], before: .after(.seconds(30)))
        let row = try connection.read(["SELECT name FROM keys"], before: soon)[0][0]
        #expect(try row["name"] == "billing")
        try server.run("DROP TABLE keys")
    }
}
