import CLinux
internal import Glibc

/// The wall clock, by which keys expire.
package enum WallClock {
    /// The present time in milliseconds since the epoch: CLOCK_REALTIME, clock_gettime(2).
    package static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
