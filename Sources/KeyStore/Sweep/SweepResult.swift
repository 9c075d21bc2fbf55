/// What a sweep did.
package struct SweepResult: Equatable, Sendable {
    /// Keys on which something was due.
    package var keys = 0
    /// Alerts put into the outbox.
    package var alerts = 0
    /// Whether more is left to do than one batch holds.
    package var isIncomplete = false
    /// How far the look at all keys has come that a new policy, or a clock that was set back, asks for; nil where there is
    /// none, or it is over.
    package var review: ReviewProgress?
    /// Whether the clock was set back: what it recorded when it was ahead is being taken back, or will be if it stays.
    package var isClockBack = false
    /// Whether it has not been back for long enough to be believed: another sweep decides.
    package var awaitsClock = false
    /// Whether a date has come by the clock of this host, and not yet by that of the fleet's database.
    package var awaitsFleet = false
    /// Whether the clock shows less than it can: nothing was recorded.
    package var isClockImpossible = false
}

/// How far a look at all keys has come.
package struct ReviewProgress: Equatable, Sendable {
    /// In rows of keys: those that are done, and all.
    package let done: Int64
    package let total: Int64
}
