import CLinux
internal import Glibc

/// The processor time of this process, all threads included (CLOCK_PROCESS_CPUTIME_ID, clock_gettime(2)).
package enum ProcessorTime {
    /// The time used since the process started, in microseconds.
    package static var used: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
