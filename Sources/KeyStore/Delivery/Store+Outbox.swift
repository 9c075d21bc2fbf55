internal import Foundation
internal import GRDB
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

extension Store {
    /// Puts an alert into the outbox that belongs to no other change.
    package func enqueue(_ alert: Alert, at now: Instant) throws {
        try write { db in try Outbox.add(alert, db, at: now) }
    }

    /// Alerts that the journal is not known to have: the most urgent first, of one priority the oldest first.
    ///
    /// - Parameters:
    ///   - priorities: only these; nil for all.
    ///   - unsentOnly: only those that were never sent.
    package func undeliveredAlerts(
        limit: Int, priorities: Set<AlertPriority>? = nil, unsentOnly: Bool = false
    ) throws -> [StoredAlert] {
        let wanted = priorities.map { " AND priority IN (\(Outbox.list($0.map { Int64($0.rawValue) })))" } ?? ""
        return try alerts(
            where: "delivered_at IS NULL\(wanted)\(unsentOnly ? " AND attempted_at IS NULL" : "")", limit: limit)
    }

    /// Those of the alerts that the journal is not known to have.
    package func undeliveredAlerts(of entries: [OutboxEntry]) throws -> [StoredAlert] {
        guard !entries.isEmpty else { return [] }
        return try alerts(
            where: "delivered_at IS NULL AND alert_row IN (\(Outbox.list(entries.map(\.row))))", limit: entries.count)
    }

    /// Alerts that were sent, by this run or an earlier one, and that the journal is not known to have.
    package func attemptedAlerts() throws -> [OutboxEntry] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT alert_row, alert_id, priority FROM alerts
                    WHERE delivered_at IS NULL AND attempted_at IS NOT NULL ORDER BY priority, alert_row
                    """
            ).map { OutboxEntry(row: $0[0], id: $0[1], priority: Outbox.priority($0[2])) }
        }
    }

    /// The latest alert of a kind, delivered or not; nil where there was none.
    package func latestAlert(of kind: AlertKind) throws -> StoredAlert? {
        let issuers = self.issuers
        return try read { db in
            try Row.fetchOne(
                db, sql: "SELECT \(Outbox.columns) FROM alerts WHERE kind = ? ORDER BY alert_row DESC LIMIT 1",
                arguments: [kind.rawValue]
            ).map { try Outbox.alert($0, db, issuers) }
        }
    }

    private func alerts(where condition: String, limit: Int) throws -> [StoredAlert] {
        let issuers = self.issuers
        return try read { db in
            try Row.fetchAll(
                db, sql: "SELECT \(Outbox.columns) FROM alerts WHERE \(condition) ORDER BY priority, alert_row LIMIT ?",
                arguments: [limit]
            ).map { try Outbox.alert($0, db, issuers) }
        }
    }

    /// Since when the oldest of the alerts waits that the journal is not known to have; nil where none waits.
    package func oldestUndeliveredAlert() throws -> Instant? {
        try read {
            try Int64.fetchOne($0, sql: "SELECT min(created_at) FROM alerts WHERE delivered_at IS NULL")
                .map(Instant.init(milliseconds:))
        }
    }

    /// The number of alerts that the journal is not known to have.
    package func undeliveredAlertCount() throws -> Int {
        try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM alerts WHERE delivered_at IS NULL") ?? 0 }
    }

    /// Notes that alerts are about to be sent. Written before the sending, so that after a crash they are looked for in
    /// the journal instead of being sent again. From then on the store holds the words that are sent.
    package func markAttempted(_ alerts: [StoredAlert], at now: Instant) throws {
        let end = try mark(alerts.map(\.row), "attempted_at", at: now) { db in
            for alert in alerts where alert.isUnworded { try Outbox.word(alert, db) }
        }
        // This commit syncs what the alerts are about.
        if let end { followWithWitness(end, isSynced: false) }
    }

    /// Notes that the journal has alerts.
    package func markDelivered(_ entries: [OutboxEntry], at now: Instant) throws {
        _ = try mark(entries.map(\.row), "delivered_at", at: now)
    }

    /// - Returns: where the audit ends in the same commit; nil where there was nothing to mark.
    private func mark(
        _ rows: [Int64], _ column: String, at now: Instant, _ more: (Database) throws -> Void = { _ in }
    ) throws -> Witness.Mark? {
        guard !rows.isEmpty else { return nil }
        return try write { db in
            let statement = try RawStatement(db, "UPDATE alerts SET \(column) = ? WHERE alert_row = ?")
            statement.bind(1, now.milliseconds)
            for row in rows {
                statement.bind(2, row)
                try statement.run()
            }
            try more(db)
            return try Self.mark(db)
        }
    }

    /// Runs `body` on the alerts of the store, oldest first.
    package func forEachAlert(
        since: Instant?, kind: AlertKind?, keyID: String?, _ body: (StoredAlert, Instant?) throws -> Void
    ) throws {
        let issuers = self.issuers
        return try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT \(Outbox.columns), delivered_at FROM alerts
                    WHERE created_at >= ?1 AND (?2 IS NULL OR kind = ?2)
                      AND (?3 IS NULL OR fields ->> 'KEYVIGIL_KEY_ID' = ?3)
                    ORDER BY alert_row
                    """, arguments: [since?.milliseconds ?? 0, kind?.rawValue, keyID])
            while let row = try rows.next() {
                let delivered: Int64? = row[8]
                try body(try Outbox.alert(row, db, issuers), delivered.map(Instant.init(milliseconds:)))
            }
        }
    }

}

/// The outbox within a transaction.
enum Outbox {
    /// What ``alert(_:_:_:)`` reads, in its order.
    static let columns = "alert_row, alert_id, kind, priority, message, fields, created_at, attempted_at"

    /// Numbers as SQL lists them.
    static func list(_ numbers: some Sequence<Int64>) -> String { numbers.map(String.init).joined(separator: ", ") }

    static func priority(_ number: Int) -> AlertPriority { AlertPriority(rawValue: number) ?? .notice }

    /// Writes the words of an alert down, as they are now.
    static func word(_ alert: StoredAlert, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE alerts SET message = ?, fields = ? WHERE alert_row = ?",
            arguments: [alert.alert.message, OutboxWriter.fields(of: alert.alert), alert.row])
    }

    /// Writes down the words of all alerts about dates of a key, before the key is changed: they tell of what it was.
    static func wordNotices(of key: KeyID, _ db: Database, _ issuers: IssuerCatalog) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(columns) FROM alerts
                WHERE delivered_at IS NULL AND message = '' AND fields ->> '\(Alert.Field.keyID.rawValue)' = ?
                """, arguments: [key.text])
        for row in rows { try word(try alert(row, db, issuers), db) }
    }

    static func add(_ alert: Alert, _ db: Database, at now: Instant) throws {
        var writer = try OutboxWriter(db, at: now)
        try writer.add(alert)
    }

    /// Takes out the alerts about dates of keys that a clock that was ahead has put there, and that were not sent yet.
    static func dropUnsentDateNotices(_ db: Database, after now: Instant) throws {
        // Such an alert has no words of its own.
        try db.execute(
            sql:
                "DELETE FROM alerts WHERE delivered_at IS NULL AND attempted_at IS NULL AND message = '' AND created_at > ?",
            arguments: [now.milliseconds])
    }

    static func alert(_ row: Row, _ db: Database, _ issuers: IssuerCatalog) throws -> StoredAlert {
        let kindText: String = row[2]
        let priorityNumber: Int = row[3]
        let json: String = row[5]
        let stored = try JSONDecoder().decode(StoredFields.self, from: Data(json.utf8))
        guard let kind = AlertKind(rawValue: kindText) else {
            throw StoreError(
                .newerVersion, "the store holds an alert of the unknown kind '\(DisplayText.escaped(kindText))'",
                hint: "install the version of Keyvigil that wrote it, or a later one")
        }
        let attempted: Int64? = row[7]
        let worded = try wording(stored, db, issuers)
        return StoredAlert(
            row: row[0], id: row[1],
            alert: worded
                ?? Alert(kind: kind, priority: priority(priorityNumber), message: row[4], fields: fields(stored)),
            createdAt: Instant(milliseconds: row[6]), attemptedAt: attempted.map(Instant.init(milliseconds:)),
            isUnworded: worded != nil)
    }

    private static func fields(_ stored: StoredFields) -> [Alert.Field: String] {
        var fields: [Alert.Field: String] = [:]
        for (name, value) in stored.texts {
            if let field = Alert.Field(rawValue: name) { fields[field] = value }
        }
        return fields
    }

    /// The words for an alert about a date of a key, nil for one that has its own. They describe the key as it is now:
    /// before it is changed, the words are written down. A deleted key's row remains, so there always is one.
    private static func wording(_ stored: StoredFields, _ db: Database, _ issuers: IssuerCatalog) throws -> Alert? {
        guard let notice = DateNotice(stored),
            let row = try Int64.fetchOne(
                db, sql: "SELECT key_row FROM keys WHERE id = ?", arguments: [notice.keyID])
        else { return nil }
        return Alert(notice.action, key: try KeyRow.fetch(db, row: row), issuers: issuers)
    }
}
