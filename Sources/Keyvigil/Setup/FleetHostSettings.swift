internal import Fleet
internal import Glibc
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import Systemd

/// What a host needs to be a member of a fleet.
extension LoadedConfiguration {
    /// The fleet's database as this host sees it; nil where the configuration names no fleet.
    func fleetAuthority(environment: [String: String]) throws -> FleetAuthority? {
        let settings = configuration.fleet
        guard settings.database != nil else { return nil }
        let database = try FleetDatabase(settings, environment: environment)
        return FleetAuthority(
            database.address, password: database.password, version: keyvigilVersion, alertHosts: settings.alertHosts)
    }

    /// The name of this host in the fleet: what the configuration says, else that of the machine.
    func fleetHostName() throws -> String {
        let name = configuration.fleet.host ?? Self.machineName
        guard HostIdentity(number: 1, name: name) != nil else {
            throw InputError(
                "\(DisplayText.quoted(name, limit: 100)) cannot be the name of a host in the fleet",
                hint: "set host in [fleet]: at most 64 letters, digits, hyphens and dots, such as \"web1\"")
        }
        return name
    }

    /// gethostname(2), without the domain.
    private static var machineName: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
        let name = bytes.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: ".")) }.map { UInt8(bitPattern: $0) }
        return String(decoding: name, as: UTF8.self)
    }
}
