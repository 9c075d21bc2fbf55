internal import Dispatch
internal import KeyStore
internal import Keys
internal import Systemd

/// Does what dates ask for, when they ask for it: a wall-clock timer is armed for the very next due date in the store,
/// a monotonic one sweeps behind it in case the clock or the timer misbehaves.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class ExpiryService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.expiry")
    private let store: Store
    private let actor: Actor
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private var isFailing = false
    /// A new policy that the store has not taken yet.
    private var pendingPolicy: LifecyclePolicy?
    private var dueTimer: WallClockTimer?
    private var sweepTimer: MonotonicTimer?
    private var retryTimer: MonotonicTimer?
    private var isStopped = false
    private var nextDue: Instant?
    private var lastSweep: Instant?

    /// How long to wait after the store has failed, in milliseconds.
    private static let retryPause: Int64 = 1_000

    /// - Parameters:
    ///   - alerted: is called when a sweep has put alerts into the outbox.
    ///   - failed: is told of a store that fails; the service tries again by itself.
    ///   - recovered: is called when the work that failed has been done.
    init(
        store: Store, actor: Actor, now: @escaping @Sendable () -> Instant, alerted: @escaping @Sendable () -> Void,
        failed: @escaping @Sendable (StoreError) -> Void, recovered: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.actor = actor
        self.now = now
        self.alerted = alerted
        self.failed = failed
        self.recovered = recovered
    }

    /// Makes the first sweep and arms the timers. Blocks until the first sweep is over, or has failed and is to be tried
    /// again.
    func start(_ policy: LifecyclePolicy, sweepInterval: Period) {
        queue.sync {
            pendingPolicy = policy
            dueTimer = WallClockTimer(queue: queue) { [weak self] in self?.sweep() }
            retryTimer = MonotonicTimer(queue: queue) { [weak self] in self?.sweep() }
            sweepTimer = MonotonicTimer(queue: queue) { [weak self] in self?.sweep() }
            arm(sweepInterval: sweepInterval)
            sweep()
        }
    }

    /// Takes over a new configuration.
    func adopt(_ policy: LifecyclePolicy, sweepInterval: Period) {
        queue.async {
            guard !self.isStopped else { return }
            self.arm(sweepInterval: sweepInterval)
            self.pendingPolicy = policy
            self.sweep()
        }
    }

    /// Sweeps soon: the store or the clock has changed.
    func kick() {
        queue.async { self.sweep() }
    }

    /// Ends, at once or as soon as a sweep that is under way is over. Does not block.
    func halt() {
        queue.async { self.end() }
    }

    /// Ends. Blocks until a sweep that is under way is over.
    func stop() {
        queue.sync { end() }
    }

    /// For the status. Blocks for a moment.
    var state: (nextDue: Instant?, lastSweep: Instant?) { queue.sync { (nextDue, lastSweep) } }

    // MARK: - On the queue

    private func end() {
        isStopped = true
        dueTimer?.cancel()
        retryTimer?.cancel()
        sweepTimer?.cancel()
    }

    private func arm(sweepInterval: Period) {
        sweepTimer?.start(every: Int(sweepInterval.milliseconds))
    }

    private func sweep() {
        guard !isStopped else { return }
        perform {
            let instant = now()
            if let policy = pendingPolicy {
                try store.adopt(policy, at: instant)
                pendingPolicy = nil
            }
            let result = try store.sweep(at: instant, by: actor)
            lastSweep = instant
            if result.alerts > 0 { alerted() }
            if result.isIncomplete {
                // Another turn of the queue, so that whoever waits for it is not kept waiting by a long backlog.
                queue.async { self.sweep() }
                return
            }
            nextDue = try store.nextDue()
            if let nextDue { dueTimer?.arm(at: nextDue.milliseconds) } else { dueTimer?.disarm() }
        }
    }

    /// Runs work on the store, and has it tried again where the store fails: a due date must not be lost to a lock.
    private func perform(_ work: () throws -> Void) {
        do {
            try work()
            guard isFailing else { return }
            isFailing = false
            retryTimer?.disarm()
            recovered()
        } catch {
            isFailing = true
            failed(error as? StoreError ?? StoreError.unexpected(error, path: store.path))
            retryTimer?.start(every: Int(Self.retryPause))
        }
    }
}
