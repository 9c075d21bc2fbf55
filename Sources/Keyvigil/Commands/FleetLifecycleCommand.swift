internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys

struct FleetLifecycleCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lifecycle",
        abstract: "Show the settings by which the fleet makes notices and due dates.",
        discussion: """
            A fleet has one set of them, whatever the configuration of a host says: that of the first host that has joined, until another \
            one is set. They are printed as lines of keyvigil.toml. Hosts whose configuration differs are named: their settings do not \
            apply, and they report config.differs. All due dates are computed again when other settings are set.

            Examples:
                keyvigil fleet lifecycle
                keyvigil fleet lifecycle --set
            """)

    @Flag(help: "Make the settings of this host's configuration those of the fleet.")
    var set = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let loaded = try common.load()
        let authority = try common.fleetAuthority(of: loaded)
        if set { try setPolicy(common.open(loaded, at: Workspace.now).store, authority) }
        guard let policy = try authority.policy() else {
            throw InputError(
                "the fleet has no settings that this version knows",
                hint:
                    "it has them from its first host: keyvigil fleet hosts; or make them: keyvigil fleet lifecycle --set"
            )
        }
        let (hosts, _) = try authority.hosts()
        if common.json { return print(policy, hosts) }
        Terminal.emit(policy.lines)
        for host in hosts {
            guard let differences = policy.differences(of: host) else { continue }
            Terminal.note("\(host.name) has other settings, which do not apply: \(differences)")
        }
    }

    private func setPolicy(_ store: Store, _ authority: FleetAuthority) throws {
        try store.requireMembership()
        try authority.setPolicy(store.configuredPolicy)
        try store.confirm()
        if !common.json {
            Terminal.note("the fleet makes notices and due dates by the settings of \(store.host.name) from now on")
        }
    }

    private func print(_ policy: LifecyclePolicy, _ hosts: [FleetHost]) {
        var line = JSONLine()
        line.add("expiry_notices", policy.expiryNotices.map(\.description))
        line.add("rotation_overdue_after", policy.overdueAfter.description)
        line.add("rotation_due_at_percent_of_lifetime", policy.lifetimeShare / 10)
        line.add("rotation_shortest_rotated_lifetime", policy.shortestRotatedLifetime.description)
        line.add("hygiene_unused_after", policy.unusedAfter?.description)
        line.add("hosts_that_differ", hosts.filter { policy.differences(of: $0) != nil }.map(\.name))
        Terminal.print(line.line)
    }
}

extension LifecyclePolicy {
    /// In what the configuration of a host differs, as words; nil where it does not, or is not known.
    fileprivate func differences(of host: FleetHost) -> String? {
        guard let other = host.policy, other != self else { return nil }
        return differences(of: other)
    }
}
