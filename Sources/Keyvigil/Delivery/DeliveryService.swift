internal import Dispatch
internal import Foundation
internal import KeyStore
internal import Keys
internal import Systemd

/// Carries alerts from the outbox to the journal, each exactly once where the journal can be read back, else at least
/// once.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class DeliveryService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.delivery")
    private let store: Store
    private let output: EntryOutput
    private let now: @Sendable () -> Instant
    private var plan = DeliveryPlan()
    private var reader: JournalReader?
    private var canReadBack = false
    private var startEntry: (alert: Alert, id: String)?
    private var isStartSent = false
    private var probeID: String?
    private var retryTimer: MonotonicTimer?
    private var pause: Int = DeliveryService.shortestPause
    private var isStopped = false
    /// The last trouble, for the status; nil while all is well.
    private var trouble: String?

    private static let batchSize = 256
    private static let shortestPause: Int = 10
    private static let longestPause: Int = 5_000

    init(store: Store, output: EntryOutput, now: @escaping @Sendable () -> Instant) {
        self.store = store
        self.output = output
        self.now = now
    }

    /// Begins to deliver. The entry is the first of this run.
    func start(with entry: Alert) {
        queue.async {
            self.startEntry = (entry, UUID().uuidString.lowercased())
            self.retryTimer = MonotonicTimer(queue: self.queue) { [weak self] in self?.step() }
            self.openReader()
            self.sendStart()
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
        let end = DispatchTime.now() + seconds
        while queue.sync(execute: { self.deliverOnce() }), DispatchTime.now() < end {
            // The journal needs a few milliseconds to show what it was sent; the daemon is ending, and waits for that
            // alone.
            Thread.sleep(forTimeInterval: 0.01)
        }
        queue.sync {
            isStopped = true
            retryTimer?.cancel()
            reader = nil
        }
    }

    /// The last trouble with the journal, or nil. Blocks for a moment.
    var state: (trouble: String?, readsBack: Bool) { queue.sync { (trouble, canReadBack) } }

    // MARK: - On the queue

    private func openReader() {
        guard case .journal = output else { return }
        do {
            let opened = try JournalReader()
            let access = opened.access
            switch access {
            case .readable:
                canReadBack = true
                reader = consume opened
            case .denied(let path):
                trouble = "the journal at \(path) cannot be read back, so alerts may come twice after a crash"
            case .absent:
                trouble = "there is no journal to read back, so alerts may come twice after a crash"
            }
        } catch {
            trouble = "the journal cannot be read back (\(error)), so alerts may come twice after a crash"
        }
    }

    /// Sends the first entry of the run; later again, if the journal would not take it.
    private func sendStart() {
        guard let startEntry, !isStartSent else { return }
        switch output {
        case .journal(let writer): isStartSent = writer.send(JournalEntry(startEntry.alert, id: startEntry.id)) == .sent
        case .terminal(let log):
            log.write(startEntry.alert, at: now())
            isStartSent = true
        }
    }

    private func step() {
        guard !isStopped else { return }
        sendStart()
        if deliverOnce() {
            retryTimer?.start(every: pause, first: pause)
            pause = min(pause * 2, Self.longestPause)
        } else {
            retryTimer?.disarm()
            pause = Self.shortestPause
        }
    }

    /// One round over the outbox.
    ///
    /// - Returns: whether anything is left that another round may deliver.
    private func deliverOnce() -> Bool {
        guard !isStopped else { return false }
        do {
            let batch = try store.undeliveredAlerts(limit: Self.batchSize)
            guard !batch.isEmpty || !isStartSent else { return false }
            switch output {
            case .terminal(let log):
                for alert in batch {
                    log.write(alert.alert, at: alert.createdAt)
                    try store.markDelivered([alert], at: now())
                }
                return batch.count == Self.batchSize
            case .journal(let writer):
                return canReadBack ? try deliverOnceOnly(batch, writer) : try deliverAtLeastOnce(batch, writer)
            }
        } catch let error as StoreError {
            trouble = error.message
            return true
        } catch {
            // The reader may have lost its files (rotation, vacuum): a new one finds them.
            trouble = "\(error)"
            reader = nil
            openReader()
            return true
        }
    }

    private func deliverOnceOnly(_ batch: [StoredAlert], _ writer: JournalWriter) throws -> Bool {
        try lookForProbes(plan.attempted(in: batch))
        // Looked for after the probes: what a probe covers stands there by now, or never will.
        let attempted = plan.attempted(in: batch)
        let present = try present(attempted.map(\.id))
        let decision = plan.decide(batch, present: present, at: monotonicMilliseconds)
        try store.markDelivered(decision.delivered, at: now())
        plan.noteDelivered(decision.delivered)
        var isBlocked = false
        if !decision.toSend.isEmpty {
            try store.markAttempted(decision.toSend, at: now())
            isBlocked = send(decision.toSend, writer)
        }
        if decision.needsProbe, !isBlocked { sendProbe(writer) }
        if !isBlocked, trouble != nil, decision.delivered.count > 0 { trouble = nil }
        return decision.isWaiting || !decision.toSend.isEmpty || batch.count == Self.batchSize
    }

    /// Without reading back, what the kernel has taken counts as delivered.
    private func deliverAtLeastOnce(_ batch: [StoredAlert], _ writer: JournalWriter) throws -> Bool {
        for alert in batch {
            guard writer.send(JournalEntry(alert.alert, id: alert.id)) == .sent else { return true }
            try store.markDelivered([alert], at: now())
        }
        return batch.count == Self.batchSize
    }

    /// - Returns: whether the journal takes nothing more for now.
    private func send(_ alerts: [StoredAlert], _ writer: JournalWriter) -> Bool {
        for (index, alert) in alerts.enumerated() {
            switch writer.send(JournalEntry(alert.alert, id: alert.id)) {
            case .sent:
                plan.noteSent(alert, at: monotonicMilliseconds)
            case .refused(let errno):
                plan.noteHopeless(alert)
                trouble = "the journal refuses the alert \(alert.id) (errno \(errno)); it stays in the store"
            case .wouldBlock:
                trouble = "the journal takes no entries: journald is stopped or slow"
                for rest in alerts[index...] { plan.noteUnsent(rest) }
                return true
            case .unavailable(let errno):
                trouble = "the journal's socket is not there (errno \(errno)): is systemd-journald running?"
                for rest in alerts[index...] { plan.noteUnsent(rest) }
                return true
            }
        }
        return false
    }

    /// Alerts of an earlier run, or missing ones of this run, are certain only once a later entry stands in the
    /// journal.
    private func lookForProbes(_ attempted: [StoredAlert]) throws {
        guard !attempted.isEmpty else { return }
        var ids: [String] = []
        if let startEntry, isStartSent { ids.append(startEntry.id) }
        if let probeID { ids.append(probeID) }
        let seen = try present(ids)
        if let startEntry, seen.contains(startEntry.id) { plan.noteStartSeen() }
        if let id = probeID, seen.contains(id) {
            // Whatever of the covered alerts stands there must not be sent again.
            let there = try present(attempted.map(\.id))
            let delivered = attempted.filter { there.contains($0.id) }
            try store.markDelivered(delivered, at: now())
            plan.noteDelivered(delivered)
            plan.noteProbeSeen()
            probeID = nil
        }
    }

    private func sendProbe(_ writer: JournalWriter) {
        let id = UUID().uuidString.lowercased()
        let alert = Alert(
            kind: .deliveryDegraded, priority: .warning,
            message: "the journal has not shown alerts that it took \(DeliveryPlan.patience / 1000) seconds ago; "
                + "what it dropped will be sent again",
            fields: [.reason: "rate limiting, a full disk, or a journald that was stopped"])
        guard writer.send(JournalEntry(alert, id: id)) == .sent else { return }
        probeID = id
        plan.noteProbeSent()
    }

    private func present(_ ids: [String]) throws -> Set<String> {
        guard !ids.isEmpty else { return [] }
        if reader == nil { reader = try JournalReader() }
        // Anybody may write such a field; only what this user wrote counts.
        let own = JournalMatch("_UID", String(getuid()))
        return try reader?.present(field: JournalEntry.alertIDField, values: ids, also: [own]) ?? []
    }

    private var monotonicMilliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}
