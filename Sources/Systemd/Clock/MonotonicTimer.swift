package import Dispatch

/// Fires again and again after spans of running time, whatever happens to the wall clock (CLOCK_MONOTONIC).
///
/// Periods that were missed are reported by one call. Running time stands still during suspend.
package final class MonotonicTimer: Sendable {
    // Dispatch sources may be used from any thread; Dispatch's own headers say so, its Swift types do not.
    nonisolated(unsafe) private let source: any DispatchSourceTimer

    /// Makes the timer; `start` arms it.
    ///
    /// - Parameter queue: Where `handler` runs: a private serial queue.
    package init(queue: DispatchQueue, handler: @escaping @Sendable () -> Void) {
        unsafe source = DispatchSource.makeTimerSource(queue: queue)
        unsafe source.schedule(deadline: .distantFuture)
        unsafe source.setEventHandler { handler() }
        unsafe source.activate()
    }

    deinit { unsafe source.cancel() }

    /// Fires after `first` milliseconds and then every `every`; replaces an earlier start.
    ///
    /// - Parameters:
    ///   - every: At least 1.
    ///   - first: The wait before the first call; nil for one period.
    package func start(every: Int, first: Int? = nil) {
        let period = max(1, every)
        unsafe source.schedule(
            deadline: .now() + .milliseconds(max(0, first ?? period)), repeating: .milliseconds(period))
    }

    /// Does not fire until started again.
    package func disarm() { unsafe source.schedule(deadline: .distantFuture) }

    /// Ends the timer for ever.
    package func cancel() { unsafe source.cancel() }
}
