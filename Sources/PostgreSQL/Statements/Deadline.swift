/// The instant by which a call to the database must have ended, by a clock that is never set.
package struct Deadline: Hashable, Comparable, Sendable {
    private let end: ContinuousClock.Instant

    private init(_ end: ContinuousClock.Instant) { self.end = end }

    package static func after(_ duration: Duration) -> Deadline { Deadline(.now + duration) }

    /// The deadline of a call that does not wait.
    static var passed: Deadline { .after(.zero) }

    /// The rest of the time in milliseconds, rounded up; 0 where it is over.
    var milliseconds: Int32 {
        let rest = ContinuousClock.now.duration(to: end)
        guard rest > .zero else { return 0 }
        return Int32(clamping: Int64((rest / .milliseconds(1)).rounded(.up)))
    }

    /// The deadline of the first of several calls that share the rest of the time.
    func share(of count: Int) -> Deadline { Deadline(.now + ContinuousClock.now.duration(to: end) / count) }

    package static func < (first: Deadline, second: Deadline) -> Bool { first.end < second.end }
}
