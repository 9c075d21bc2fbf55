package import Keys

/// One event of the audit.
package struct AuditEvent: Hashable, Sendable {
    package let id: Int64
    package let at: Instant
    package let uid: UInt32
    package let program: String
    package let action: String
    package let keyID: String?
    /// A JSON object.
    package let details: String
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

/// The outcome of checking the chain of audit events.
package enum AuditCheck: Equatable, Sendable {
    case intact(events: Int64)
    /// The first event that does not follow from the one before it, or nil where the end is missing.
    case broken(at: Int64?, reason: String)
}

extension Store {
    /// Runs `body` on each event that passes the filter, oldest first, one at a time: memory stays flat.
    package func forEachAuditEvent(_ filter: AuditFilter = AuditFilter(), _ body: (AuditEvent) throws -> Void) throws {
        // Only the condition on the key has an index, so it is left out where no key is asked for.
        let ofKey: SQL =
            filter.keyID == nil ? "" : "key_row = (SELECT key_row FROM keys WHERE id = \(filter.keyID)) AND"
        try read { db in
            try db.forEach(
                """
                SELECT event_id, at, uid, program, action, key_id, details FROM audit_events
                WHERE \(ofKey) (\(filter.since) IS NULL OR at >= \(filter.since))
                  AND (\(filter.until) IS NULL OR at < \(filter.until))
                  AND (\(filter.action) IS NULL OR action = \(filter.action))
                  AND (\(filter.uid) IS NULL OR uid = \(filter.uid))
                ORDER BY event_id
                """
            ) { row in
                try body(
                    AuditEvent(
                        id: try row["event_id"], at: try row["at"], uid: try row["uid"], program: try row["program"],
                        action: try row["action"], keyID: try row["key_id"], details: try row["details"]))
            }
        }
    }

    /// Follows the chain from its start and compares each link; then compares the keys with what the chain says was done to
    /// them, and with their seals.
    package func checkAudit() throws -> AuditCheck {
        try read { db in
            var head = AuditChain.start
            var count: Int64 = 0
            var rows = try db.rows(
                """
                SELECT event_id, at, uid, program, action, key_id, details, link,
                  key_row IS (SELECT key_row FROM keys WHERE id = key_id) AS is_of_key,
                  EXISTS (SELECT 1 FROM keys WHERE id = key_id) AS has_key
                FROM audit_events ORDER BY event_id
                """)
            while let row = try rows.next() {
                let event: Int64 = try row["event_id"]
                let content = AuditChain.content(
                    at: try row["at"], uid: try row["uid"], program: try row["program"], action: try row["action"],
                    key: try row["key_id"], details: try row["details"])
                head = pepper.auditLink(after: head, event: content)
                count += 1
                let isLinked = try row["link"] == SecretHash(head)
                if isLinked, try !row["is_of_key"], try !row["has_key"], let id: String = try row["key_id"] {
                    return .broken(at: event, reason: "the key \(id), which it is about, is missing from the store")
                }
                guard isLinked, try row["is_of_key"] else {
                    return .broken(
                        at: event, reason: "it was changed, or an event before it was changed, removed or moved")
                }
            }
            let seal: SecretHash? = try db.first("SELECT audit_seal FROM store")
            guard seal == SecretHash(AuditChain.seal(count: count, head: head, pepper: pepper)) else {
                return .broken(at: nil, reason: "events were removed from the end")
            }
            if let difference = try AuditReplay(db).firstDifference() { return difference }
            if let misfit = try firstMisfit(db) { return .broken(at: nil, reason: misfit) }
            return .intact(events: count)
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
