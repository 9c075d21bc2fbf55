internal import Fleet
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import Systemd

/// What there is to say of the fleet that the configuration names.
extension Examination {
    /// Checks the database, the membership, and what the database promises.
    func fleet(_ loaded: LoadedConfiguration, _ store: Store?) {
        let environment = ProcessEnvironment.current
        guard loaded.configuration.fleet.database != nil else { return }
        do {
            var connection = try FleetDatabase(loaded.configuration.fleet, environment: environment)
                .open(before: .after(.seconds(5)))
            try FleetSchema.current.require(&connection, before: .after(.seconds(5)))
        } catch let error as PostgreSQLError {
            return note("fleet", DatabaseError(error))
        } catch { return note("fleet", error) }
        do {
            guard let authority = try loaded.fleetAuthority(environment: environment) else { return }
            if let store { try member(store, authority) }
            switch try authority.weakness() {
            case nil: break
            case let weakness?:
                let alert = Alert(weakness)
                note("fleet", .advice, alert.message, remedy: alert.fields[.remedy])
            }
        } catch { note("fleet", error) }
    }

    private func member(_ store: Store, _ authority: FleetAuthority) throws {
        guard let membership = store.membership else {
            guard store.host == .alone else {
                return note(
                    "fleet", .problem,
                    "the store of this host has left the fleet, and the configuration still names its database",
                    remedy: "take database out of [fleet], then systemctl try-reload-or-restart keyvigil")
            }
            return note("fleet", .problem, "this host is no member of the fleet yet", remedy: "keyvigil fleet join")
        }
        if let pepper = try authority.pepperFingerprint(), pepper != store.pepperFingerprint {
            return note(
                "fleet", .problem, "the pepper of this host is not that of the fleet", remedy: "see docs/FLEET.md")
        }
        let (hosts, _) = try authority.hosts()
        guard let own = hosts.first(where: { $0.number == store.host.number }) else {
            return note(
                "fleet", .problem, "this host was removed from the fleet",
                remedy: "put the store aside, then keyvigil fleet join; or keep it: keyvigil migrate --from-fleet")
        }
        let differences = store.policy.differences(of: store.configuredPolicy)
        if !differences.isEmpty {
            let alert = Alert(configurationDiffersBy: differences)
            note("fleet", .advice, alert.message, remedy: alert.fields[.remedy])
        }
        if let obstacle = try store.obstacleToCatchingUp() { return note("fleet", obstacle) }
        guard let staleness = store.staleness, staleness < FleetHost.silence else {
            return note(
                "fleet", .problem,
                "the service has not brought its copy of the store up to date\(store.staleness.map { " for \($0.milliseconds / 1000) seconds" } ?? "")",
                remedy: "systemctl status keyvigil; journalctl -u keyvigil -n 20")
        }
        note(
            "fleet", .ok,
            "\(own.name), one of \(hosts.count) \(hosts.count == 1 ? "host" : "hosts"); a host that is cut off verifies for \(membership.maxStaleness) more"
        )
    }
}
