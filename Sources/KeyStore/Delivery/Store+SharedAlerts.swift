package import Keys
internal import Synchronization

extension Store {
    /// An alert of the fleet's list; nil for one of a kind that only a newer version knows. One about a date of a key, which the list has
    /// without words, has those of the key as it is now.
    package func alert(_ shared: SharedAlert) throws -> Alert? {
        guard let kind = AlertKind(rawValue: shared.kind) else { return nil }
        let fields = try StoredFields(shared.fields)
        let issuers = self.issuers
        return try read { db in try OutboxTable.wordedNotice(fields, db, issuers) }
            ?? Alert(
                kind: kind, priority: AlertPriority(rawValue: Int(shared.priority)) ?? .notice,
                message: Wording(words: shared.message), fields: OutboxTable.alertFields(fields))
    }

    /// Brings the outbox and the fleet's list of alerts together: takes what this host is to report, and notes what its journal has.
    ///
    /// An alert that this host has taken and that is not in its outbox was lost by a crash after the fleet's database had committed it: it
    /// is put there. So nothing that was delivered is forgotten here before the fleet knows (``pruneAlerts(_:at:limit:)``).
    ///
    /// - Returns: the number of alerts that are new in the outbox.
    @discardableResult
    package func exchangeAlerts(at now: Instant) throws -> Int {
        guard let authority else { return 0 }
        let taken = try authority.takeAlerts(as: host.number, limit: Self.alertsAtOnce)
        var delivered: [String] = []
        let missing = try look { db in
            try taken.filter { alert in
                let isDelivered: Bool? = try db.first(
                    "SELECT delivered_at IS NOT NULL FROM alerts WHERE alert_id = \(alert.id)")
                if isDelivered == true { delivered.append(alert.id) }
                return isDelivered == nil
            }
        }
        if !missing.isEmpty { try writeLocally { db in for alert in missing { try alert.add(to: db) } } }
        if !delivered.isEmpty { try authority.noteDelivered(delivered, by: host.number) }
        if taken.count < Self.alertsAtOnce { deliveriesKnown.withLock { $0 = now } }
        return missing.count
    }

    private static let alertsAtOnce = 5_000
}
