/// The priority of a journal entry: the levels of syslog(3).
///
/// journald syncs entries of `critical` and above to disk at once, and others within five minutes by default
/// (journald.conf(5), `SyncIntervalSec=`).
package enum JournalPriority: Int, Sendable, Comparable, CaseIterable {
    case emergency = 0
    case alert, critical, error, warning, notice, info, debug

    /// A more urgent priority is less, as in `journalctl -p`.
    package static func < (left: JournalPriority, right: JournalPriority) -> Bool {
        left.rawValue < right.rawValue
    }
}
