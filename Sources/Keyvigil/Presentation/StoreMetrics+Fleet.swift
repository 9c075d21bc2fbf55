internal import Fleet
internal import KeyStore
internal import Keys

/// What monitoring wants to know of a fleet.
extension StoreMetrics {
    /// How long the database may take: a scrape goes on without it.
    private static let patience = Duration.seconds(2)

    /// Adds the metrics of a member; nothing for a store without a fleet.
    mutating func addFleet(_ store: Store) {
        guard let membership = store.membership, let authority = store.authority as? FleetAuthority else { return }
        if let age = store.staleness {
            metrics.add(
                "keyvigil_fleet_copy_age_seconds", .gauge,
                help: "How long ago this host's copy was last known to be up to date.", Self.seconds(age))
        }
        metrics.add(
            "keyvigil_fleet_copy_limit_seconds", .gauge,
            help: "The age of its copy from which this host verifies nothing (max_staleness).",
            Self.seconds(membership.maxStaleness))
        let answer = try? authority.hurried(within: Self.patience, server: membership.server).hosts()
        metrics.add(
            "keyvigil_fleet_database_up", .gauge,
            help: "Whether the fleet's database answers; the following metrics are there only then.",
            answer == nil ? 0 : 1)
        guard let answer else { return }
        metrics.add("keyvigil_fleet_hosts", .gauge, help: "Hosts of the fleet.", Double(answer.hosts.count))
        add(
            "keyvigil_fleet_host_seen_age_seconds", "How long ago a host last committed a sign of life.", answer.hosts
        ) { $0.seenAt.map { Self.seconds(Period(milliseconds: max(0, answer.now.milliseconds(since: $0)))) } }
        add(
            "keyvigil_fleet_host_lag", "Changes that a host has not applied yet, as of its last sign of life.",
            answer.hosts
        ) { Double($0.lag) }
        add(
            "keyvigil_fleet_host_alerts_undelivered", "Alerts that wait for the journal of a host.", answer.hosts
        ) { Double($0.undelivered) }
        add(
            "keyvigil_fleet_host_verifies", "Whether the copy of a host is fresh enough to verify by.", answer.hosts
        ) { $0.isStale(at: answer.now) ? 0 : 1 }
        add(
            "keyvigil_fleet_host_scanned_timestamp_seconds", "When the last scan of a host began.", answer.hosts
        ) { $0.lastScanAt.map(Self.seconds) }
    }

    /// Adds a metric with a sample of each host that has a value.
    private mutating func add(
        _ name: String, _ help: String, _ hosts: [FleetHost], value: (FleetHost) -> Double?
    ) {
        metrics.begin(name, .gauge, help)
        for host in hosts {
            if let value = value(host) { metrics.add(name, ["host": host.name], value) }
        }
    }
}
