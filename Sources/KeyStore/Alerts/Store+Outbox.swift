internal import Foundation
internal import GRDB
package import Keys

/// An alert in the outbox.
package struct StoredAlert: Hashable, Sendable {
    /// The order of delivery.
    package let row: Int64
    /// The field `KEYVIGIL_ALERT_ID`.
    package let id: String
    package let alert: Alert
    package let createdAt: Instant
    /// Set once the alert was sent; it may or may not have reached the journal.
    package let attemptedAt: Instant?
}

extension Store {
    /// Puts an alert into the outbox that belongs to no other change.
    package func enqueue(_ alert: Alert, at now: Instant) throws {
        try write { db in try Outbox.add(alert, db, at: now) }
    }

    /// The oldest alerts that the journal is not known to have.
    package func undeliveredAlerts(limit: Int) throws -> [StoredAlert] {
        let issuers = self.issuers
        return try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT alert_row, alert_id, kind, priority, message, fields, created_at, attempted_at FROM alerts
                    WHERE delivered_at IS NULL ORDER BY alert_row LIMIT ?
                    """, arguments: [limit]
            ).map { try Outbox.alert($0, db, issuers) }
        }
    }

    /// The number of alerts that the journal is not known to have.
    package func undeliveredAlertCount() throws -> Int {
        try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM alerts WHERE delivered_at IS NULL") ?? 0 }
    }

    /// Notes that alerts are about to be sent. Written before the sending, so that after a crash they are looked for in
    /// the journal instead of being sent again.
    package func markAttempted(_ alerts: [StoredAlert], at now: Instant) throws {
        // This commit syncs what the alerts are about.
        if let end = try mark(alerts, "attempted_at", at: now) { followWithWitness(end, isSynced: false) }
    }

    /// Notes that the journal has alerts.
    package func markDelivered(_ alerts: [StoredAlert], at now: Instant) throws {
        _ = try mark(alerts, "delivered_at", at: now)
    }

    /// - Returns: where the audit ends in the same commit; nil where there was nothing to mark.
    private func mark(_ alerts: [StoredAlert], _ column: String, at now: Instant) throws -> Witness.Mark? {
        guard !alerts.isEmpty else { return nil }
        return try write { db in
            let statement = try RawStatement(db, "UPDATE alerts SET \(column) = ? WHERE alert_row = ?")
            statement.bind(1, now.milliseconds)
            for alert in alerts {
                statement.bind(2, alert.row)
                try statement.run()
            }
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
                    SELECT alert_row, alert_id, kind, priority, message, fields, created_at, attempted_at, delivered_at
                    FROM alerts
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

    /// Forgets alerts that were delivered before an instant: the journal has them.
    package func pruneAlerts(deliveredBefore instant: Instant) throws {
        try write { db in
            try db.execute(sql: "DELETE FROM alerts WHERE delivered_at < ?", arguments: [instant.milliseconds])
        }
    }
}

/// The outbox within a transaction.
enum Outbox {
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
        return StoredAlert(
            row: row[0], id: row[1],
            alert: try wording(stored, db, issuers)
                ?? Alert(
                    kind: kind, priority: AlertPriority(rawValue: priorityNumber) ?? .notice, message: row[4],
                    fields: fields(stored)),
            createdAt: Instant(milliseconds: row[6]), attemptedAt: attempted.map(Instant.init(milliseconds:)))
    }

    private static func fields(_ stored: StoredFields) -> [Alert.Field: String] {
        var fields: [Alert.Field: String] = [:]
        for (name, value) in stored.texts {
            if let field = Alert.Field(rawValue: name) { fields[field] = value }
        }
        return fields
    }

    /// The words for an alert about a date of a key, nil for one that has its own. The key is told as it is now, a moment
    /// later as a rule; a deleted key's row remains, so there always is one.
    private static func wording(_ stored: StoredFields, _ db: Database, _ issuers: IssuerCatalog) throws -> Alert? {
        guard let notice = DateNotice(stored),
            let row = try Int64.fetchOne(
                db, sql: "SELECT key_row FROM keys WHERE id = ?", arguments: [notice.keyID])
        else { return nil }
        return Alert(notice.action, key: try KeyRow.fetch(db, row: row), issuers: issuers)
    }
}
