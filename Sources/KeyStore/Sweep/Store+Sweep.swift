package import Keys
internal import Synchronization

extension Store {
    private static let firstDue: SQL =
        "SELECT next_due_at FROM keys WHERE next_due_at IS NOT NULL ORDER BY next_due_at LIMIT 1"

    /// The next instant at which something is due, or nil: one probe of an index.
    package func nextDue() throws -> Instant? {
        try explaining { try pool.look { try $0.first(Self.firstDue) } }
    }

    /// Does what is due at `now` on at most `limit` keys, in one transaction with audit events and alerts; before that, in
    /// one of its own, the next `limit` keys of a review, if one is under way; and after it the next of an import that was cut
    /// off.
    ///
    /// With nothing due it only reads, so an idle store is never written. A verification never waits for a sweep; who
    /// changes a key waits for one batch at the most.
    package func sweep(at now: Instant, limit: Int = 2_000, by actor: AuditActor) throws -> SweepResult {
        var result = SweepResult()
        guard now >= earliest else {
            result.isClockImpossible = true
            return result
        }
        var look = try look(at: now)
        if !look.wasSetBack { clockBackSince.withLock { $0 = nil } }
        if look.wasSetBack, !isClockBelieved() {
            result.isClockBack = true
            result.awaitsClock = true
        } else if look.wasSetBack || look.isReviewing {
            try review(at: now, limit: limit, by: actor, &result)
            look = try self.look(at: now)
        }
        if let next = look.nextDue, next <= now {
            // For a fleet a date has come when it has come by the clock of its database, too.
            let time = min(now, try catchUp() ?? now)
            if next <= time {
                try sweep(at: time, limit: limit, by: actor, &result)
            } else {
                result.awaitsFleet = true
            }
        }
        if look.isImporting, try settleImport(limit: limit) { result.isIncomplete = true }
        return result
    }

    private func sweep(at now: Instant, limit: Int, by actor: AuditActor, _ result: inout SweepResult) throws {
        let batch = try repeatableChange(at: now, by: actor) { db, audit in
            var batch = SweepBatch(
                at: now, limit: limit, policy: self.policy, issuers: self.issuers, seals: self.seals)
            return try batch.run(db, &audit)
        }
        result.keys = batch.keys
        result.alerts += batch.alerts
        result.isIncomplete = result.isIncomplete || batch.isIncomplete
    }

    /// Whether the clock has been back for a while, by the running time; at once where that is not known.
    private func isClockBelieved() -> Bool {
        guard let running else { return true }
        return clockBackSince.withLock { since in
            guard let first = since, first.boot == running.boot else {
                since = running
                return clockPatience == .zero
            }
            guard running.milliseconds - first.milliseconds >= clockPatience.milliseconds else { return false }
            since = nil
            return true
        }
    }

    private struct Look {
        let nextDue: Instant?
        let wasSetBack: Bool
        let isReviewing: Bool
        let isImporting: Bool
    }

    /// What there is to do, in one statement.
    private func look(at now: Instant) throws -> Look {
        let sql: SQL = """
            SELECT (\(Self.firstDue)) AS next_due, (SELECT clock_mark_at FROM store) AS clock_mark_at,
              EXISTS (SELECT 1 FROM review) AS is_reviewing, EXISTS (SELECT 1 FROM imports) AS is_importing
            """
        let look = try explaining {
            try pool.look { db in
                try db.first(sql) { row in
                    let mark: Instant? = try row["clock_mark_at"]
                    return Look(
                        nextDue: try row["next_due"],
                        wasSetBack: mark.map { $0 > now.advanced(by: LifecycleRules.clockTolerance) } ?? false,
                        isReviewing: try row["is_reviewing"], isImporting: try row["is_importing"])
                }
            }
        }
        return look ?? Look(nextDue: nil, wasSetBack: false, isReviewing: false, isImporting: false)
    }

    /// One batch of a review; begins one where the clock was set back.
    private func review(at now: Instant, limit: Int, by actor: AuditActor, _ result: inout SweepResult) throws {
        let policy = self.policy
        let running = self.running
        // What a fleet has recorded was recorded by the clocks of others as well: it lies ahead where it does so for the clock of its database.
        let asked = uptime()
        let time = try catchUp()
        let (review, isOver) = try repeatableChange(at: now, by: actor) { db, audit -> (Review?, Bool) in
            if let mark = try ClockMark(db), mark.at > now.advanced(by: LifecycleRules.clockTolerance) {
                try Review.begin(db, policy: policy, clockAhead: mark.at, step: mark.step(until: now, running: running))
                try ClockMark.reset(db, to: now, running: running)
                try OutboxTable.dropUnsentDateNotices(
                    db, after: max(now, time ?? now).advanced(by: LifecycleRules.clockTolerance))
            }
            guard var review = try Review.current(db) else { return (nil, true) }
            let isOver = try ReviewBatch(
                at: now, ofFleet: time, age: Period(milliseconds: uptime() - asked), limit: limit, policy: policy,
                issuers: issuers, seals: seals
            ).run(&review, db, &audit)
            return (review, isOver)
        }
        guard let review else { return }
        result.isClockBack = review.clockAhead != nil
        if isOver {
            result.alerts += review.clockAhead == nil ? 0 : 1
        } else {
            result.isIncomplete = true
            result.review = ReviewProgress(done: review.last, total: review.until)
        }
    }
}
