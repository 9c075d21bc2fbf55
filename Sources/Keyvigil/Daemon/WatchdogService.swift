internal import Dispatch
internal import Synchronization
internal import Systemd

/// Feeds the service manager's watchdog, but only with proof: each queue has to answer a question before the next ping.
/// A queue that is stuck starves the watchdog, and systemd restarts the daemon.
///
/// Unchecked: every stored variable but the mutex is touched on `queue` only.
final class WatchdogService: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.watchdog")
    private let notify: Notify
    private let watched: [(name: String, queue: DispatchQueue)]
    private let stalled: @Sendable (String) -> Void
    private var timer: MonotonicTimer?
    private let unanswered: Mutex<Set<String>> = Mutex([])
    private var told = Set<String>()

    /// - Parameters:
    ///   - watched: the queues that must turn, with the names under which they are told.
    ///   - stalled: is told of a queue that did not answer, once until it answers again.
    init(notify: Notify, watched: [(name: String, queue: DispatchQueue)], stalled: @escaping @Sendable (String) -> Void)
    {
        self.notify = notify
        self.watched = watched
        self.stalled = stalled
    }

    /// Starts, if the service manager wants to be pinged.
    func start(environment: [String: String], processID: Int32) {
        guard let interval = Watchdog.interval(environment: environment, processID: processID) else { return }
        queue.sync {
            timer = MonotonicTimer(queue: queue) { [weak self] in self?.turn() }
            // Three questions within the limit: one late answer is forgiven.
            timer?.start(every: max(Int(interval) / 3, 1), first: 0)
        }
    }

    func stop() {
        queue.sync { timer?.cancel() }
    }

    private func turn() {
        let stuck = unanswered.withLock { $0 }
        if stuck.isEmpty { _ = notify.watchdog() }
        for name in stuck.subtracting(told).sorted() { stalled(name) }
        told = stuck
        for (name, queue) in watched where !stuck.contains(name) {
            unanswered.withLock { _ = $0.insert(name) }
            queue.async { self.unanswered.withLock { _ = $0.remove(name) } }
        }
    }
}
