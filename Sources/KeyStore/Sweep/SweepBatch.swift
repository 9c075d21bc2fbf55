internal import GRDB
internal import Keys

/// One batch of a sweep, within its transaction.
struct SweepBatch {
    private let now: Instant
    private let limit: Int
    private let policy: LifecyclePolicy
    private var result = SweepResult()

    init(at now: Instant, limit: Int, policy: LifecyclePolicy) {
        self.now = now
        self.limit = limit
        self.policy = policy
    }

    /// A key on which something is due.
    private struct DueKey {
        let row: Int64
        var key: Key
        /// Whether anything of it was ever found somewhere.
        let hasFindings: Bool
        let actions: [LifecycleAction]

        /// Whether all that happens to the row is that it is expired: then it is written together with the others.
        var onlyExpires: Bool {
            if actions.count == 1, case .expire = actions[0] { return true }
            return false
        }
    }

    mutating func run(_ db: Database, _ audit: inout AuditChain) throws -> SweepResult {
        let due = try fetch(db)
        result.isIncomplete = due.count == limit
        try writeExpired(db, expected: due.count { $0.onlyExpires })
        var outbox = try OutboxWriter(db, at: now)
        for var entry in due {
            for action in entry.actions {
                if try outbox.add(action, of: entry.key) { result.alerts += 1 }
                try apply(action, to: &entry.key, entry.row, db, &audit)
            }
            if !entry.onlyExpires { try KeyRow.update(db, row: entry.row, to: entry.key, at: now, policy: policy) }
            if !entry.actions.isEmpty { result.keys += 1 }
            if entry.hasFindings { try Findings.regrade(db, keyRow: entry.row, key: entry.key, at: now) }
        }
        return result
    }

    /// The keys of the batch, the longest due first.
    private static let batch = "SELECT key_row FROM keys WHERE next_due_at <= ?1 ORDER BY next_due_at, key_row LIMIT ?2"

    private func fetch(_ db: Database) throws -> [DueKey] {
        let rows = try RawStatement(
            db,
            """
            SELECT \(KeyRow.columns), EXISTS (SELECT 1 FROM findings f WHERE f.key_row = k.key_row)
            FROM (\(Self.batch)) b CROSS JOIN keys k ON k.key_row = b.key_row
            JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'
            """)
        rows.bind(1, now.milliseconds)
        rows.bind(2, Int64(limit))
        defer { rows.reset() }
        var due: [DueKey] = []
        while try rows.step() {
            let key = try KeyRow.key(rows)
            due.append(
                DueKey(
                    row: rows.integer(0), key: key, hasFindings: rows.integer(KeyRow.columnCount) != 0,
                    actions: LifecycleRules.actions(for: key.facts, at: now, policy: policy)))
        }
        return due
    }

    /// Writes all keys of the batch that expire, with one statement: when a year's keys end on one night, this is what
    /// there is to do.
    private func writeExpired(_ db: Database, expected: Int) throws {
        guard expected > 0 else { return }
        let statement = try RawStatement(
            db,
            """
            UPDATE keys SET status = 'expired', next_due_at = NULL
            WHERE key_row IN (\(Self.batch)) AND status = 'active' AND expires_at <= ?1
            """)
        statement.bind(1, now.milliseconds)
        statement.bind(2, Int64(limit))
        try statement.run()
        guard db.changesCount == expected else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT,
                message: "\(expected) keys expire, but \(db.changesCount) rows were changed")
        }
    }

    private func apply(
        _ action: LifecycleAction, to key: inout Key, _ row: Int64, _ db: Database, _ audit: inout AuditChain
    ) throws {
        var details = JSONLine()
        switch action {
        case .expire(let at):
            key.recordedStatus = .expired
            details.add("expires_at", at)
            try audit.record(.keyExpired, key: key.id, details: details)
        case .noticeExpiry(let at, let notice):
            key.expiryNoticeSent = notice
            details.add("expires_at", at)
            details.add("notice", notice.description)
            try audit.record(.keyExpiryNoticed, key: key.id, details: details)
        case .noticeRotationDue(let since):
            key.rotationNotice = .due
            details.add("due_at", since)
            try audit.record(.rotationDue, key: key.id, details: details)
        case .noticeRotationOverdue(let since):
            key.rotationNotice = .overdue
            details.add("due_at", since)
            try audit.record(.rotationOverdue, key: key.id, details: details)
        case .retire(let at):
            let statement = try RawStatement(
                db,
                """
                UPDATE secrets SET state = 'retired', retired_at = ?
                WHERE key_row = ? AND state = 'retiring' AND retires_at <= ?
                """)
            statement.bind(1, at.milliseconds)
            statement.bind(2, row)
            statement.bind(3, now.milliseconds)
            try statement.run()
            key.retiresAt = nil
            try audit.record(.secretRetired, key: key.id, details: details)
        case .noticeUnused(let since):
            key.unusedNoticeSent = true
            details.add("last_used_at", since)
            try audit.record(.keyUnused, key: key.id, details: details)
        }
    }
}
