package import Keys

/// How far a change has come: which hosts have applied it, and of the others from when on they verify nothing.
package struct FleetSpread: Sendable {
    /// The number of members.
    package let members: Int
    /// The number of those that have applied the change.
    package let applied: Int
    /// The others, by their names.
    package let open: [FleetHost]
    /// By the clock of the database.
    package let now: Instant

    /// - Parameters:
    ///   - entry: the number of the change in the feed of the host that has made it.
    ///   - now: by the clock of the database.
    package init(of entry: (host: Int64, sequence: Int64), over hosts: [FleetHost], at now: Instant) {
        members = hosts.count
        open = hosts.filter { $0.number != entry.host && $0.positions[entry.host] ?? 0 < entry.sequence }
        applied = hosts.count - open.count
        self.now = now
    }

    /// Whether no host goes by what was before.
    package var isComplete: Bool { open.allSatisfy { $0.isStale(at: now) } }

    /// From when on no host goes by what was before, even one that hears nothing; nil where none does now.
    package var end: Instant? { open.compactMap(\.freshUntil).filter { $0 > now }.max() }
}

extension FleetAuthority {
    /// How far a change has come.
    ///
    /// - Parameter entry: the number of the change in the feed of the host that has made it.
    package func spread(of entry: (host: Int64, sequence: Int64)) throws -> FleetSpread {
        let (hosts, now) = try hosts()
        return FleetSpread(of: entry, over: hosts, at: now)
    }
}
