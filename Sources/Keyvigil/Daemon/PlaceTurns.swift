internal import Keys

/// What the places have cost, and so which lane scans one and when: a place that takes long, or changes without end, takes the
/// time of no other. Pure: times are parameters, monotonic and in milliseconds.
struct PlaceTurns {
    private struct Cost {
        /// What the last scan took.
        var last: Int64 = 0
        var endedAt: Int64 = 0
        /// The turns in a row that were over before the place was searched whole.
        var unfinished = 0
        /// Whether listing it alone takes longer than a turn of the quick lane.
        var isListedSlowly = false
    }

    /// What asks for the scan of a place.
    enum Cause {
        /// New history, or anything that is to be looked at soon.
        case push
        /// A file that was written: logs and databases change all the time.
        case content
    }

    private var costs: [ExactText: Cost] = [:]
    /// Places that are to be scanned when their pause is over, each with that time.
    private var waiting: [ExactText: Int64] = [:]

    /// How much longer than its last scan a place waits for the next one: with 4, one that changes without end gets a fifth of
    /// the time.
    private let pauseFactor: Int64
    static let standardPauseFactor: Int64 = 4
    private static let longestPause: Int64 = 60_000
    /// A place whose files change without end gets a twentieth of the time, and is scanned no more often than after this pause.
    private static let contentPauseFactor: Int64 = 20
    private static let shortestContentPause: Int64 = 5_000
    /// Turns are not doubled more often than this.
    private static let mostDoublings = 20

    init(pauseFactor: Int64 = PlaceTurns.standardPauseFactor) { self.pauseFactor = pauseFactor }

    /// Decides which lane scans what was requested; places that have to pause are kept until ``due(at:)``.
    mutating func assign(
        _ request: ScanRequest, after cause: Cause = .push, at time: Int64
    ) -> [ScanLane.Kind: ScanRequest] {
        guard !request.isAll else { return [.thorough: .all] }
        var parts: [ScanLane.Kind: Set<ExactText>] = [:]
        for place in request.places {
            let cost = costs[place]
            if let cost, cost.unfinished > 0 {
                // It goes on.
                parts[.thorough, default: []].insert(place)
            } else if let cost, case let end = self.end(ofPauseAfter: cost, cause), end > time {
                waiting[place] = min(waiting[place] ?? .max, end)
            } else {
                parts[cost?.isListedSlowly ?? false ? .thorough : .quick, default: []].insert(place)
            }
        }
        return parts.mapValues { .some($0) }
    }

    private func end(ofPauseAfter cost: Cost, _ cause: Cause) -> Int64 {
        switch cause {
        case .push: cost.endedAt + min(cost.last * pauseFactor, Self.longestPause)
        case .content: cost.endedAt + max(cost.last * Self.contentPauseFactor, Self.shortestContentPause)
        }
    }

    /// How long to wait for the next place whose pause is over; nil where none waits.
    func wait(at time: Int64) -> Int64? { waiting.values.min().map { max(1, $0 - time) } }

    /// The places whose pause is over, which wait no longer.
    mutating func due(at time: Int64) -> Set<ExactText> {
        let due = waiting.filter { $0.value <= time }.keys
        for place in due { waiting[place] = nil }
        return Set(due)
    }

    /// The length of the next turn of a place: each time that it was too short, twice as long, so that each place is searched
    /// whole at last, however little of it is remembered.
    func turn(of place: String, _ first: Int64) -> Int64 {
        first << min(costs[place]?.unfinished ?? 0, Self.mostDoublings)
    }

    /// In the order in which they are scanned: what takes long last, and before it what was never scanned.
    func ordered(_ targets: [ScanTarget]) -> [ScanTarget] {
        let keyed = targets.enumerated().map { (number, target) in
            let cost = costs[ExactText(target.path)]
            return (target, (cost?.unfinished ?? 0, cost?.last ?? .max, number))
        }
        return keyed.sorted { $0.1 < $1.1 }.map(\.0)
    }

    mutating func noteListed(_ place: String, isSlow: Bool) {
        costs[ExactText(place), default: Cost()].isListedSlowly = isSlow
    }

    /// - Parameters:
    ///   - took: listing and searching it.
    ///   - isWhole: whether the turn was long enough.
    mutating func noteScanned(_ place: String, took: Int64, at time: Int64, isWhole: Bool) {
        var cost = costs[place] ?? Cost()
        cost.last = took
        cost.endedAt = time
        cost.unfinished = isWhole ? 0 : cost.unfinished + 1
        costs[place] = cost
    }

    /// Forgets places that are no longer there.
    mutating func keep(_ places: Set<ExactText>) {
        costs = costs.filter { places.contains($0.key) }
        waiting = waiting.filter { places.contains($0.key) }
    }
}
