import CLinux
internal import Glibc

/// Whether the wall clock is synchronised with a time source outside the machine.
package enum ClockSynchronisation: String, Hashable, Sendable {
    case synchronised, unsynchronised
    /// The kernel may not be queried (ProtectClock= of the unit), and systemd-timesyncd does not run.
    case unknown

    /// Queries the kernel, to which every time service reports (adjtimex(2), STA_UNSYNC), or else systemd-timesyncd.
    ///
    /// - Parameters:
    ///   - kernel: the state that adjtimex(2) returns, or nil if it may not be called.
    ///   - folder: the runtime directory of systemd-timesyncd, which exists while it runs, and contains the file
    ///     `synchronized` once it has synchronised the clock.
    package static func current(
        kernel: Int32? = kernelState, timesync folder: String = "/run/systemd/timesync"
    ) -> ClockSynchronisation {
        if let kernel { return kernel == TIME_ERROR ? .unsynchronised : .synchronised }
        if unsafe access(folder + "/synchronized", F_OK) == 0 { return .synchronised }
        return unsafe access(folder, F_OK) == 0 ? .unsynchronised : .unknown
    }

    /// The result of adjtimex(2), or nil if the call is refused. Changes nothing.
    package static var kernelState: Int32? {
        var state = timex()
        let result = unsafe adjtimex(&state)
        return result < 0 ? nil : result
    }
}
