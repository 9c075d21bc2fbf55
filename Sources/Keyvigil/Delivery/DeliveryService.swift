internal import Dispatch
internal import Glibc
internal import KeyStore
internal import Keys
internal import Systemd

/// Carries alerts from the outbox to the journal, the most urgent first: each exactly once where the journal shows what it
/// takes, else at least once.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class DeliveryService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.delivery")
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let output: EntryOutput
    private let now: @Sendable () -> Instant
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let startedAt: Instant
    private var plan = DeliveryPlan()
    private var journal: JournalReadBack
    private var startEntry: (alert: Alert, entry: OutboxEntry)?
    private var isStartSent = false
    private var degradation = Degradation()
    private var retryTimer: MonotonicTimer?
    private var pause: Int = DeliveryService.shortestPause
    /// Whether the last round has got on.
    private var hasProgress = false
    private var isStopped = false
    private var isStoreFailing = false
    /// The last trouble, for the status; nil while all is well.
    private var trouble: String?

    private static let batchSize = 256
    private static let shortestPause: Int = 10
    private static let longestPause: Int = 5_000

    /// - Parameters:
    ///   - environment: of the process, for the journal namespace.
    ///   - failed: gets the error of a store that fails; delivery tries again by itself.
    ///   - recovered: is called when the store that failed serves again.
    init(
        store: Store, output: EntryOutput, environment: [String: String], now: @escaping @Sendable () -> Instant,
        failed: @escaping @Sendable (StoreError) -> Void = { _ in }, recovered: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.output = output
        self.now = now
        startedAt = now()
        journal = JournalReadBack(environment: environment)
        self.failed = failed
        self.recovered = recovered
    }

    /// Begins to deliver. The entry is the first of this run.
    func start(with entry: Alert) {
        queue.async {
            self.startEntry = (
                entry, OutboxEntry(row: Self.startRow, id: AlertID.random(), priority: entry.priority)
            )
            self.retryTimer = MonotonicTimer(queue: self.queue) { [weak self] in self?.step() }
            self.step()
        }
    }

    /// Asks for the outbox to be looked at.
    func kick() {
        queue.async {
            self.pause = Self.shortestPause
            self.step()
        }
    }

    /// Delivers what can be delivered within a time, and ends. Blocks.
    func finish(within seconds: Double) {
        let deadline = DispatchTime.now() + seconds
        while queue.sync(execute: { self.deliverOnce() == .soon }), DispatchTime.now() < deadline {
            // The journal needs a few milliseconds to show what it was sent; the daemon is ending, and waits for that
            // alone.
            usleep(10_000)
        }
        queue.sync { end() }
    }

    /// Ends at once, without looking at the outbox any more. Does not block.
    func halt() {
        queue.async { self.end() }
    }

    /// The last trouble with the journal, or nil. Blocks for a moment.
    var state: (trouble: String?, readsBack: Bool) {
        queue.sync { (trouble ?? degradation.cause?.reason, degradation.cause == nil) }
    }

    // MARK: - On the queue

    /// The row of the run's first entry, which is not in the store.
    private static let startRow: Int64 = 0

    /// When another round has something to do.
    private enum NextRound: Equatable {
        case never
        /// As soon as the journal may have got on.
        case soon
        /// After a time, in milliseconds.
        case later(Int64)
    }

    private func end() {
        isStopped = true
        retryTimer?.cancel()
        journal.close()
    }

    private func step() {
        guard !isStopped else { return }
        hasProgress = false
        let next = deliverOnce()
        if hasProgress { pause = Self.shortestPause }
        switch next {
        case .never:
            retryTimer?.disarm()
            pause = Self.shortestPause
        case .soon:
            retryTimer?.start(every: pause, first: pause)
            pause = min(pause * 2, Self.longestPause)
        case .later(let milliseconds):
            pause = Self.shortestPause
            let wait = max(Int(milliseconds), Self.shortestPause)
            retryTimer?.start(every: wait, first: wait)
        }
    }

    /// One round over the outbox.
    private func deliverOnce() -> NextRound {
        guard !isStopped else { return .never }
        do {
            let next = try deliver()
            if isStoreFailing {
                isStoreFailing = false
                trouble = nil
                recovered()
            }
            return next
        } catch let error as StoreError {
            trouble = error.message
            isStoreFailing = true
            failed(error)
            return .soon
        } catch {
            trouble = "\(error)"
            return .soon
        }
    }

    /// Reads in the journal. A journal that cannot be read holds up nothing that is to be sent.
    ///
    /// - Returns: whether it could be read.
    private func reading(_ body: () throws -> Void) throws -> Bool {
        do { try body() } catch let error as SystemdError {
            // The reader may have lost its files (rotation, vacuum): a new one finds them.
            journal.close()
            trouble = "\(error)"
            return false
        }
        return true
    }

    private func deliver() throws -> NextRound {
        switch output {
        case .terminal(let log):
            try deliver(to: log)
            return .never
        case .journal(let writer):
            let isBlocked = try !begin(writer)
            if degradation.isRefused { degradation.note(refusal: journal.refusal()) }
            return degradation.isRefused
                ? try deliverAtLeastOnce(writer, isBlocked: isBlocked)
                : try deliverOnceOnly(writer, isBlocked: isBlocked)
        }
    }

    private func deliver(to log: TerminalLog) throws {
        if let startEntry, !isStartSent { log.write(startEntry.alert, at: now()) }
        isStartSent = true
        while true {
            let batch = try store.undeliveredAlerts(limit: Self.batchSize)
            guard !batch.isEmpty else { return }
            try ledger.markAttempted(batch, at: now())
            for alert in batch {
                log.write(alert.alert, at: alert.createdAt)
                try ledger.markDelivered([alert.entry], at: now())
            }
        }
    }

    /// Begins the run: the first entry is sent, later again if the journal would not take it.
    ///
    /// - Returns: whether it is sent.
    private func begin(_ writer: JournalWriter) throws -> Bool {
        guard let startEntry, !isStartSent else { return true }
        let earlier = try store.attemptedAlerts()
        // An earlier run may have said already what is still so.
        let last = try store.latestAlert(of: .deliveryDegraded)
        guard writer.send(JournalEntry(startEntry.alert, id: startEntry.entry.id)) == .sent else {
            trouble = "the journal takes no entries: is systemd-journald running?"
            return false
        }
        isStartSent = true
        plan.noteSent(startEntry.entry)
        plan.begin(with: earlier)
        degradation.begin(isSaid: last.map { $0.alert.priority <= .warning } ?? false)
        degradation.note(refusal: journal.refusal())
        return true
    }

    private func deliverOnceOnly(_ writer: JournalWriter, isBlocked: Bool) throws -> NextRound {
        let isRead = try reading { try look(writer) }
        guard !degradation.isRefused else { return .soon }
        try wonder()
        var isBlocked = isBlocked
        var isMoreLeft = false
        if !isBlocked {
            let batch = try nextBatch()
            isMoreLeft = batch.count >= Self.batchSize
            try ledger.markAttempted(batch.filter { $0.attemptedAt == nil }, at: now())
            isBlocked = send(batch, writer)
        }
        if plan.needsMark, writer.mark() == .sent { plan.noteMarkSent() }
        if isRead, !isBlocked { trouble = nil }
        guard try !sayDegradation() else { return .soon }
        if !isRead || isBlocked || isMoreLeft || plan.isWaiting { return .soon }
        return plan.pause(at: monotonicMilliseconds).map { .later($0) } ?? .never
    }

    /// Learns what the journal shows by now, and what it never will.
    private func look(_ writer: JournalWriter) throws {
        try noteSeen(try journal.present(plan.awaited))
        if writer.isDrained, !plan.needsMark { plan.noteTaken() }
        // Looked for after the mark has passed: what is not there now was never stored.
        let decided = plan.decided
        guard !decided.isEmpty else { return }
        let seen = try journal.present(decided, isCertain: true)
        try noteSeen(seen)
        let missing = Set(decided).subtracting(seen)
        guard !missing.isEmpty else { return }
        // A file that may not be read can contain it all the same.
        degradation.note(refusal: journal.refusal())
        guard !degradation.isRefused else { return }
        let delivered = plan.noteMissing(Array(missing), at: monotonicMilliseconds)
        try ledger.markDelivered(delivered, at: now())
    }

    private func noteSeen(_ seen: [OutboxEntry]) throws {
        guard !seen.isEmpty else { return }
        hasProgress = true
        try ledger.markDelivered(seen, at: now())
        let dropped = plan.noteSeen(seen)
        guard !dropped.isEmpty else { return }
        // What is there must not be sent again.
        let late = try journal.present(dropped, isCertain: true)
        try ledger.markDelivered(late, at: now())
        _ = plan.noteSeen(late)
        degradation.noteDropped(dropped.count - late.count)
    }

    /// Finds out why alerts are missing.
    private func wonder() throws {
        guard plan.isWondering else { return }
        if journal.hasGrown() { plan.noteStored(at: monotonicMilliseconds) }
        try ledger.markDelivered(plan.hide(storesNothing: journal.storesNothing), at: now())
    }

    /// What is to be sent now, the most urgent first.
    private func nextBatch() throws -> [StoredAlert] {
        let again = plan.again(at: monotonicMilliseconds, limit: Self.batchSize)
        var new = try store.unsentAlerts(limit: min(Self.batchSize, plan.room), priorities: plan.open).filter {
            !plan.isHopeless($0.entry) && !again.contains($0.entry)
        }
        // What is older than this run may have been sent even if the store does not say so: it may have been restored from
        // a backup.
        var known: Set<OutboxEntry> = []
        _ = try reading { known = Set(try journal.present(new.filter { $0.createdAt < startedAt }.map(\.entry))) }
        if !known.isEmpty {
            try ledger.markDelivered(Array(known), at: now())
            new.removeAll { known.contains($0.entry) }
        }
        // Only what is sent is read whole.
        let batch = try store.undeliveredAlerts(of: again + new.map(\.entry))
        guard let startEntry, again.contains(startEntry.entry) else { return batch }
        return (batch + [stored(startEntry)]).sorted { ($0.alert.priority, $0.row) < ($1.alert.priority, $1.row) }
    }

    private func stored(_ start: (alert: Alert, entry: OutboxEntry)) -> StoredAlert {
        StoredAlert(
            row: start.entry.row, id: start.entry.id, alert: start.alert, createdAt: startedAt, attemptedAt: startedAt)
    }

    /// Without reading back, what the kernel has taken counts as delivered.
    private func deliverAtLeastOnce(_ writer: JournalWriter, isBlocked: Bool) throws -> NextRound {
        try ledger.markDelivered(plan.surrender(), at: now())
        if try sayDegradation() { return .soon }
        guard !isBlocked else { return .soon }
        let batch = try nextBatch()
        try ledger.markAttempted(batch.filter { $0.attemptedAt == nil }, at: now())
        let isBlocked = send(batch, writer)
        try ledger.markDelivered(plan.surrender(), at: now())
        if !isBlocked { trouble = nil }
        return isBlocked || batch.count >= Self.batchSize ? .soon : .never
    }

    /// - Returns: whether the journal takes nothing more for now.
    private func send(_ alerts: [StoredAlert], _ writer: JournalWriter) -> Bool {
        for (index, alert) in alerts.enumerated() {
            switch writer.send(JournalEntry(alert.alert, id: alert.id)) {
            case .sent:
                hasProgress = true
                plan.noteSent(alert.entry)
            case .refused(let errno):
                plan.noteHopeless(alert.entry)
                trouble = "the journal refuses the alert \(alert.id) (errno \(errno)); it stays in the store"
            case .wouldBlock:
                trouble = "the journal takes no entries: journald is stopped or slow"
                plan.noteUnsent(alerts[index...].map(\.entry))
                return true
            case .unavailable(let errno):
                trouble = "the journal's socket is not there (errno \(errno)): is systemd-journald running?"
                plan.noteUnsent(alerts[index...].map(\.entry))
                return true
            }
        }
        return false
    }

    /// Puts into the outbox what is to be said about delivery itself, by which the status knows it too.
    ///
    /// - Returns: whether there was something to say.
    private func sayDegradation() throws -> Bool {
        if !degradation.isRefused { degradation.note(unshown: plan.unshown, storesNothing: journal.storesNothing) }
        guard let alert = degradation.news(isOver: plan.isWhole && !plan.isWaiting && plan.isLeastUrgentShown) else {
            return false
        }
        try ledger.enqueue(alert, at: now())
        degradation.noteSaid(alert)
        return true
    }

    private var monotonicMilliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}
