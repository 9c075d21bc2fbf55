import CLinux
internal import Glibc

/// The wall clock: the time by which keys expire.
package enum WallClock {
    /// Now, in milliseconds since the epoch (CLOCK_REALTIME).
    package static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
