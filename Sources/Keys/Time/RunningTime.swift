/// How long the machine has been running, by a clock that cannot be set. Together with the instant of the wall clock it
/// shows later whether, and by how much, the wall clock was set in between.
package struct RunningTime: Hashable, Sendable {
    /// The boot id of the machine. Running times of different boots cannot be compared.
    package let boot: String
    /// The time since that boot in milliseconds, including suspend.
    package let milliseconds: Int64

    package init(boot: String, milliseconds: Int64) {
        self.boot = boot
        self.milliseconds = milliseconds
    }
}
