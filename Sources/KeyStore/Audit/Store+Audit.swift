package import Keys

/// One event of the audit.
package struct AuditEvent: Hashable, Sendable {
    package let id: Int64
    /// The host that wrote it; empty for events from before the store was of a fleet. Nil where one host wrote all events.
    package let host: String?
    package let at: Instant
    package let uid: UInt32
    package let program: String
    package let action: String
    package let keyID: String?
    /// A JSON object.
    package let details: String

    /// The index of an event among those of its host, from 1.
    package static func index(ofEvent event: Int64) -> Int64 { AuditChains.index(ofEvent: event) }
}

/// Which events of the audit are shown; nil leaves a property open.
package struct AuditFilter: Hashable, Sendable {
    /// The public id of a key.
    package var keyID: String?
    package var since: Instant?
    /// The first instant that is not shown any more.
    package var until: Instant?
    package var action: AuditAction?
    package var uid: UInt32?

    package init() {}
}

/// The outcome of checking the chains of audit events.
package enum AuditCheck: Equatable, Sendable {
    case intact(events: Int64)
    /// The first event that does not follow from the one before it, or nil where the end is missing; and the host that wrote
    /// the chain, as ``AuditEvent/host``.
    case broken(at: Int64?, host: String?, reason: String)
}

extension Store {
    /// Runs `body` on each event that passes the filter, oldest first, one at a time: memory stays flat. Events of several hosts
    /// are in the order of their times.
    package func forEachAuditEvent(_ filter: AuditFilter = AuditFilter(), _ body: (AuditEvent) throws -> Void) throws {
        // Only the condition on the key has an index, so it is left out where no key is asked for.
        let ofKey: SQL =
            filter.keyID == nil ? "" : "key_row = (SELECT key_row FROM keys WHERE id = \(filter.keyID)) AND"
        try read { db in
            let areSeveral = try AuditChains.areSeveral(db)
            let names = try AuditChains.all(db).reduce(into: [:]) { $0[$1.host.number] = $1.host.name }
            let order: SQL = areSeveral ? "at, event_id" : "event_id"
            try db.forEach(
                """
                SELECT event_id, at, uid, program, action, key_id, details FROM audit_events
                WHERE \(ofKey) (\(filter.since) IS NULL OR at >= \(filter.since))
                  AND (\(filter.until) IS NULL OR at < \(filter.until))
                  AND (\(filter.action) IS NULL OR action = \(filter.action))
                  AND (\(filter.uid) IS NULL OR uid = \(filter.uid))
                ORDER BY \(order)
                """
            ) { row in
                let id: Int64 = try row["event_id"]
                try body(
                    AuditEvent(
                        id: id, host: areSeveral ? names[AuditChains.host(ofEvent: id)] : nil, at: try row["at"],
                        uid: try row["uid"], program: try row["program"], action: try row["action"],
                        keyID: try row["key_id"], details: try row["details"]))
            }
        }
    }

    /// Follows the chain of each host from its start and compares each link; then compares the keys with what the chains say was
    /// done to them, and with their seals.
    package func checkAudit() throws -> AuditCheck {
        try read { db in
            let chains = try ChainCheck(db, pepper: pepper).run()
            guard case .intact = chains else { return chains }
            if let difference = try AuditReplay(db).firstDifference() { return difference }
            if let misfit = try firstMisfit(db) { return .broken(at: nil, host: nil, reason: misfit) }
            return chains
        }
    }

    /// The first record that does not fit its seal, in words; nil where there is none. It reads the whole store.
    private func firstMisfit(_ db: Connection) throws -> String? {
        var first: RowSeals.Misfit?
        var last: Int64? = 0
        while first == nil, let key = last {
            last = try seals.look(after: key, limit: 10_000, db) { first = first ?? $0 }
        }
        guard let first else { return nil }
        let id: String? = try db.first("SELECT id FROM keys WHERE key_row = \(first.keyRow)")
        let record = first.secret == nil ? "the record of the key" : "the record of a secret of the key"
        return "\(record) \(id ?? "") was changed by something other than Keyvigil: it does not fit its seal"
    }
}
