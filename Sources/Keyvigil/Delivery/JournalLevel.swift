internal import KeyStore
internal import Keys

/// A priority of which the journal has not shown an alert that it took. Finds out whether alerts are dropped for now, or
/// hidden by a setting (`MaxLevelStore=`, `LogLevelMax=`, `Storage=none`): one of the missing ones is sent again, a few times,
/// further and further apart. If it appears, the others were dropped, and are sent again too. If it does not, while the
/// journal stores other entries, this priority is hidden.
struct JournalLevel {
    /// What is missing, by row.
    var missing: [Int64: OutboxEntry] = [:]
    /// The journal is known not to show this priority: what it takes counts as delivered.
    private(set) var isHidden = false
    /// How often one was sent again without appearing.
    private var trials = 0
    /// The one that is under way.
    private var trialRow: Int64?
    private var due: Int64
    /// Whether the journal has stored anything since the trials began.
    private var isJournalAlive = false

    /// The pauses after each trial, in milliseconds. Together they are longer than the interval in which journald limits the
    /// rate by default.
    static let pauses: [Int64] = [1_000, 3_000, 9_000, 20_000]
    /// How often it is looked whether the journal stores anything, once all trials are over, in milliseconds.
    static let rest: Int64 = 30_000

    init(at time: Int64) { due = time }

    /// - Returns: whether it counts as delivered.
    mutating func noteMissing(_ entry: OutboxEntry, at time: Int64) -> Bool {
        guard !isHidden else { return true }
        missing[entry.row] = entry
        guard entry.row == trialRow else { return false }
        if trials < Self.pauses.count { due = time + Self.pauses[trials] }
        trials += 1
        trialRow = nil
        return false
    }

    /// The one to be sent again now, if any.
    mutating func trial(at time: Int64) -> OutboxEntry? {
        guard !isHidden, trialRow == nil, !isExhausted, due <= time,
            let entry = missing.values.min(by: { $0.row < $1.row })
        else { return nil }
        trialRow = entry.row
        return entry
    }

    /// The journal has stored something of whomever: trials that were over begin again.
    mutating func noteStored(at time: Int64) {
        if isExhausted, !isJournalAlive {
            trials = 0
            due = time
        } else {
            isJournalAlive = true
        }
    }

    /// - Returns: what counts as delivered from now on.
    mutating func hide(storesNothing: Bool) -> [OutboxEntry] {
        guard !isHidden, isExhausted, isJournalAlive || storesNothing else { return [] }
        isHidden = true
        defer { missing = [:] }
        return Array(missing.values)
    }

    private var isExhausted: Bool { trials > Self.pauses.count }

    /// A single alert that was dropped and is stored at the next trial is no news.
    var isWorthTelling: Bool { trials >= 2 }

    /// How long to wait until something is to be done, in milliseconds; nil: only what is under way can tell.
    func pause(at time: Int64) -> Int64? {
        if isHidden || trialRow != nil { return nil }
        return isExhausted ? Self.rest : max(0, due - time)
    }
}
