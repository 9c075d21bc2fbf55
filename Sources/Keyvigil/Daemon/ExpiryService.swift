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
    private var ledger: any Ledger { store.ledger }
    private let actor: AuditActor
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let progressed: @Sendable (ReviewProgress?) -> Void
    private let suspected: @Sendable () -> Void
    private let jitter: @Sendable () -> Double
    private var isFailing = false
    private var pacer = BatchPacer()
    /// The lock is left to others for a moment.
    private var isPausing = false
    private var isReviewing = false
    private var isClockSuspected = false
    /// A new policy that the store has not taken yet.
    private var pendingPolicy: LifecyclePolicy?
    private var dueTimer: WallClockTimer?
    private var sweepTimer: MonotonicTimer?
    private var retryTimer: MonotonicTimer?
    private var isStopped = false
    private var nextDue: Instant?
    private var lastSweep: Instant?

    /// Before the next attempt while the database of a fleet does not answer, in milliseconds, at most.
    private var outagePause = retryPause

    /// How long to wait after the store has failed, in milliseconds.
    private static let retryPause = 1_000
    private static let longestOutagePause = 30_000

    /// When to look again whether a clock that was set back stays so, in milliseconds.
    private static let clockPause = 1_050

    /// - Parameters:
    ///   - alerted: is called when a sweep has put alerts into the outbox.
    ///   - failed: gets the error of a store that fails; the service tries again by itself.
    ///   - recovered: is called when the work that failed has been done.
    ///   - progressed: is called with how far a look at all keys has come, and with nil that it is over.
    ///   - suspected: is called when the clock shows less than it can, once until it shows more.
    ///   - jitter: between 0 and 1, at random: so that the hosts of a fleet which lost its database together do not come back together.
    init(
        store: Store, actor: AuditActor, now: @escaping @Sendable () -> Instant,
        alerted: @escaping @Sendable () -> Void,
        failed: @escaping @Sendable (StoreError) -> Void, recovered: @escaping @Sendable () -> Void = {},
        progressed: @escaping @Sendable (ReviewProgress?) -> Void = { _ in },
        suspected: @escaping @Sendable () -> Void = {}, jitter: @escaping @Sendable () -> Double = { 1 }
    ) {
        self.jitter = jitter
        self.store = store
        self.actor = actor
        self.now = now
        self.alerted = alerted
        self.failed = failed
        self.recovered = recovered
        self.progressed = progressed
        self.suspected = suspected
    }

    /// Makes the first sweep and arms the timers. Blocks until its first batch is over, or has failed and is to be tried
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

    /// Sweeps at once: the clock was set, or the machine resumed.
    ///
    /// - Parameter report: is called with whether the clock was set back behind what was recorded; an alert says what was taken
    ///   back when that is over.
    func clockWasSet(_ report: @escaping @Sendable (_ takesBack: Bool) -> Void) {
        queue.async {
            guard !self.isStopped else { return }
            self.isPausing = false
            report(self.sweep()?.isClockBack ?? false)
        }
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

    @discardableResult
    private func sweep() -> SweepResult? {
        guard !isStopped, !isPausing else { return nil }
        var swept: SweepResult?
        perform {
            let instant = now()
            if let policy = pendingPolicy {
                try ledger.adopt(policy, at: instant)
                pendingPolicy = nil
            }
            let began = DispatchTime.now()
            let result = try ledger.sweep(at: instant, limit: pacer.limit, by: actor)
            let took = Int64((DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1_000_000)
            swept = result
            lastSweep = instant
            if result.alerts > 0 { alerted() }
            tell(result)
            pacer.note(took, isFull: result.isIncomplete)
            if result.isIncomplete {
                // Another turn of the queue, so that whoever waits for it is not kept waiting by a long backlog; and a
                // pause, in which others get the store's lock.
                isPausing = true
                queue.asyncAfter(deadline: .now() + .milliseconds(Int(BatchPacer.pause(after: took)))) {
                    self.isPausing = false
                    self.sweep()
                }
                return
            }
            if result.awaitsClock {
                queue.asyncAfter(deadline: .now() + .milliseconds(Self.clockPause)) { self.sweep() }
            }
            nextDue = try store.nextDue()
            if result.awaitsFleet {
                dueTimer?.disarm()
                queue.asyncAfter(deadline: .now() + .milliseconds(Self.clockPause)) { self.sweep() }
            } else if let nextDue {
                dueTimer?.arm(at: nextDue.milliseconds)
            } else {
                dueTimer?.disarm()
            }
        }
        return swept
    }

    private func tell(_ result: SweepResult) {
        if result.review != nil || isReviewing { progressed(result.review) }
        isReviewing = result.review != nil
        if result.isClockImpossible, !isClockSuspected { suspected() }
        isClockSuspected = result.isClockImpossible
    }

    /// Runs work on the store, and has it tried again where the store fails: a due date must not be lost to a lock. A database that does not
    /// answer is asked less and less often; who notices first that it does calls ``kick()``.
    private func perform(_ work: () throws -> Void) {
        do {
            try work()
            outagePause = Self.retryPause
            guard isFailing else { return }
            isFailing = false
            retryTimer?.disarm()
            recovered()
        } catch {
            isFailing = true
            let reason = store.explained(error)
            failed(reason)
            var pause = Self.retryPause
            if reason.code == .unreachable {
                pause = Int(Double(outagePause) * jitter()) + 1
                outagePause = min(2 * outagePause, Self.longestOutagePause)
            }
            retryTimer?.start(every: pause)
        }
    }
}
