package import Keys

extension Store {
    /// Puts an alert into the outbox that belongs to no other change.
    package func enqueue(_ alert: Alert, at now: Instant) throws {
        try writeLocally(at: now) { db in try OutboxTable.add(alert, db, at: now) }
    }

    // MARK: - What is to be delivered

    /// An alert that was never sent, as far as needed to decide whether it is to be sent now.
    package struct UnsentAlert: Hashable, Sendable {
        package let entry: OutboxEntry
        package let createdAt: Instant
    }

    /// Alerts that were never sent: the most urgent first, of one priority the oldest first.
    ///
    /// - Parameter priorities: only these.
    package func unsentAlerts(limit: Int, priorities: Set<AlertPriority>) throws -> [UnsentAlert] {
        try read { db in
            try db.all(
                """
                SELECT alert_row, alert_id, priority, created_at FROM alerts
                WHERE delivered_at IS NULL AND attempted_at IS NULL AND \(OutboxTable.isKnown)
                  AND priority IN \(list: priorities.map { Int64($0.rawValue) })
                ORDER BY priority, alert_row LIMIT \(limit)
                """
            ) { UnsentAlert(entry: try OutboxTable.entry($0), createdAt: try $0["created_at"]) }
        }
    }

    /// Alerts that the journal is not known to have: the most urgent first, of one priority the oldest first.
    package func undeliveredAlerts(limit: Int) throws -> [StoredAlert] {
        try alerts("ORDER BY priority, alert_row LIMIT \(limit)")
    }

    /// Those of the alerts that the journal is not known to have, in the same order.
    package func undeliveredAlerts(of entries: [OutboxEntry]) throws -> [StoredAlert] {
        guard !entries.isEmpty else { return [] }
        return try alerts("AND alert_row IN \(list: entries.map(\.row)) ORDER BY priority, alert_row")
    }

    private func alerts(_ rest: SQL) throws -> [StoredAlert] {
        let issuers = self.issuers
        return try read { db in
            try db.all(
                "SELECT \(OutboxTable.columns) FROM alerts WHERE delivered_at IS NULL AND \(OutboxTable.isKnown) \(rest)"
            ) {
                try OutboxTable.alert($0, db, issuers)
            }
        }
    }

    /// Alerts that were sent, by this run or an earlier one, and that the journal is not known to have.
    package func attemptedAlerts() throws -> [OutboxEntry] {
        try read { db in
            try db.all(
                """
                SELECT alert_row, alert_id, priority FROM alerts
                WHERE delivered_at IS NULL AND attempted_at IS NOT NULL AND \(OutboxTable.isKnown) ORDER BY priority, alert_row
                """, OutboxTable.entry)
        }
    }

    /// The latest alert of a kind, delivered or not; nil where there was none.
    package func latestAlert(of kind: AlertKind) throws -> StoredAlert? {
        let issuers = self.issuers
        return try read { db in
            try db.first(
                "SELECT \(OutboxTable.columns) FROM alerts WHERE kind = \(kind) ORDER BY alert_row DESC LIMIT 1"
            ) { try OutboxTable.alert($0, db, issuers) }
        }
    }

    /// Since when the oldest of the alerts waits that this version can deliver; nil where none waits.
    package func oldestUndeliveredAlert() throws -> Instant? { try oldestUndelivered(OutboxTable.isKnown) }

    /// Since when the oldest of the alerts waits that only a newer version can deliver; nil where none waits.
    package func oldestUnknownAlert() throws -> Instant? { try oldestUndelivered("NOT \(OutboxTable.isKnown)") }

    private func oldestUndelivered(_ condition: SQL) throws -> Instant? {
        try read { try $0.first("SELECT min(created_at) FROM alerts WHERE delivered_at IS NULL AND \(condition)") }
    }

    /// The number of alerts that the journal is not known to have.
    package func undeliveredAlertCount() throws -> Int {
        try read { try $0.first("SELECT count(*) FROM alerts WHERE delivered_at IS NULL") ?? 0 }
    }

    /// Runs `body` on the alerts of the store whose kinds this version knows, oldest first.
    package func forEachAlert(
        since: Instant?, kind: AlertKind?, keyID: String?, _ body: (StoredAlert, Instant?) throws -> Void
    ) throws {
        let issuers = self.issuers
        try read { db in
            try db.forEach(
                """
                SELECT \(OutboxTable.columns), delivered_at FROM alerts
                WHERE created_at >= \(since ?? .earliest) AND \(OutboxTable.isKnown) AND (\(kind) IS NULL OR kind = \(kind))
                  AND (\(keyID) IS NULL OR fields ->> \(Alert.Field.keyID.rawValue) = \(keyID))
                ORDER BY alert_row
                """
            ) { row in
                let delivered: Instant? = try row["delivered_at"]
                try body(try OutboxTable.alert(row, db, issuers), delivered)
            }
        }
    }

    // MARK: - What was delivered

    /// Notes that alerts are about to be sent. Written before the sending, so that after a crash they are looked for in
    /// the journal instead of being sent again. From then on the store holds the words that are sent.
    package func markAttempted(_ alerts: [StoredAlert], at now: Instant) throws {
        guard !alerts.isEmpty else { return }
        let end = try writeLocally(at: now) { db in
            try db.run("UPDATE alerts SET attempted_at = \(now) WHERE alert_row IN \(list: alerts.map(\.row))")
            for alert in alerts where alert.isUnworded { try OutboxTable.word(alert, db) }
            return try Self.mark(db)
        }
        // This commit syncs what the alerts are about.
        followWithWitness(end, isSynced: false)
    }

    /// Notes that the journal has alerts.
    package func markDelivered(_ entries: [OutboxEntry], at now: Instant) throws {
        guard !entries.isEmpty else { return }
        try writeLocally(at: now) { db in
            try db.run("UPDATE alerts SET delivered_at = \(now) WHERE alert_row IN \(list: entries.map(\.row))")
        }
    }
}
