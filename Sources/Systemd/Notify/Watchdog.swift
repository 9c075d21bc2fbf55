import CLinux
internal import Glibc

/// The service manager's watchdog: sd_watchdog_enabled(3).
package enum Watchdog {
    /// The longest interval between keep-alive messages in milliseconds; nil if the manager expects none from this
    /// process. Send one every half interval.
    ///
    /// - Parameters:
    ///   - environment: The variables, in which WATCHDOG_USEC and WATCHDOG_PID are looked up.
    ///   - processID: The calling process. A child of the daemon inherits the variables, but they do not apply to it.
    package static func interval(
        environment: [String: String] = ProcessEnvironment.current, processID: Int32 = getpid()
    ) -> Int? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ UInt64($0) }), microseconds > 0,
            microseconds < UInt64(Int.max)
        else { return nil }
        if let meant = environment["WATCHDOG_PID"], Int32(meant) != processID { return nil }
        return max(1, Int(microseconds / 1000))
    }
}
