internal import GRDB
package import Keys

/// What a sweep did.
package struct SweepResult: Equatable, Sendable {
    /// Keys on which something was due.
    package var keys = 0
    /// Alerts put into the outbox.
    package var alerts = 0
    /// Whether more keys are due than one batch holds.
    package var isIncomplete = false
}

extension Store {
    /// The next instant at which something is due, or nil: one probe of an index.
    package func nextDue() throws -> Instant? {
        try read { db in
            KeyRow.instant(
                try Int64.fetchOne(
                    db, sql: "SELECT next_due_at FROM keys WHERE next_due_at IS NOT NULL ORDER BY next_due_at LIMIT 1"))
        }
    }

    /// Does what is due at `now` on at most `limit` keys, in one transaction with audit events and alerts.
    ///
    /// With nothing due it only reads, so an idle store is never written.
    package func sweep(at now: Instant, limit: Int = 500, by actor: Actor) throws -> SweepResult {
        guard let next = try nextDue(), next <= now else { return SweepResult() }
        let (policy, issuers) = (self.policy, self.issuers)
        return try change(at: now, by: actor) { db, audit in
            var result = SweepResult()
            let rows = try Int64.fetchAll(
                db, sql: "SELECT key_row FROM keys WHERE next_due_at <= ? ORDER BY next_due_at LIMIT ?",
                arguments: [now.milliseconds, limit])
            for row in rows {
                var key = try KeyRow.fetch(db, row: row)
                let actions = LifecycleRules.actions(for: key.facts, at: now, policy: policy)
                for action in actions {
                    if let alert = Alert(action, key: key, issuers: issuers) {
                        try Outbox.add(alert, db, at: now)
                        result.alerts += 1
                    }
                    try Self.apply(action, to: &key, row, db, &audit, at: now)
                }
                try KeyRow.update(db, row: row, to: key, at: now, policy: policy)
                if !actions.isEmpty {
                    result.keys += 1
                    try Findings.regrade(db, keyRow: row, key: key, at: now)
                }
            }
            result.isIncomplete = rows.count == limit
            return result
        }
    }

    private static func apply(
        _ action: LifecycleAction, to key: inout Key, _ row: Int64, _ db: Database, _ audit: inout AuditChain,
        at now: Instant
    ) throws {
        var details = JSONLine()
        switch action {
        case .expire(let at):
            key.recordedStatus = .expired
            details.add("expires_at", at)
            try audit.record(db, "key.expired", key: key.id, details: details)
        case .noticeExpiry(let at, let notice):
            key.expiryNoticeSent = notice
            details.add("expires_at", at)
            details.add("notice", notice.description)
            try audit.record(db, "key.expiry_noticed", key: key.id, details: details)
        case .noticeRotationDue(let since):
            key.rotationNotice = .due
            details.add("due_at", since)
            try audit.record(db, "rotation.due", key: key.id, details: details)
        case .noticeRotationOverdue(let since):
            key.rotationNotice = .overdue
            details.add("due_at", since)
            try audit.record(db, "rotation.overdue", key: key.id, details: details)
        case .retire(let at):
            try db.execute(
                sql:
                    "UPDATE secrets SET state = 'retired', retired_at = ? WHERE key_row = ? AND state = 'retiring' AND retires_at <= ?",
                arguments: [at.milliseconds, row, now.milliseconds])
            key.retiresAt = nil
            try audit.record(db, "secret.retired", key: key.id, details: details)
        case .noticeUnused(let since):
            key.unusedNoticeSent = true
            details.add("last_used_at", since)
            try audit.record(db, "key.unused", key: key.id, details: details)
        }
    }

    /// Makes every due date anew, after the policy has changed. A notice that is new to the policy, and whose time has
    /// passed, is sent with the next sweep: the most urgent one, once.
    func remakeDueDates(_ db: Database, at now: Instant) throws {
        let policy = self.policy
        for row in try Int64.fetchAll(db, sql: "SELECT key_row FROM keys WHERE status = 'active'") {
            try KeyRow.update(db, row: row, to: try KeyRow.fetch(db, row: row), at: now, policy: policy)
        }
    }
}
