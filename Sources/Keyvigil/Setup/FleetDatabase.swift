internal import Keys
internal import PostgreSQL
internal import Systemd

/// Where the database of a fleet is, and what its login signs in with.
struct FleetDatabase: Sendable {
    let address: Address
    /// Nil: libpq's own file, or none.
    let password: Password?

    /// The name of the credential with the password (systemd.exec(5), LoadCredential=).
    static let credentialName = "fleet-password"

    /// The database of `[fleet]`.
    ///
    /// - Throws: ``InputError`` where the configuration has none.
    init(_ settings: Configuration.FleetSettings, environment: [String: String]) throws {
        guard let database = settings.database else {
            throw InputError(
                "the configuration names no database of a fleet",
                hint: "give it with --database, or set database in [fleet]")
        }
        address = try Address(database)
        password = try Credentials(environment: environment)?.withCredential(Self.credentialName, maximum: 1024) {
            Password($0)
        }
    }

    /// A database that a person has named.
    ///
    /// - Throws: ``InputError`` for an address with a password, which other users would see in the list of processes.
    init(option text: String) throws {
        guard !Configuration.FleetSettings.hasPassword(text) else {
            throw InputError(
                "the address in --database holds a password, which other users see in the list of processes",
                hint: "change that password; then name a file that holds it: passfile=/root/pgpass")
        }
        address = try Address(text)
        password = nil
    }

    func open(before deadline: Deadline) throws -> Connection {
        try Connection.open(address, password: password, before: deadline)
    }
}
