internal import Fleet
internal import KeyStore
internal import Keys

/// A request to all hosts of a fleet to search their places, and how far each is.
struct FleetScanRequest {
    private let authority: FleetAuthority
    private let store: Store
    private let number: Int64
    /// The members when it was made, by their names.
    let hosts: [FleetHost]
    private let now: Instant

    /// Makes a request.
    ///
    /// - Returns: nil for a store without a fleet.
    init?(in store: Store) throws {
        guard store.membership != nil, let authority = store.authority as? FleetAuthority else { return nil }
        self.authority = authority
        self.store = store
        number = try authority.askForScans()
        (hosts, now) = try authority.hosts()
    }

    /// How far a host was when the request was made.
    func answer(of host: FleetHost) -> FleetScanOutcome.Answer { answer(of: host, at: now) }

    /// - Parameter now: by the clock of the database.
    private func answer(of host: FleetHost, at now: Instant) -> FleetScanOutcome.Answer {
        if let ended = host.scan.ended, ended.request >= number { return ended.places == 0 ? .nothing : .ended }
        if host.scan.sources == 0 { return .nothing }
        if host.seenAt == nil || host.isSilent(at: now) { return .away }
        guard host.scan.sources != nil else { return .unable }
        return host.scan.heard.map { $0 >= number } == true ? .searching : .asked
    }

    // MARK: - Waiting

    /// Waits until all hosts that are seen and have places have searched them.
    ///
    /// - Parameters:
    ///   - patience: how long at most.
    ///   - report: is called with each host as soon as its scan has ended, and at the end with those whose scan has not.
    func wait(for patience: Period, report: (FleetScanOutcome) -> Void) throws -> [FleetScanOutcome] {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(patience.milliseconds)
        var outcomes: [FleetScanOutcome] = []
        var pause = GrowingPause(first: 50, longest: 1_000)
        while true {
            let (hosts, now) = try authority.hosts()
            let known = Set(outcomes.map(\.host.number))
            let others = hosts.filter { !known.contains($0.number) }
                .map { FleetScanOutcome(host: $0, answer: answer(of: $0, at: now), result: nil) }
            let isOver = clock.now >= end || !others.contains { [.asked, .searching].contains($0.answer) }
            if others.contains(where: { $0.answer == .ended }) { try store.catchUp() }
            for outcome in others where isOver || outcome.isOver {
                let outcome = try withResult(outcome)
                outcomes.append(outcome)
                report(outcome)
            }
            if isOver { return outcomes }
            pause.wait()
        }
    }

    private func withResult(_ outcome: FleetScanOutcome) throws -> FleetScanOutcome {
        guard outcome.answer == .ended, let end = outcome.host.scan.ended else { return outcome }
        return FleetScanOutcome(
            host: outcome.host, answer: .ended,
            result: try store.scanResult(ofHost: outcome.host.name, since: end.beganAt))
    }

    // MARK: - Words

    /// `asked 5 hosts to search their places; web3, not seen since 11:02:10 CET, does so when it is back, if that is within a day`
    var sentence: String {
        let answers = hosts.map { FleetScanOutcome(host: $0, answer: answer(of: $0), result: nil) }
        let asked = answers.count { ![.nothing, .unable].contains($0.answer) }
        let others = answers.filter { [.away, .nothing, .unable].contains($0.answer) }
        let shown = others.prefix(Self.longestList).map(\.words)
        let more = others.count > shown.count ? ["\(others.count - shown.count) more hosts: keyvigil fleet hosts"] : []
        let first = asked == 1 ? "asked 1 host to search its places" : "asked \(asked) hosts to search their places"
        return ([first] + shown + more).joined(separator: "; ")
    }

    private static let longestList = 20

    /// `searched whole on 4 of 5 hosts`, of those that have places.
    static func summary(_ outcomes: [FleetScanOutcome]) -> String {
        let meant = outcomes.filter { $0.answer != .nothing }
        let whole = meant.count(where: \.isWhole)
        return whole == meant.count
            ? "searched whole on all \(whole) host\(whole == 1 ? "" : "s") that have places"
            : "searched whole on \(whole) of \(meant.count) host\(meant.count == 1 ? "" : "s")"
    }
}
