internal import GRDB
internal import Keys

/// One batch of a sweep, within its transaction.
struct SweepBatch {
    private let now: Instant
    private let limit: Int
    private let policy: LifecyclePolicy
    private let issuers: IssuerCatalog
    private var result = SweepResult()

    init(at now: Instant, limit: Int, policy: LifecyclePolicy, issuers: IssuerCatalog) {
        self.now = now
        self.limit = limit
        self.policy = policy
        self.issuers = issuers
    }

    /// A key on which something is due.
    private struct DueKey {
        let row: Int64
        let id: KeyID
        let actions: [LifecycleAction]
        /// Whether anything of it was ever found somewhere.
        let hasFindings: Bool

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
        for entry in due {
            for action in entry.actions {
                if try outbox.add(action, of: entry.id) { result.alerts += 1 }
                try record(action, entry, &audit)
            }
            if !entry.actions.isEmpty { result.keys += 1 }
            if entry.onlyExpires, !entry.hasFindings { continue }
            var key = try KeyRow.fetch(db, row: entry.row)
            if !entry.onlyExpires {
                for action in entry.actions { try apply(action, to: &key, entry.row, db) }
                try KeyRow.update(db, row: entry.row, to: key, at: now, policy: policy)
            }
            if entry.hasFindings { try Findings.regrade(db, keyRow: entry.row, key: key, issuers: issuers, at: now) }
        }
        return result
    }

    /// The keys of the batch, the longest due first.
    private static let batch = "SELECT key_row FROM keys WHERE next_due_at <= ?1 ORDER BY next_due_at, key_row LIMIT ?2"

    /// Reads what the rules ask for, and no more.
    private func fetch(_ db: Database) throws -> [DueKey] {
        let rows = try RawStatement(
            db,
            """
            SELECT k.key_row, k.id, EXISTS (SELECT 1 FROM findings f WHERE f.key_row = k.key_row),
              \(KeyRow.factColumns)
            FROM keys k WHERE k.next_due_at <= ?1 ORDER BY k.next_due_at, k.key_row LIMIT ?2
            """)
        rows.bind(1, now.milliseconds)
        rows.bind(2, Int64(limit))
        defer { rows.reset() }
        var due: [DueKey] = []
        while try rows.step() {
            let facts = try KeyRow.facts(rows, from: 3)
            due.append(
                DueKey(
                    row: rows.integer(0), id: KeyID(stored: rows.text(1)),
                    actions: LifecycleRules.actions(for: facts, at: now, policy: policy),
                    hasFindings: rows.integer(2) != 0))
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

    private func record(_ action: LifecycleAction, _ entry: DueKey, _ audit: inout AuditChain) throws {
        var details = JSONLine()
        let event: AuditAction
        switch action {
        case .expire(let at):
            details.add("expires_at", at)
            event = .keyExpired
        case .noticeExpiry(let at, let notice):
            details.add("expires_at", at)
            details.add("notice", notice.description)
            event = .keyExpiryNoticed
        case .noticeRotationDue(let since):
            details.add("due_at", since)
            event = .rotationDue
        case .noticeRotationOverdue(let since):
            details.add("due_at", since)
            event = .rotationOverdue
        case .retire:
            event = .secretRetired
        case .noticeUnused(let since):
            details.add("last_used_at", since)
            event = .keyUnused
        }
        try audit.record(event, key: entry.id, row: entry.row, details: details)
    }

    private func apply(_ action: LifecycleAction, to key: inout Key, _ row: Int64, _ db: Database) throws {
        switch action {
        case .expire: key.recordedStatus = .expired
        case .noticeExpiry(let at, let notice):
            key.expiryNoticeSent = notice
            key.expiryNoticeFor = at
        case .noticeRotationDue(let since):
            key.rotationNotice = .due
            key.rotationNoticeFor = since
        case .noticeRotationOverdue(let since):
            key.rotationNotice = .overdue
            key.rotationNoticeFor = since
        case .retire:
            let statement = try RawStatement(
                db,
                """
                UPDATE secrets SET state = 'retired', retired_at = retires_at
                WHERE key_row = ? AND state = 'retiring' AND retires_at <= ?
                """)
            statement.bind(1, row)
            statement.bind(2, now.milliseconds)
            try statement.run()
        case .noticeUnused:
            key.unusedNoticeSent = true
            key.unusedNoticeFor = key.facts.idleAt(policy: policy)
        }
    }
}
