import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

/// A database of a fleet, and the workplaces of its hosts: `web1`, `web2` and so on, each with a login of its name.
final class FleetWorkplace {
    let server: TestServer
    let database: String
    private(set) var hosts: [Workplace] = []

    /// - Parameter count: of the hosts.
    init(hosts count: Int) throws {
        server = try TestServer()
        database = try server.makeDatabase()
        hosts = try (1...count).map { _ in try Workplace() }
        let made = try hosts[0].keyvigil("fleet", "migrate", "--database", owner)
        try #require(made.status == 0, "\(made)")
        for number in 1...count {
            try server.run(
                Statement(stringLiteral: "CREATE ROLE web\(number) LOGIN IN ROLE keyvigil_host"))
        }
    }

    subscript(number: Int) -> Workplace { hosts[number - 1] }

    /// The address of the database as its owner reaches it.
    var owner: String { address(role: "keyvigil") }

    func address(role: String) -> String { "host=\(server.directory.path) user=\(role) dbname=\(database)" }

    /// Names the fleet in the configuration of a host.
    func configure(_ number: Int, _ settings: String = "") throws {
        try self[number].configure(
            "[fleet]\ndatabase = \"\(address(role: "web\(number)"))\"\nhost = \"web\(number)\"\n\(settings)")
    }

    /// Makes a host, whose store is new, a member.
    func join(_ number: Int) throws {
        try configure(number)
        if number > 1 {
            let pepper = try Data(contentsOf: URL(filePath: self[1].path("pepper")))
            try pepper.write(to: URL(filePath: self[number].path("pepper")))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: self[number].path("pepper"))
        }
        let outcome = try self[number].keyvigil("fleet", "join")
        try #require(outcome.status == 0, "\(outcome)")
    }

    /// Ends the server of the database, as a fault does.
    func stopServer() throws {
        let data = server.directory.appending(path: "data").path
        try server.run(program: "pg_ctl", "stop", "-s", "-m", "immediate", "-D", data)
    }

    /// Runs a statement as the owner of the database.
    func run(_ statement: Statement) throws {
        var connection = try server.connect(database)
        try connection.run([statement], before: soon)
    }

    /// A number that the owner of the database reads.
    func number(_ statement: Statement) throws -> Int64 {
        var connection = try server.connect(database)
        return try connection.read([statement], before: soon)[0][0]["count"]
    }
}
