import CLinux
internal import Glibc

/// The service manager's watchdog: sd_watchdog_enabled(3).
package enum Watchdog {
    /// How often at the latest a sign of life must come, in milliseconds; nil when the manager does not want any
    /// from this process. Send one at half of the interval.
    ///
    /// - Parameters:
    ///   - environment: Where WATCHDOG_USEC and WATCHDOG_PID are looked up.
    ///   - processID: The process that asks; a child of the daemon inherits the variables and is not meant.
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
