/// How long the machine has been running at a moment, by a clock that cannot be set. Together with the wall clock's
/// instant it shows later whether, and how far, the wall clock was set in between.
package struct RunningTime: Hashable, Sendable {
    /// Names the start of the machine: running times of different starts cannot be compared.
    package let boot: String
    /// Since that start, suspends included.
    package let milliseconds: Int64

    package init(boot: String, milliseconds: Int64) {
        self.boot = boot
        self.milliseconds = milliseconds
    }
}
