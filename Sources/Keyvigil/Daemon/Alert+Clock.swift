internal import Keys

extension Alert {
    /// The clock was set, and nothing had to be taken back.
    init(clockSetTo now: Instant) {
        self.init(
            kind: .clockChanged, priority: .notice,
            message: "the clock was set, or the machine resumed: it is \(now) now; due dates were looked at again",
            fields: [.reason: "nothing was recorded by a clock that was ahead"])
    }

    /// The clock shows an instant before the program was built.
    init(impossibleClock now: Instant) {
        self.init(
            kind: .clockSuspect, priority: .warning,
            message:
                "the clock shows \(now), before this program was built: nothing is recorded by it; keys are verified by it",
            fields: [
                .reason: "the clock is before \(BuildDate.instant)",
                .remedy: "timedatectl set-ntp true",
            ])
    }

    /// Nothing outside the machine keeps the clock right.
    init(unsynchronisedClock now: Instant) {
        self.init(
            kind: .clockSuspect, priority: .notice,
            message:
                "the clock is not synchronised and shows \(now); what is recorded by it is taken back if it turns out to be ahead",
            fields: [
                .reason: "no time service has set the clock since the machine's start",
                .remedy: "timedatectl set-ntp true",
            ])
    }
}
