import Fleet
import PostgreSQL
import Synchronization

/// The databases of fleets. Their hosts sign in as `host1`, `host2` and so on.
extension TestServer {
    private static let logins = 4

    /// One for all tests that leave it as it is.
    package static let ofFleets = Result {
        let server = try TestServer()
        try server.makeLogins()
        return server
    }

    /// Makes the logins of hosts. Roles belong to all databases of a server.
    package func makeLogins() throws {
        try run("CREATE ROLE keyvigil_host NOLOGIN", "CREATE ROLE keyvigil_verifier NOLOGIN")
        for number in 1...Self.logins {
            try run(Statement(stringLiteral: "CREATE ROLE host\(number) LOGIN IN ROLE keyvigil_host"))
        }
    }

    /// Makes a database with the schema of a fleet, and returns its name.
    package func makeFleetDatabase() throws -> String {
        let template = try fleetTemplate.withLock { known in
            let template = try known ?? makeTemplate()
            known = template
            return template
        }
        return try makeDatabase("TEMPLATE \(template)")
    }

    private func makeTemplate() throws -> String {
        let database = try makeDatabase()
        var owner = try connect(database)
        _ = try FleetSchema.current.migrate(&owner, before: soon)
        return database
    }
}
