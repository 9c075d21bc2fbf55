import CLinux
package import Dispatch
internal import Synchronization

/// Fires once when the wall clock reaches an instant. It can be armed repeatedly.
///
/// When the clock is set forward past the instant, it fires. After a step back it fires when the clock reaches the
/// instant again.
package final class WallClockTimer: Sendable {
    /// The longest time for which Dispatch is armed, in milliseconds. Dispatch stores wall times as nanoseconds in 62
    /// bits, which end in 2116, so a distant instant is approached in steps of a year.
    static let longestStep: Int64 = 366 * 24 * 3_600_000

    // Dispatch sources may be used from any thread, which its headers document but its Swift types do not express.
    nonisolated(unsafe) private let source: any DispatchSourceTimer
    private let now: @Sendable () -> Int64
    /// The instant in milliseconds since the epoch, or nil while disarmed.
    private let instant = Mutex<Int64?>(nil)

    /// - Parameters:
    ///   - queue: Where `handler` runs: a private serial queue.
    ///   - now: The wall clock in milliseconds since the epoch.
    ///   - handler: Called once for each arming.
    package init(
        queue: DispatchQueue, now: @escaping @Sendable () -> Int64 = { WallClock.now },
        handler: @escaping @Sendable () -> Void
    ) {
        self.now = now
        unsafe source = DispatchSource.makeTimerSource(queue: queue)
        unsafe source.schedule(wallDeadline: .distantFuture)
        unsafe source.setEventHandler { [weak self] in self?.fire(handler) }
        unsafe source.activate()
    }

    deinit { unsafe source.cancel() }

    /// Arms the timer for `instant`, in milliseconds since the epoch, replacing an earlier one. Fires at once if it is
    /// in the past.
    package func arm(at instant: Int64) {
        self.instant.withLock { armed in
            armed = instant
            schedule(instant)
        }
    }

    /// Stops firing until it is armed again.
    package func disarm() {
        instant.withLock { armed in
            armed = nil
            unsafe source.schedule(wallDeadline: .distantFuture)
        }
    }

    /// Cancels the timer permanently.
    package func cancel() {
        instant.withLock { $0 = nil }
        unsafe source.cancel()
    }

    /// The wall time to pass to Dispatch for an instant: after the epoch, which Dispatch interprets as never, and at
    /// most ``longestStep`` ahead.
    static func deadline(for instant: Int64, now: Int64) -> Int64 {
        let (limit, overflow) = now.addingReportingOverflow(longestStep)
        return max(1, min(instant, overflow ? .max : limit))
    }

    private func schedule(_ instant: Int64) {
        let deadline = Self.deadline(for: instant, now: now())
        let time = timespec(tv_sec: Int(deadline / 1000), tv_nsec: Int(deadline % 1000) * 1_000_000)
        unsafe source.schedule(wallDeadline: DispatchWallTime(timespec: time))
    }

    private func fire(_ handler: () -> Void) {
        let isDue = instant.withLock { armed in
            guard let instant = armed else { return false }
            guard now() >= instant else {
                // One of several steps to a distant instant, or the clock was set back.
                schedule(instant)
                return false
            }
            armed = nil
            return true
        }
        if isDue { handler() }
    }
}
