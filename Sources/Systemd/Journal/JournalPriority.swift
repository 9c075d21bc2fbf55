/// The urgency of a journal entry: the levels of syslog(3).
///
/// journald stores `critical` and above on disk at once, everything else within five minutes.
package enum JournalPriority: Int, Sendable, Comparable, CaseIterable {
    case emergency = 0
    case alert, critical, error, warning, notice, info, debug

    /// The more urgent is the lesser, as in journalctl's `-p`.
    package static func < (left: JournalPriority, right: JournalPriority) -> Bool {
        left.rawValue < right.rawValue
    }
}
