internal import Keys

/// One batch of a sweep, within its transaction.
struct SweepBatch {
    private let now: Instant
    private let limit: Int
    private let policy: LifecyclePolicy
    private let issuers: IssuerCatalog
    private let seals: RowSeals
    private var result = SweepResult()

    init(at now: Instant, limit: Int, policy: LifecyclePolicy, issuers: IssuerCatalog, seals: RowSeals) {
        self.seals = seals
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
        /// Of its record, before the sweep.
        let version: Int64?
        /// Whether anything of it was ever found somewhere.
        let hasFindings: Bool

        /// Whether all that happens to the row is that it is expired: then it is written together with the others.
        var onlyExpires: Bool {
            if actions.count == 1, case .expire = actions[0] { return true }
            return false
        }
    }

    mutating func run(_ db: Connection, _ audit: inout AuditChain) throws -> SweepResult {
        let due = try fetch(db)
        result.isIncomplete = due.count == limit
        let expired = due.contains(where: \.onlyExpires) ? try writeExpired(db) : []
        let outbox = OutboxWriter(db, at: now)
        for entry in due {
            // What was not written is not reported: it is due still, and the next sweep looks at it as it is then.
            if entry.onlyExpires, !expired.contains(entry.row) { continue }
            // By a record that others have changed nothing is decided.
            if !entry.onlyExpires, try !seals.fits(key: entry.row, db) {
                let misfit = RowSeals.Misfit(keyRow: entry.row, secret: nil)
                if try TamperReport.add(misfit, db, at: now) { result.alerts += 1 }
                try db.run("UPDATE keys SET next_due_at = NULL WHERE key_row = \(entry.row)")
                continue
            }
            for action in entry.actions {
                if try outbox.add(action, of: entry.id, row: entry.row, version: entry.version, seals) {
                    result.alerts += 1
                }
                try record(action, entry, &audit)
            }
            if !entry.actions.isEmpty { result.keys += 1 }
            if entry.onlyExpires, !entry.hasFindings { continue }
            var key = try KeyTable.fetch(db, row: entry.row)
            if !entry.onlyExpires {
                for action in entry.actions { try apply(action, to: &key, entry.row, db) }
                try KeyTable.update(db, row: entry.row, to: key, at: now, policy: policy, seals: seals)
            }
            if entry.hasFindings {
                try FindingGrades.regrade(db, keyRow: entry.row, key: key, issuers: issuers, at: now)
            }
        }
        return result
    }

    /// Reads what the rules ask for, and no more: the keys of the batch, the longest due first.
    private func fetch(_ db: Connection) throws -> [DueKey] {
        try db.all(
            """
            SELECT k.key_row, k.id, EXISTS (SELECT 1 FROM findings f WHERE f.key_row = k.key_row) AS has_findings,
              k.version, \(KeyTable.factColumns)
            FROM keys k WHERE k.next_due_at <= \(now) ORDER BY k.next_due_at, k.key_row LIMIT \(limit)
            """
        ) { row in
            let (number, id, hasFindings, version): (Int64, KeyID, Bool, Int64?) = (
                try row["key_row"], try row["id"], try row["has_findings"], try row["version"]
            )
            return DueKey(
                row: number, id: id,
                actions: LifecycleRules.actions(for: try KeyTable.facts(row), at: now, policy: policy),
                version: version, hasFindings: hasFindings)
        }
    }

    /// Writes all keys of the batch that expire, with one statement: when a year's keys end on one night, this is what
    /// there is to do.
    ///
    /// - Returns: the rows that were written.
    private func writeExpired(_ db: Connection) throws -> Set<Int64> {
        var expired: Set<Int64> = []
        try db.forEach(
            """
            UPDATE keys SET status = 'expired', next_due_at = NULL
            WHERE key_row IN (
                SELECT key_row FROM keys WHERE next_due_at <= \(now) ORDER BY next_due_at, key_row LIMIT \(limit))
              AND status = 'active' AND expires_at <= \(now)
            RETURNING key_row
            """
        ) { expired.insert(try $0["key_row"]) }
        return expired
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
        // A look changes nothing; what it finds is an alert.
        case .noticeRetirement: return
        case .retire:
            event = .secretRetired
        case .noticeUnused(let since):
            details.add("last_used_at", since)
            event = .keyUnused
        }
        try audit.record(event, key: entry.id, row: entry.row, details: details)
    }

    private mutating func apply(_ action: LifecycleAction, to key: inout Key, _ row: Int64, _ db: Connection) throws {
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
        case .noticeRetirement(let at, let notice):
            key.retirementNoticeSent = notice
            key.retirementNoticeFor = at
            result.alerts += try Findings.reportLeftInPlace(of: key, row, endingBy: at, within: notice, db, at: now)
        case .retire:
            result.alerts += try Findings.reportLeftInPlace(of: key, row, endingBy: now, db, at: now)
            try SecretTable.retirePast(of: row, db, at: now)
        case .noticeUnused:
            key.unusedNoticeSent = true
            key.unusedNoticeFor = key.facts.idleAt(policy: policy)
        }
    }
}
