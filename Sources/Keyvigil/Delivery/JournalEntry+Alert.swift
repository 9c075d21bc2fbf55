internal import KeyStore
internal import Keys
internal import Systemd

/// Alerts as entries of the journal.
extension JournalEntry {
    /// The name under which all entries of the daemon stand (`SYSLOG_IDENTIFIER`).
    static let daemonIdentifier = "keyvigild"
    /// The field that makes an alert findable: `KEYVIGIL_ALERT_ID`.
    static let alertIDField = "KEYVIGIL_ALERT_ID"

    /// - Parameter id: unique; the entry is read back by it.
    init(_ alert: Alert, id: String) {
        self.init(
            message: alert.message, priority: JournalPriority(rawValue: alert.priority.rawValue) ?? .notice,
            messageID: alert.kind.messageID, identifier: Self.daemonIdentifier)
        append("KEYVIGIL_ALERT_ID", id)
        append("KEYVIGIL_EVENT", alert.kind.rawValue)
        for field in Alert.Field.allCases {
            guard let value = alert.fields[field], let name = JournalFieldName(validating: field.rawValue) else {
                continue
            }
            append(name, value)
        }
    }
}
