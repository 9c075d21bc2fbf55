internal import Fleet
internal import KeyStore
internal import Keys

/// From when on the hosts of a fleet refuse what was revoked here.
struct SpreadReport {
    private let authority: FleetAuthority
    /// The last change that this host has made.
    private let entry: (host: Int64, sequence: Int64)

    /// - Returns: nil for a store without a fleet.
    init?(of store: Store) throws {
        guard store.membership != nil, let authority = store.authority as? FleetAuthority else { return nil }
        self.authority = authority
        entry = try store.lastOwnEntry()
    }

    /// What is known without waiting: by when a host refuses it that hears nothing; nil for a fleet of one host.
    func bound() throws -> String? {
        let spread = try authority.spread(of: entry)
        guard spread.members > 1 else { return nil }
        guard let end = spread.end else { return "all other hosts refuse it" }
        return
            "hosts that hear of it refuse it within moments; one that is cut off refuses everything from \(DateText.moment(end))"
    }

    /// Waits until all hosts refuse it.
    ///
    /// - Parameter patience: how long at most.
    func wait(for patience: Period) throws -> FleetSpread {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(patience.milliseconds)
        var asked: ContinuousClock.Instant?
        var pause = GrowingPause(first: 10, longest: 250)
        while true {
            if asked.map({ clock.now - $0 > Self.patience }) ?? true {
                try authority.askForPositions()
                asked = clock.now
            }
            let spread = try authority.spread(of: entry)
            if spread.isComplete || clock.now >= end { return spread }
            pause.wait()
        }
    }

    /// After that a host that has not answered is asked again: it may just have come back.
    private static let patience = Duration.seconds(1)

    // MARK: - Words

    /// `refused on 4 of 5 hosts; web3 not heard since 11:02:10 CET, refuses everything from 11:17:10 CET`
    static func words(for spread: FleetSpread) -> String {
        guard !spread.open.isEmpty else {
            return spread.members == 1 ? "refused on the only host" : "refused on all \(spread.members) hosts"
        }
        let shown = spread.open.prefix(Self.longestList).map { words(for: $0, at: spread.now) }
        let more = spread.open.count > shown.count ? ["\(spread.open.count - shown.count) more hosts"] : []
        return (["refused on \(spread.applied) of \(spread.members) hosts"] + shown + more).joined(separator: "; ")
    }

    private static let longestList = 20

    private static func words(for host: FleetHost, at now: Instant) -> String {
        guard let seen = host.seenAt else { return "\(host.name) was never heard, and refuses everything" }
        let end =
            host.isStale(at: now)
            ? "refuses everything" : "refuses everything from \(host.freshUntil.map(DateText.moment) ?? "now")"
        return "\(host.name) not heard since \(DateText.moment(seen)), \(end)"
    }

    static func line(_ spread: FleetSpread) -> JSONLine {
        var line = JSONLine()
        line.add("hosts", spread.members)
        line.add("refused_on", spread.applied)
        line.add("complete", spread.isComplete)
        line.add(
            "open",
            objects: spread.open.map { host in
                JSONLine { line in
                    line.add("host", host.name)
                    line.add("seen_at", host.seenAt)
                    line.add("refuses_from", host.freshUntil)
                }
            })
        return line
    }
}
