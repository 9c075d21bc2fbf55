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
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private var plan: DeliveryPlan
    private var journal = JournalReadBack()
    private var startEntry: (alert: Alert, id: String)?
    private var isStartSent = false
    private var isBlindnessTold = false
    private var probeID: String?
    private var retryTimer: MonotonicTimer?
    private var pause: Int = DeliveryService.shortestPause
    private var isStopped = false
    private var isStoreFailing = false
    /// The last trouble, for the status; nil while all is well.
    private var trouble: String?

    private static let batchSize = 256
    private static let shortestPause: Int = 10
    private static let longestPause: Int = 5_000

    /// - Parameters:
    ///   - failed: is told of a store that fails; delivery tries again by itself.
    ///   - recovered: is called when the store that failed serves again.
    init(
        store: Store, output: EntryOutput, now: @escaping @Sendable () -> Instant,
        failed: @escaping @Sendable (StoreError) -> Void = { _ in }, recovered: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.output = output
        self.now = now
        plan = DeliveryPlan(startedAt: now())
        self.failed = failed
        self.recovered = recovered
    }

    /// Begins to deliver. The entry is the first of this run.
    func start(with entry: Alert) {
        queue.async {
            self.startEntry = (entry, UUID().uuidString.lowercased())
            self.retryTimer = MonotonicTimer(queue: self.queue) { [weak self] in self?.step() }
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
        let deadline = DispatchTime.now() + seconds
        while queue.sync(execute: { self.deliverOnce() }), DispatchTime.now() < deadline {
            // The journal needs a few milliseconds to show what it was sent; the daemon is ending, and waits for that
            // alone.
            Thread.sleep(forTimeInterval: 0.01)
        }
        queue.sync { end() }
    }

    /// Ends at once, without looking at the outbox any more. Does not block.
    func halt() {
        queue.async { self.end() }
    }

    /// The last trouble with the journal, or nil. Blocks for a moment.
    var state: (trouble: String?, readsBack: Bool) {
        queue.sync { (trouble ?? blindness, blindness == nil) }
    }

    /// Why alerts may come twice; nil where they cannot.
    private var blindness: String? {
        guard case .journal = output, let obstacle = journal.obstacle else { return nil }
        return "\(obstacle), so an alert may come twice after a crash"
    }

    // MARK: - On the queue

    private func end() {
        isStopped = true
        retryTimer?.cancel()
        journal.close()
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

    /// Tells once in a run that alerts are delivered at least once, not exactly once.
    private func tellBlindness() {
        guard !isBlindnessTold, isStartSent, let blindness else { return }
        isBlindnessTold = true
        output.log(
            Alert(
                kind: .deliveryDegraded, priority: .warning, message: "delivery is at least once: \(blindness)",
                fields: [
                    .reason: blindness,
                    .remedy: "usermod -aG systemd-journal keyvigil && systemctl restart keyvigil",
                ]), at: now())
    }

    private func step() {
        guard !isStopped else { return }
        sendStart()
        if journal.isDenied { tellBlindness() }
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
            let isMoreLeft = try deliver(try store.undeliveredAlerts(limit: Self.batchSize))
            if isStoreFailing {
                isStoreFailing = false
                trouble = nil
                recovered()
            }
            return isMoreLeft
        } catch let error as StoreError {
            trouble = error.message
            isStoreFailing = true
            failed(error)
            return true
        } catch {
            // The reader may have lost its files (rotation, vacuum): a new one finds them.
            trouble = "\(error)"
            journal.open()
            return true
        }
    }

    private func deliver(_ batch: [StoredAlert]) throws -> Bool {
        guard !batch.isEmpty else { return !isStartSent }
        switch output {
        case .terminal(let log):
            for alert in batch {
                log.write(alert.alert, at: alert.createdAt)
                try store.markDelivered([alert], at: now())
            }
            return batch.count == Self.batchSize
        case .journal(let writer):
            // The journal may have come into being since the last look; a right to read it does not.
            if !journal.isPossible, !journal.isDenied { journal.open() }
            return journal.isPossible ? try deliverOnceOnly(batch, writer) : try deliverAtLeastOnce(batch, writer)
        }
    }

    private func deliverOnceOnly(_ batch: [StoredAlert], _ writer: JournalWriter) throws -> Bool {
        try lookForProbes(plan.attempted(in: batch))
        // Looked for after the probes: what a probe covers stands there by now, or never will.
        let attempted = plan.attempted(in: batch)
        let present = try journal.present(attempted.map(\.id))
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
        let isBlocked = send(batch.filter { !plan.isHopeless($0) }, writer)
        try store.markDelivered(plan.sent(of: batch), at: now())
        plan.noteDelivered(batch)
        if isBlocked { return true }
        trouble = nil
        tellBlindness()
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
        let start = isStartSent ? startEntry?.id : nil
        let seen = try journal.present([start, probeID].compactMap(\.self))
        guard !seen.isEmpty else { return }
        let isProbeSeen = probeID.map(seen.contains) ?? false
        if !plan.isStartSeen || isProbeSeen {
            // Whatever stands there must not be sent again, and this is the last look.
            let there = try journal.presentForCertain(attempted.map(\.id))
            let delivered = attempted.filter { there.contains($0.id) }
            try store.markDelivered(delivered, at: now())
            plan.noteDelivered(delivered)
        }
        if let start, seen.contains(start) { plan.noteStartSeen() }
        if isProbeSeen {
            let dropped = plan.noteProbeSeen()
            probeID = nil
            if dropped > 0 { try tellDropped(dropped) }
        }
    }

    /// Only the sending of this is news: whether anything was dropped is known when the probe is seen.
    private func sendProbe(_ writer: JournalWriter) {
        let id = UUID().uuidString.lowercased()
        let alert = Alert(
            kind: .deliveryDegraded, priority: .info,
            message: "the journal has not shown alerts that it took \(DeliveryPlan.patience / 1000) seconds ago; "
                + "this entry tells whether it stores any")
        guard writer.send(JournalEntry(alert, id: id)) == .sent else { return }
        probeID = id
        plan.noteProbeSent(at: monotonicMilliseconds)
    }

    /// By way of the outbox, so that this is not dropped in its turn.
    private func tellDropped(_ count: Int) throws {
        try store.enqueue(
            Alert(
                kind: .deliveryDegraded, priority: .warning,
                message: "the journal dropped \(count) alerts of keyvigild; they are sent again, nothing is lost",
                fields: [
                    .reason: "rate limiting, a full disk, or a journald that was killed",
                    .remedy: "journalctl -u systemd-journald -n 20; systemctl show -p LogRateLimitBurst keyvigil; "
                        + "df -h /var/log/journal",
                ]), at: now())
    }

    private var monotonicMilliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}
