internal import Dispatch
internal import KeyStore
internal import Keys
internal import Synchronization
internal import Systemd

/// Keeps the store from growing without end: every hour old alerts are forgotten, and what was searched and is gone, and free
/// pages are given back to the file system; and every day the records of all keys are compared with their seals, and the end of
/// the audit is written to the journal. In many short turns, so that no one waits for it.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class StoreUpkeep: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.upkeep")
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let now: @Sendable () -> Instant
    private let monotonic: @Sendable () -> Int64
    private var retention: AlertRetention
    private let earliestScan: @Sendable () -> Instant?
    private var steady = SteadyClock()
    private var timer: MonotonicTimer?
    /// What the last pruning of units went by.
    private var prunedBefore: Instant?
    private var isStopped = false
    private let alerted: @Sendable () -> Void
    private let checkpoint: @Sendable (AuditEnd) -> Void
    /// Hours since the start.
    private var looks = 0

    /// In milliseconds.
    private static let interval = 3_600_000
    /// Alerts of one turn.
    private static let pruned = 500
    /// Keys of one turn, whose seals are compared.
    private static let compared = 2_000
    /// Hours. All seals are compared at the start, too; what the daemon writes then has the end of the audit already.
    private static let looksOfDay = 24

    /// - Parameters:
    ///   - earliestScan: the earliest of the beginnings of the last scans of all places; nil while one is waited for.
    ///   - alerted: is called when there are new alerts.
    ///   - checkpoint: writes the end of the audit to the journal.
    ///   - monotonic: the running time, in milliseconds.
    init(
        store: Store, retention: AlertRetention, now: @escaping @Sendable () -> Instant,
        earliestScan: @escaping @Sendable () -> Instant? = { nil },
        alerted: @escaping @Sendable () -> Void = {}, checkpoint: @escaping @Sendable (AuditEnd) -> Void = { _ in },
        monotonic: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
    ) {
        self.store = store
        self.retention = retention
        self.now = now
        self.earliestScan = earliestScan
        self.alerted = alerted
        self.checkpoint = checkpoint
        self.monotonic = monotonic
    }

    func start() {
        queue.async {
            guard !self.isStopped else { return }
            self.timer = MonotonicTimer(queue: self.queue) { [weak self] in self?.look() }
            self.timer?.start(every: Self.interval)
            self.look()
        }
    }

    /// Takes over a new configuration; it counts from the next hour on.
    func adopt(_ retention: AlertRetention) {
        queue.async { self.retention = retention }
    }

    /// Ends. Does not block.
    func halt() {
        queue.async {
            self.isStopped = true
            self.timer?.cancel()
        }
    }

    // MARK: - On the queue

    /// By a clock that was wrong for a moment nothing may be forgotten.
    func look() {
        let instant = now()
        if steady.isSteady(instant, at: monotonic()) { prune(at: instant) }
        // Of a store that was a member's: a member's are recorded with its signs of life.
        if store.membership == nil, let alerts = try? store.recordWaitingUses(), alerts > 0 { alerted() }
        if (try? reportMissingPepper(at: instant)) == true { alerted() }
        if looks.isMultiple(of: Self.looksOfDay) {
            compareSeals(at: instant, after: 0)
            if looks > 0, let end = store.auditEnd() { checkpoint(end) }
        }
        looks += 1
    }

    /// - Returns: whether there is a new alert: one a week for the same pepper.
    private func reportMissingPepper(at instant: Instant) throws -> Bool {
        guard let missing = try store.missingPepper() else { return false }
        let alert = Alert(missingPepper: missing.message, remedy: missing.hint ?? "")
        if let last = try store.latestAlert(of: alert.kind), last.alert.fields[.reason] == alert.fields[.reason],
            instant < last.createdAt.advanced(by: Self.week)
        {
            return false
        }
        try ledger.enqueue(alert, at: instant)
        return true
    }

    private static let week = Period.days(7)

    /// Looks for records that something other than Keyvigil has changed, some keys in a turn.
    private func compareSeals(at instant: Instant, after key: Int64) {
        guard !isStopped,
            let check = try? ledger.checkSeals(after: key, limit: Self.compared, at: instant)
        else { return }
        if check.alerts > 0 { alerted() }
        guard let last = check.last else { return }
        queue.async { self.compareSeals(at: instant, after: last) }
    }

    private func prune(at instant: Instant) {
        let (store, ledger, retention) = (self.store, self.ledger, self.retention)
        turn {
            try ledger.pruneAlerts(retention, at: instant, limit: Self.pruned) > 0
        } then: {
            self.pruneUnits(at: instant) {
                self.turn {
                    try store.returnFreePages()
                } then: {
                }
            }
        }
    }

    /// Forgets what was searched and is gone. Nothing is, as long as no new scan of everything has ended.
    private func pruneUnits(at instant: Instant, then next: @escaping @Sendable () -> Void) {
        guard let scansBegan = earliestScan(), scansBegan != prunedBefore else { return next() }
        let ledger = self.ledger
        let last = Mutex<SearchedUnit?>(nil)
        turn {
            let end = try ledger.pruneUnits(seenBefore: scansBegan, after: last.withLock { $0 }, at: instant)
            last.withLock { $0 = end }
            return end != nil
        } then: {
            self.prunedBefore = scansBegan
            next()
        }
    }

    /// Does work again and again as long as there is more of it, other work of the process in between.
    private func turn(_ work: @escaping @Sendable () throws -> Bool, then next: @escaping @Sendable () -> Void) {
        guard !isStopped else { return }
        // A store that fails shows in the services; here it is tried again in an hour.
        guard let isMoreLeft = try? work() else { return }
        guard isMoreLeft else { return next() }
        queue.async { self.turn(work, then: next) }
    }
}

/// Tells whether the wall clock has gone on as the running time has. Pure.
struct SteadyClock {
    private var last: (instant: Instant, time: Int64)?

    /// How far the two may be apart since the last look, in milliseconds.
    private static let tolerance: Int64 = 60_000

    /// The first look only remembers.
    ///
    /// - Parameter time: monotonic, in milliseconds.
    mutating func isSteady(_ instant: Instant, at time: Int64) -> Bool {
        defer { last = (instant, time) }
        guard let last else { return false }
        return abs((instant.milliseconds - last.instant.milliseconds) - (time - last.time)) <= Self.tolerance
    }
}
