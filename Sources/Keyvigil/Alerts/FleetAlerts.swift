internal import Fleet
internal import KeyStore
internal import Keys

/// The alerts that the hosts of a fleet report, beside those of this host: as the fleet's database lists them.
struct FleetAlerts {
    struct Entry {
        let alert: Alert
        let id: String
        /// The host in whose journal it is or will be; nil: no host has taken it yet.
        let host: String?
        let createdAt: Instant
        /// When the journal of the host had it; nil: not yet, as far as the fleet knows.
        let deliveredAt: Instant?
    }

    /// Those that were not taken yet, the oldest first.
    private var entries: ArraySlice<Entry>
    /// The most alerts of other hosts that are listed.
    static var most: Int { FleetAuthority.longestList }
    /// Whether there are older ones that are not listed.
    let isCut: Bool

    /// - Parameters:
    ///   - host: only those that this host reports; nil: all other hosts.
    ///   - isWanted: which of them are listed.
    /// - Returns: nil for a store without a fleet.
    init?(of store: Store, since start: Instant?, on host: String?, where isWanted: (Alert) -> Bool) throws {
        guard store.membership != nil, let authority = store.authority as? FleetAuthority else { return nil }
        let listed = try authority.alerts(since: start, besidesThoseOf: store.host.number)
        isCut = listed.count == FleetAuthority.longestList
        entries = try listed.filter { host == nil || $0.host == host }.compactMap { listed in
            guard let alert = try store.alert(listed.alert), isWanted(alert) else { return nil }
            return Entry(
                alert: alert, id: listed.alert.id, host: listed.host, createdAt: listed.alert.createdAt,
                deliveredAt: listed.deliveredAt)
        }[...]
    }

    /// Takes the next one that is not later than an instant; nil: any.
    mutating func next(until end: Instant?) -> Entry? {
        guard let first = entries.first, end.map({ first.createdAt <= $0 }) ?? true else { return nil }
        return entries.popFirst()
    }
}
