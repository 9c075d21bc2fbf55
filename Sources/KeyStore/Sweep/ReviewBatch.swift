internal import Keys

/// One batch of a review, within its transaction: the next keys after the last that is done.
struct ReviewBatch {
    private let now: Instant
    /// The later of the clocks of this host and of the fleet: to it times are moved that lie ahead.
    private let present: Instant
    /// What lies ahead of it was recorded by a clock that was ahead.
    private let horizon: Instant
    private let limit: Int
    private let policy: LifecyclePolicy
    private let issuers: IssuerCatalog
    private let seals: RowSeals

    /// - Parameters:
    ///   - time: what the clock of the fleet has shown; nil: there is none.
    ///   - age: how long ago it was asked, at most. Other hosts may have recorded something since.
    init(
        at now: Instant, ofFleet time: Instant?, age: Period, limit: Int, policy: LifecyclePolicy,
        issuers: IssuerCatalog,
        seals: RowSeals
    ) {
        self.seals = seals
        self.now = now
        present = max(now, time ?? now)
        horizon = max(now, time?.advanced(by: age) ?? now)
        self.limit = limit
        self.policy = policy
        self.issuers = issuers
    }

    /// - Returns: whether the review is over.
    func run(_ review: inout Review, _ db: Connection, _ audit: inout AuditChain) throws -> Bool {
        let rows = try fetch(db, after: review.last, until: review.until)
        for row in rows {
            if review.clockAhead != nil, try takeBack(row.row, &review, db, audit: &audit) { continue }
            let next = LifecycleRules.nextDue(for: row.facts, after: now, policy: policy)
            // What is due already stays at its place in the order.
            guard next != row.nextDue, !(next == now && row.nextDue.map { $0 <= now } ?? false) else { continue }
            try db.run("UPDATE keys SET next_due_at = \(next) WHERE key_row = \(row.row)")
        }
        review.last = rows.last?.row ?? review.until
        let isOver = rows.count < limit
        try isOver ? review.end(db, at: now, present: present) : review.save(db)
        return isOver
    }

    private struct Reviewed {
        let row: Int64
        let facts: LifecycleFacts
        let nextDue: Instant?
    }

    private func fetch(_ db: Connection, after last: Int64, until: Int64) throws -> [Reviewed] {
        try db.all(
            """
            SELECT k.key_row, k.next_due_at, \(KeyTable.factColumns)
            FROM keys k WHERE k.key_row > \(last) AND k.key_row <= \(until) ORDER BY k.key_row LIMIT \(limit)
            """
        ) { Reviewed(row: try $0["key_row"], facts: try KeyTable.facts($0), nextDue: try $0["next_due_at"]) }
    }

    // MARK: - After the clock was set back

    /// Takes back what was recorded of a key by a clock that was ahead.
    ///
    /// - Returns: false where there was nothing.
    private func takeBack(
        _ row: Int64, _ review: inout Review, _ db: Connection, audit: inout AuditChain
    ) throws -> Bool {
        // What does not fit its seal is refused, whatever the clock was.
        guard try seals.fits(key: row, db) else { return false }
        var details = JSONLine()
        var taken = Review.TakenBack()
        taken.overlaps = try takeBackRetirements(row, db)
        if taken.overlaps > 0 { details.add("ended_overlaps", taken.overlaps) }
        taken.times = try RecordedTimes.correct(ofKey: row, step: review.clockStep, db, at: present, &details)
        var key = try KeyTable.fetch(db, row: row)
        if key.recordedStatus == .expired, key.status(at: horizon) == .active {
            key.recordedStatus = .active
            taken.expiries = 1
            details.add("expiry", key.expiresAt)
        }
        taken.notices = try takeBackNotices(row, &key, db, details: &details)
        taken.times += try correctTimes(row, &key, step: review.clockStep, db, details: &details)
        guard taken.expiries + taken.overlaps + taken.notices + taken.times > 0 else { return false }
        try KeyTable.update(db, row: row, to: key, at: present, policy: policy, seals: seals)
        let leaks = key.openLeaks
        try FindingGrades.regrade(db, keyRow: row, key: key, issuers: issuers, at: present)
        taken.reopened = max(0, try KeyTable.fetch(db, row: row).openLeaks - leaks)
        try audit.record(.recordTakenBack, key: key.id, row: row, details: details)
        review.takenBack.add(taken, of: key)
        return true
    }

    private var tolerated: Instant { horizon.advanced(by: LifecycleRules.clockTolerance) }

    private func takeBackRetirements(_ row: Int64, _ db: Connection) throws -> Int {
        try db.run(
            """
            UPDATE secrets SET state = 'retiring', retired_at = NULL
            WHERE key_row = \(row) AND state = 'retired' AND retires_at > \(tolerated)
            """)
        return db.changedRows
    }

    /// The notices that were rightly sent are those that the audit has of times that have come.
    private func takeBackNotices(
        _ row: Int64, _ key: inout Key, _ db: Connection, details: inout JSONLine
    ) throws -> Int {
        guard key.recordedStatus == .active else { return 0 }
        let current = CurrentNotices(key.facts, policy: policy, clock: horizon)
        var count = 0
        let sent = SentNotices(row, until: tolerated, db)
        if key.expiryNoticeSent != current.expiry {
            details.add("expiry_notice", key.expiryNoticeSent?.description)
            key.expiryNoticeSent = try sent.expiryNotice(of: key, policy: policy)
            key.expiryNoticeFor = key.expiresAt
            count += 1
        }
        if key.rotationNotice != current.rotation {
            details.add("rotation_notice", key.rotationNotice.rawValue)
            key.rotationNotice = try sent.rotationNotice(of: key, policy: policy)
            key.rotationNoticeFor = key.facts.rotationDueAt(policy: policy)
            count += 1
        }
        if key.retirementNoticeSent != current.retirement {
            details.add("retirement_notice", key.retirementNoticeSent?.description)
            key.retirementNoticeSent = LifecycleRules.noticePassedOver(
                retiresAt: key.facts.retiresAt, at: present)
            key.retirementNoticeFor = key.facts.retiresAt
            count += 1
        }
        if key.unusedNoticeSent != current.unused {
            details.add("unused_notice", true)
            key.unusedNoticeSent = false
            count += 1
        }
        return count
    }

    /// Times that lie ahead are those of a clock that was ahead: they are moved by its step, or to now where that is not
    /// known. A promise that was made by such a clock ends as long after its making as it was meant to.
    private func correctTimes(
        _ row: Int64, _ key: inout Key, step: Int64?, _ db: Connection, details: inout JSONLine
    ) throws -> Int {
        var count = 0
        let (now, tolerated) = (present, tolerated)
        func correct(_ time: inout Instant?, _ name: String) {
            guard let wrong = time, wrong > tolerated else { return }
            details.add(name, wrong)
            time = step.map { min(now, Instant(milliseconds: wrong.milliseconds - $0)) } ?? now
            count += 1
        }
        let wasRotatedAhead = key.rotatedAt.map { $0 > tolerated } ?? false
        var createdAt: Instant? = key.createdAt
        correct(&createdAt, "created_at")
        key.createdAt = createdAt ?? key.createdAt
        correct(&key.rotatedAt, "rotated_at")
        correct(&key.lastUsedAt, "last_used_at")
        correct(&key.revokedAt, "revoked_at")
        correct(&key.deletedAt, "deleted_at")
        if count > 0 {
            try db.run("UPDATE keys SET created_at = \(key.createdAt) WHERE key_row = \(row)")
        }
        // Where something else has changed one of them, their ends are left as they are.
        if wasRotatedAhead, let step, step > 0, try seals.fits(secretsOf: row, db) {
            try seals.change(secretsOf: row, db) {
                try db.run(
                    """
                    UPDATE secrets SET retires_at = retires_at - \(step)
                    WHERE key_row = \(row) AND state = 'retiring' AND retires_at > \(now.milliseconds + step)
                    """)
            }
        }
        try db.run("UPDATE keys SET reuse_told_at = NULL WHERE key_row = \(row) AND reuse_told_at > \(tolerated)")
        return count
    }
}

extension Review.TakenBack {
    fileprivate mutating func add(_ taken: Review.TakenBack, of key: Key) {
        expiries += taken.expiries
        overlaps += taken.overlaps
        notices += taken.notices
        times += taken.times
        reopened += taken.reopened
        name(key)
    }
}

/// What the audit has of the notices about a key that were sent until an instant.
private struct SentNotices {
    private let row: Int64
    private let until: Instant
    private let db: Connection

    init(_ row: Int64, until: Instant, _ db: Connection) {
        self.row = row
        self.until = until
        self.db = db
    }

    /// The shortest expiry notice that was sent, or was passed over when the key was last changed.
    func expiryNotice(of key: Key, policy: LifecyclePolicy) throws -> Period? {
        let sent = try texts(
            "details ->> 'notice'", of: [.keyExpiryNoticed], "details ->> 'expires_at' = \(key.expiresAt?.description)"
        ).compactMap { try? Period(parsing: $0) }
        let changed = try texts("at", of: [.keyCreated, .keyImported, .keyMerged, .keyEdited, .keyRotated], "TRUE")
        let passedOver = changed.compactMap { Int64($0) }.max().flatMap {
            LifecycleRules.noticePassedOver(expiresAt: key.expiresAt, at: Instant(milliseconds: $0), policy: policy)
        }
        return (sent + [passedOver].compactMap(\.self)).min()
    }

    /// The notice that was sent for the present rotation period.
    func rotationNotice(of key: Key, policy: LifecyclePolicy) throws -> LifecycleFacts.RotationNotice {
        let due = key.facts.rotationDueAt(policy: policy)?.description
        func wasSent(_ action: AuditAction) throws -> Bool {
            try !texts("at", of: [action], "details ->> 'due_at' = \(due)").isEmpty
        }
        if try wasSent(.rotationOverdue) { return .overdue }
        return try wasSent(.rotationDue) ? .due : .none
    }

    private func texts(_ column: SQL, of actions: [AuditAction], _ condition: SQL) throws -> [String] {
        try db.all(
            """
            SELECT \(column) FROM audit_events
            WHERE key_row = \(row) AND at <= \(until) AND action IN \(list: actions) AND \(condition)
            """)
    }
}
