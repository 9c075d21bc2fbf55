import CLinux
internal import Glibc

/// Whether the wall clock is kept right by something outside the machine.
package enum ClockSynchronisation: Hashable, Sendable {
    case synchronised, unsynchronised
    /// The kernel may not be asked (the unit's ProtectClock=), and systemd-timesyncd does not run.
    case unknown

    /// Asks the kernel, which every time service tells (adjtimex(2), STA_UNSYNC), else systemd-timesyncd.
    ///
    /// - Parameters:
    ///   - kernel: the state that adjtimex(2) returns, or nil where it may not be asked.
    ///   - folder: where systemd-timesyncd says that it runs, and by the file `synchronized` that it has succeeded.
    package static func current(
        kernel: Int32? = kernelState, timesync folder: String = "/run/systemd/timesync"
    ) -> ClockSynchronisation {
        if let kernel { return kernel == TIME_ERROR ? .unsynchronised : .synchronised }
        if unsafe access(folder + "/synchronized", F_OK) == 0 { return .synchronised }
        return unsafe access(folder, F_OK) == 0 ? .unsynchronised : .unknown
    }

    /// What adjtimex(2) returns, or nil where it is refused. Nothing is changed.
    package static var kernelState: Int32? {
        var state = timex()
        let result = unsafe adjtimex(&state)
        return result < 0 ? nil : result
    }
}
