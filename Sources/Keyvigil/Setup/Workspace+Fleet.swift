internal import Fleet
internal import KeyStore
internal import Keys
internal import Systemd

extension Workspace {
    /// Gives this host a number in the fleet.
    func register(
        _ name: String, with authority: FleetAuthority, environment: [String: String]
    ) throws -> HostIdentity {
        guard let machine = MachineID.bytes, let boot = BootClock.bootID(environment: environment) else {
            throw InputError(
                "the machine has no id, by which the fleet knows its hosts",
                hint: "make one: systemd-machine-id-setup")
        }
        let number = try authority.register(
            FleetAuthority.Registration(
                name: name, machine: machine, boot: boot, version: keyvigilVersion, schema: Store.schemaNumber,
                pepper: store.pepperFingerprint))
        guard let host = HostIdentity(number: number, name: name) else {
            throw InputError("the fleet has no more numbers for hosts", hint: nil)
        }
        return host
    }

    /// What this host keeps of its membership.
    func membership(server: Membership.Server?) -> Membership {
        Membership(
            server: server, maxStaleness: configuration.fleet.maxStaleness, leasePath: store.location + ".fleet")
    }
}
