internal import KeyStore
internal import Keys
internal import Systemd

/// Alerts as entries of the journal.
extension JournalEntry {
    /// The name of the daemon in its entries (`SYSLOG_IDENTIFIER`).
    static let daemonIdentifier = "keyvigild"
    /// The field that makes an alert findable: `KEYVIGIL_ALERT_ID`.
    static let alertIDField = "KEYVIGIL_ALERT_ID"

    /// The field with the value as it is, where that differs from what is shown: for programs. The catalogue names none.
    static func rawName(of field: Alert.Field) -> String { field.rawValue + "_RAW" }

    /// The message and every field are shown on terminals, the fields by the catalogue's text (`journalctl -x`). So each is
    /// one line of a bounded length without a character that a terminal obeys or that moves other text, and a value from
    /// outside is fit for the catalogue's quotes.
    ///
    /// - Parameter id: unique; the entry is read back by it.
    init(_ alert: Alert, id: String) {
        self.init(
            message: DisplayText.escaped(alert.message, limit: Alert.longestMessage),
            priority: JournalPriority(rawValue: alert.priority.rawValue) ?? .notice,
            messageID: alert.kind.messageID, identifier: Self.daemonIdentifier)
        append("KEYVIGIL_ALERT_ID", id)
        append("KEYVIGIL_EVENT", alert.kind.rawValue)
        let explained = alert.kind.explainedFields
        for field in Alert.Field.allCases {
            guard let value = alert.fields[field] else {
                if explained.contains(field) { append(field.rawValue, Alert.Field.absent) }
                continue
            }
            let shown =
                field.isWording
                ? DisplayText.escaped(value, limit: field.longest)
                : DisplayText.betweenQuotes(value, limit: field.longest)
            append(field.rawValue, shown)
            if shown != value || value == Alert.Field.absent { append(Self.rawName(of: field), value) }
        }
    }

    private mutating func append(_ name: String, _ value: String) {
        if let name = JournalFieldName(validating: name) { append(name, value) }
    }
}

extension JournalRecord {
    /// The value of a field of an alert, as it was before it was made fit to be shown; nil where it has none.
    subscript(_ field: Alert.Field) -> String? {
        if let raw = self[JournalEntry.rawName(of: field)] { return raw }
        return self[field.rawValue].flatMap { $0 == Alert.Field.absent ? nil : $0 }
    }
}
