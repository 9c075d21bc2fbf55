internal import KeyStore
internal import Keys

/// What is known, within one run of the daemon, of alerts that were sent but not yet seen in the journal. Pure: it
/// decides, the service acts.
///
/// journald takes its datagrams in order, one after the other. So once it has taken one that was sent later (a *mark*,
/// ``JournalWriter/mark()``), what was sent before it and is not in the journal was never stored. It is *missing*:
/// dropped (a limit of the rate, a full disk, a killed journald) or hidden (by a setting). Which of the two, the
/// ``JournalLevel`` of its priority finds out: by one missing alert that is sent again, so that the others wait for the answer.
///
/// Alerts that wait never hold up others: what is under way is kept here, and the store is asked only for what was never
/// sent, the most urgent first.
struct DeliveryPlan {
    private struct Flight {
        let entry: OutboxEntry
        /// The number of the mark that follows it.
        let mark: Int
        /// Sent by an earlier run, or perhaps not at all.
        let isOfEarlierRun: Bool
    }

    /// Sent, and neither seen nor missing yet.
    private var flights: [Int64: Flight] = [:]
    /// Certainly not in the journal, and to be sent.
    private var unsent: [Int64: OutboxEntry] = [:]
    /// Can never be sent as they are.
    private var hopeless = Set<Int64>()
    private var levels: [AlertPriority: JournalLevel] = [:]
    private var nextMark = 1
    private var passedMark = 0
    private var isMarkDue = true
    /// Whether the journal has shown an entry of the least urgent priority in this run: then no setting hides any.
    private(set) var isLeastUrgentShown = false

    /// More alerts than these are not under way at once; what is missing does not count.
    static let window = 1024
    /// Of one priority more missing alerts than these are not kept; the others wait in the store.
    static let mostMissing = 10_000

    // MARK: - What was sent

    /// Takes over what an earlier run has sent: it may be in the journal.
    mutating func begin(with earlier: [OutboxEntry]) {
        for entry in earlier { flights[entry.row] = Flight(entry: entry, mark: nextMark, isOfEarlierRun: true) }
    }

    mutating func noteSent(_ entry: OutboxEntry) {
        unsent[entry.row] = nil
        flights[entry.row] = Flight(entry: entry, mark: nextMark, isOfEarlierRun: false)
        isMarkDue = true
    }

    /// The kernel has refused these for now: they certainly are not in the journal.
    mutating func noteUnsent(_ entries: some Sequence<OutboxEntry>) {
        for entry in entries { unsent[entry.row] = entry }
    }

    mutating func noteHopeless(_ entry: OutboxEntry) {
        unsent[entry.row] = nil
        hopeless.insert(entry.row)
    }

    /// Whether something was sent since the last mark.
    var needsMark: Bool { isMarkDue }

    mutating func noteMarkSent() {
        nextMark += 1
        isMarkDue = false
    }

    /// journald has taken all that was sent, the marks too.
    mutating func noteTaken() { passedMark = nextMark - 1 }

    /// The journal cannot be read: what this run has sent counts as delivered, what an earlier one has is to be sent again.
    ///
    /// - Returns: what counts as delivered.
    mutating func surrender() -> [OutboxEntry] {
        noteUnsent(flights.values.filter(\.isOfEarlierRun).map(\.entry))
        let delivered =
            flights.values.filter { !$0.isOfEarlierRun }.map(\.entry) + levels.values.flatMap(\.missing.values)
        flights = [:]
        levels = [:]
        for entry in delivered { unsent[entry.row] = nil }
        return delivered
    }

    // MARK: - What the journal shows

    /// Those that may appear in the journal.
    var awaited: [OutboxEntry] { flights.values.map(\.entry) }

    /// Those that are in the journal by now, or never will. They must be looked for once more, with a new reader, before
    /// ``noteMissing(_:at:)``.
    var decided: [OutboxEntry] { flights.values.filter { $0.mark <= passedMark }.map(\.entry) }

    /// These are in the journal.
    ///
    /// - Returns: the others of their priorities that turn out to have been dropped; they are to be sent again. They must
    ///   be looked for once more, with a new reader, before that.
    mutating func noteSeen(_ entries: some Sequence<OutboxEntry>) -> [OutboxEntry] {
        var dropped: [OutboxEntry] = []
        for entry in entries {
            let isOfThisRun = flights.removeValue(forKey: entry.row).map { !$0.isOfEarlierRun } ?? false
            unsent[entry.row] = nil
            // What an earlier run wrote says nothing of the settings that are in force.
            guard isOfThisRun else { continue }
            if entry.priority == .leastUrgent { isLeastUrgentShown = true }
            // No setting hides what is more urgent than an entry that it shows.
            levels = levels.filter { !($0.key < entry.priority && $0.value.isHidden) }
            guard var level = levels.removeValue(forKey: entry.priority) else { continue }
            level.missing[entry.row] = nil
            dropped += level.missing.values
            noteUnsent(level.missing.values)
        }
        return dropped
    }

    /// These are not in the journal, and never will be.
    ///
    /// - Parameter time: monotonic, in milliseconds.
    /// - Returns: those that count as delivered: the journal hides what has their priority.
    mutating func noteMissing(_ entries: [OutboxEntry], at time: Int64) -> [OutboxEntry] {
        var delivered: [OutboxEntry] = []
        for entry in entries {
            guard let flight = flights.removeValue(forKey: entry.row) else { continue }
            guard !flight.isOfEarlierRun else {
                unsent[entry.row] = entry
                continue
            }
            if levels[entry.priority, default: JournalLevel(at: time)].noteMissing(entry, at: time) {
                delivered.append(entry)
            }
        }
        return delivered
    }

    // MARK: - Priorities that the journal does not show

    /// The journal has stored something, of whomever, since the last call.
    mutating func noteStored(at time: Int64) {
        for priority in levels.keys { levels[priority]?.noteStored(at: time) }
    }

    /// Gives up to wait for what the journal does not show, where that is known by now.
    ///
    /// - Parameter storesNothing: the journal is known to keep nothing at all.
    /// - Returns: what counts as delivered from now on.
    mutating func hide(storesNothing: Bool) -> [OutboxEntry] {
        levels.keys.flatMap { levels[$0]?.hide(storesNothing: storesNothing) ?? [] }
    }

    /// Whether it is to be found out why alerts are missing.
    var isWondering: Bool { levels.values.contains { !$0.isHidden } }

    /// The priorities of which it is to be said that the journal does not show them, the most urgent first.
    var unshown: [AlertPriority] { levels.filter { $0.value.isWorthTelling }.keys.sorted() }

    /// Whether every alert that was sent is in the journal, or soon will be.
    var isWhole: Bool { levels.isEmpty }

    // MARK: - What to send

    /// What is to be sent before anything that the store has: the most urgent first.
    mutating func again(at time: Int64, limit: Int) -> [OutboxEntry] {
        for priority in levels.keys {
            if let entry = levels[priority]?.trial(at: time) { unsent[entry.row] = entry }
        }
        return Array(unsent.values.sorted { ($0.priority, $0.row) < ($1.priority, $1.row) }.prefix(limit))
    }

    /// How many alerts may be sent in addition to those under way. There is always room for a few that are urgent.
    var room: Int { max(16, Self.window - flights.count) }

    /// The priorities of which new alerts may be sent.
    var open: Set<AlertPriority> {
        Set(AlertPriority.allCases.filter { levels[$0].map { $0.missing.count < Self.mostMissing } ?? true })
    }

    func isHopeless(_ entry: OutboxEntry) -> Bool { hopeless.contains(entry.row) }

    /// Whether something is under way that the next look may settle.
    var isWaiting: Bool { !flights.isEmpty || !unsent.isEmpty }

    /// How long to wait until something is to be done about missing alerts, in milliseconds; nil: nothing is.
    func pause(at time: Int64) -> Int64? { levels.values.compactMap { $0.pause(at: time) }.min() }
}
