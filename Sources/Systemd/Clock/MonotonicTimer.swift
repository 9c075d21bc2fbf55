package import Dispatch

/// Fires periodically by CLOCK_MONOTONIC, independently of the wall clock.
///
/// Several missed periods cause one call. The clock does not advance during suspend.
package final class MonotonicTimer: Sendable {
    // Dispatch sources may be used from any thread, which its headers document but its Swift types do not express.
    nonisolated(unsafe) private let source: any DispatchSourceTimer

    /// Creates the timer; `start` arms it.
    ///
    /// - Parameter queue: Where `handler` runs: a private serial queue.
    package init(queue: DispatchQueue, handler: @escaping @Sendable () -> Void) {
        unsafe source = DispatchSource.makeTimerSource(queue: queue)
        unsafe source.schedule(deadline: .distantFuture)
        unsafe source.setEventHandler { handler() }
        unsafe source.activate()
    }

    deinit { unsafe source.cancel() }

    /// Fires after `first` milliseconds and then every `every` milliseconds; replaces an earlier start.
    ///
    /// - Parameters:
    ///   - every: At least 1.
    ///   - first: The time before the first call; nil for one period.
    package func start(every: Int, first: Int? = nil) {
        let period = max(1, every)
        unsafe source.schedule(
            deadline: .now() + .milliseconds(max(0, first ?? period)), repeating: .milliseconds(period))
    }

    /// Stops firing until it is started again.
    package func disarm() { unsafe source.schedule(deadline: .distantFuture) }

    /// Cancels the timer permanently.
    package func cancel() { unsafe source.cancel() }
}
