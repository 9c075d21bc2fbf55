internal import CLinux
internal import Dispatch
internal import Synchronization
internal import Systemd

/// Feeds the service manager's watchdog, but only with proof: each queue has to answer a question before the next ping,
/// and what may take long has to make progress. Whatever is stuck starves the watchdog, and systemd restarts the daemon.
///
/// Unchecked: every stored variable but the mutex is touched on `queue` only.
final class WatchdogService: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.watchdog")
    private let notify: Notify
    private let watched: [(name: String, queue: DispatchQueue)]
    private let standsStill: @Sendable (Int64) -> String?
    private let stalled: @Sendable (String) -> Void
    private let resting: @Sendable () -> Void
    private let unanswered: Mutex<Set<String>> = Mutex([])
    private var timer: MonotonicTimer?
    private var reported = Set<String>()
    private var rest = RestWatch()

    /// - Parameters:
    ///   - watched: the queues that must turn, with the names under which they are reported.
    ///   - standsStill: names other work that has not got on; it is asked with the monotonic time in milliseconds.
    ///   - stalled: gets the name of what makes no progress, once until it does again.
    ///   - resting: gives back what is kept for work, when there is none. It must not wait.
    init(
        notify: Notify, watched: [(name: String, queue: DispatchQueue)],
        standsStill: @escaping @Sendable (Int64) -> String? = { _ in nil },
        stalled: @escaping @Sendable (String) -> Void, resting: @escaping @Sendable () -> Void = {}
    ) {
        self.notify = notify
        self.watched = watched
        self.standsStill = standsStill
        self.stalled = stalled
        self.resting = resting
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
        var stuck = unanswered.withLock { $0 }
        for (name, queue) in watched where !stuck.contains(name) {
            unanswered.withLock { _ = $0.insert(name) }
            queue.async {
                let isLast = self.unanswered.withLock { names in
                    names.remove(name)
                    return names.isEmpty
                }
                if isLast { self.queue.async { self.returnMemory() } }
            }
        }
        let time = Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
        if let name = standsStill(time) { stuck.insert(name) }
        if stuck.isEmpty { _ = notify.watchdog() }
        for name in stuck.subtracting(reported).sorted() { stalled(name) }
        reported = stuck
    }

    /// Gives back at rest what was needed for work, and for the questions of this turn: after the last answer, while the
    /// daemon is awake anyway.
    private func returnMemory() {
        guard rest.isAtRest(at: ProcessorTime.used) else { return }
        resting()
        keyvigil_return_memory()
    }
}
