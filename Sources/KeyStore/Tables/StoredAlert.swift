package import Keys

/// What names an alert of the outbox: all that delivery keeps of one that is under way.
package struct OutboxEntry: Hashable, Sendable {
    package let row: Int64
    /// The field `KEYVIGIL_ALERT_ID`.
    package let id: String
    package let priority: AlertPriority

    package init(row: Int64, id: String, priority: AlertPriority) {
        self.row = row
        self.id = id
        self.priority = priority
    }
}

/// An alert in the outbox.
package struct StoredAlert: Hashable, Sendable {
    /// The order in which alerts were made.
    package let row: Int64
    /// The field `KEYVIGIL_ALERT_ID`.
    package let id: String
    package let alert: Alert
    package let createdAt: Instant
    /// Set once the alert was sent; it may or may not have reached the journal.
    package let attemptedAt: Instant?
    /// Whether the store does not hold the words yet: see ``DateNotice``.
    package let isUnworded: Bool

    package init(
        row: Int64, id: String, alert: Alert, createdAt: Instant, attemptedAt: Instant?, isUnworded: Bool = false
    ) {
        self.row = row
        self.id = id
        self.alert = alert
        self.createdAt = createdAt
        self.attemptedAt = attemptedAt
        self.isUnworded = isUnworded
    }

    package var entry: OutboxEntry { OutboxEntry(row: row, id: id, priority: alert.priority) }
}
