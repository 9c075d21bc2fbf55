import CLinux
package import Dispatch
internal import Glibc

/// Calls a handler when the wall clock is set, by a person or by a step of time synchronisation, and when the machine
/// resumes from suspend.
///
/// Uses a timer on CLOCK_REALTIME that never expires, with TFD_TIMER_CANCEL_ON_SET: timerfd_create(2).
package final class ClockChangeSource: Sendable {
    /// The result of reading the timer's descriptor.
    enum Reading: Hashable, Sendable {
        case clockWasSet, expired, nothing

        /// - Parameters:
        ///   - count: What read(2) returned.
        ///   - errno: The error number, if `count` is negative.
        init(count: Int, errno: Int32) {
            self = count >= 0 ? .expired : errno == ECANCELED ? .clockWasSet : .nothing
        }
    }

    /// The year 2200: never reached, and within the range of every kernel.
    private static let never = 7_258_118_400

    private let source: DescriptorSource

    /// The descriptor of the timer.
    var number: Int32 { source.number }

    /// Starts listening.
    ///
    /// - Parameter queue: Where `handler` runs: a private serial queue.
    package convenience init(queue: DispatchQueue, handler: @escaping @Sendable () -> Void)
        throws(SystemdError)
    {
        let timer = try Descriptor(
            timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK)),
            for: "listen for changes of the clock")
        guard Self.arm(timer.number) else { throw .cannot("listen for changes of the clock", errno) }
        self.init(timer, queue: queue, read: Self.read, handler: handler)
    }

    /// - Parameter read: Reads the descriptor and returns the result; tests pass their own.
    init(
        _ timer: consuming Descriptor, queue: DispatchQueue, read: @escaping @Sendable (Int32) -> Reading,
        handler: @escaping @Sendable () -> Void
    ) {
        source = DescriptorSource(timer, queue: queue) { source in
            switch read(source.number) {
            case .clockWasSet: handler()
            case .expired: _ = Self.arm(source.number)
            case .nothing: break
            }
        }
    }

    /// When called on the source's queue, no handler starts after this returns.
    package func cancel() { source.cancel() }

    static func read(_ number: Int32) -> Reading {
        var expirations: UInt64 = 0
        let count = unsafe Glibc.read(number, &expirations, MemoryLayout<UInt64>.size)
        return Reading(count: count, errno: errno)
    }

    private static func arm(_ number: Int32) -> Bool {
        var time = itimerspec()
        time.it_value.tv_sec = never
        let flags = Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET)
        return unsafe timerfd_settime(number, flags, &time, nil) == 0
    }
}
