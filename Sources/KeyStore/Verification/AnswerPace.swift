internal import Glibc
internal import Keys

/// Holds refusals back until a whole number of steps has passed since the question, so that the time of a refusal does not
/// tell a secret that never was from one that is revoked, expired or deleted. The look-ups take a few microseconds and
/// differ by fractions of one; what is left after the holding back is the noise of the machine's timers.
///
/// An answer that is not a refusal is given at once.
package struct AnswerPace: Sendable {
    /// In nanoseconds. Long enough that look-ups in memory, and most from the disk, end within the first one.
    package static let step: UInt64 = 200_000

    private let now: @Sendable () -> UInt64
    private let sleep: @Sendable (_ until: UInt64) -> Void

    /// - Parameters:
    ///   - now: a clock that never goes back, in nanoseconds.
    ///   - sleep: returns once that clock shows the given time.
    package init(now: @escaping @Sendable () -> UInt64, sleep: @escaping @Sendable (_ until: UInt64) -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// The clock of the machine, CLOCK_MONOTONIC (clock_nanosleep(2)).
    package static let realTime = AnswerPace(
        now: {
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        },
        sleep: { until in
            var time = timespec(tv_sec: Int(until / 1_000_000_000), tv_nsec: Int(until % 1_000_000_000))
            // A signal ends the sleep; the time to wake up at stays the same.
            while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
        })

    /// Runs a verification, and holds its answer back if that is a refusal.
    package func run<Failure: Error>(_ verify: () throws(Failure) -> Verification) throws(Failure) -> Verification {
        let (result, end) = try runAtOnce(verify)
        if let end { sleep(end) }
        return result
    }

    /// Runs a verification.
    ///
    /// - Returns: its answer, and the time of the clock before which it must not be given; nil: at once.
    package func runAtOnce<Failure: Error>(
        _ verify: () throws(Failure) -> Verification
    ) throws(Failure) -> (Verification, holdUntil: UInt64?) {
        let start = now()
        let result = try verify()
        guard result.code.httpStatus == 401 else { return (result, nil) }
        let steps = (now() - start) / Self.step + 1
        return (result, start + steps * Self.step)
    }
}
