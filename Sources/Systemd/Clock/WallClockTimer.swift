import CLinux
package import Dispatch
internal import Synchronization

/// Fires once when the wall clock reaches an instant; can be armed again and again.
///
/// Follows the clock when it is set forward. After a step back it fires when the clock reaches the instant again,
/// which is what a due date means.
package final class WallClockTimer: Sendable {
    /// Dispatch keeps wall times as nanoseconds in 62 bits, which ends in 2116. A later instant is approached in
    /// steps of a year at most.
    static let longestStep: Int64 = 366 * 24 * 3_600_000

    // Dispatch sources may be used from any thread; Dispatch's own headers say so, its Swift types do not.
    nonisolated(unsafe) private let source: any DispatchSourceTimer
    private let now: @Sendable () -> Int64
    /// The instant in milliseconds since the epoch; nil while disarmed.
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

    /// Fires at `instant`, milliseconds since the epoch, instead of at any instant before; at once when it is past.
    package func arm(at instant: Int64) {
        self.instant.withLock { armed in
            armed = instant
            schedule(instant)
        }
    }

    /// Does not fire until armed again.
    package func disarm() {
        instant.withLock { armed in
            armed = nil
            unsafe source.schedule(wallDeadline: .distantFuture)
        }
    }

    /// Ends the timer for ever.
    package func cancel() {
        instant.withLock { $0 = nil }
        unsafe source.cancel()
    }

    /// Which wall time to give to Dispatch for an instant: after the epoch, which Dispatch takes for "never", and
    /// not too far ahead.
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
                // A step towards a far instant, or the clock was set back meanwhile.
                schedule(instant)
                return false
            }
            armed = nil
            return true
        }
        if isDue { handler() }
    }
}
