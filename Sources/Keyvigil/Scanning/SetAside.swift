internal import KeyStore
internal import Keys

/// A place at which the daemon was killed, or stood still, twice with no whole scan in between. It is scanned after all others,
/// and ever more rarely.
enum SetAside {
    /// What the store remembers of such a place.
    static let problem =
        "the daemon was killed, or stood still, twice while it scanned this: it is set aside, and tried again from time to time"

    private static let longestPause = Period.days(1)

    /// How long such a place is left alone: at first for an interval, after each try that fails twice as long as before, up to a
    /// day.
    ///
    /// - Parameters:
    ///   - interval: `[scan] interval`; nil: none.
    ///   - failures: tries in a row that failed since it was set aside.
    static func pause(_ interval: Period?, after failures: Int) -> Period {
        let first = interval ?? longestPause
        guard first < longestPause else { return first }
        return min(Period(milliseconds: max(1, first.milliseconds) << Int64(min(failures, 30))), longestPause)
    }

    /// When such a place is due to be tried again; nil for any other.
    static func nextTry(_ place: Store.WatchedRepository, _ interval: Period?) -> Instant? {
        guard place.problem == problem, let last = place.scannedAt else { return nil }
        return last.advanced(by: pause(interval, after: place.repeats))
    }
}
