internal import KeyStore
internal import Keys
internal import Synchronization
internal import Systemd

/// Where entries go: the journal, or a terminal where there is no journal.
enum EntryOutput: Sendable {
    case journal(JournalWriter)
    case terminal(TerminalLog)

    /// Writes an entry that is no alert of the store: the daemon's own words.
    func log(_ alert: Alert, id: String = AlertID.random(), at now: Instant) {
        switch self {
        case .journal(let writer): _ = writer.send(JournalEntry(alert, id: id))
        case .terminal(let log): log.write(alert, at: now)
        }
    }
}

/// Alerts as lines of text, for a daemon that runs in the foreground of a terminal.
final class TerminalLog: Sendable {
    private let style: Style

    init(style: Style) { self.style = style }

    func write(_ alert: Alert, at now: Instant) { Terminal.print(line(alert, at: "\(now)")) }

    /// - Parameter date: as it is shown.
    func line(_ alert: Alert, at date: String) -> String {
        let name = alert.kind.rawValue
        let kind = name + String(repeating: " ", count: max(0, 17 - name.utf8.count))
        let coloured =
            switch alert.priority {
            case .critical, .error: style.red(kind)
            case .warning: style.yellow(kind)
            default: style.bold(kind)
            }
        let message = DisplayText.escaped(alert.message, limit: Alert.longestMessage)
        return "\(style.dim(date)) \(coloured) \(message)"
    }
}
