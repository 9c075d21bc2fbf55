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
    private static let nextDueSQL =
        "SELECT next_due_at FROM keys WHERE next_due_at IS NOT NULL ORDER BY next_due_at LIMIT 1"

    /// The next instant at which something is due, or nil: one probe of an index.
    package func nextDue() throws -> Instant? {
        try explaining {
            try lookups.withConnection { connection in
                let statement = try connection.statement(Self.nextDueSQL)
                defer { statement.reset() }
                return try statement.step() ? KeyRow.instant(statement.integer(0)) : nil
            }
        }
    }

    /// Does what is due at `now` on at most `limit` keys, in one transaction with audit events and alerts.
    ///
    /// With nothing due it only reads, so an idle store is never written. Nobody who verifies ever waits for a sweep; who
    /// changes a key waits for one batch at the most.
    package func sweep(at now: Instant, limit: Int = 2_000, by actor: Actor) throws -> SweepResult {
        guard let next = try nextDue(), next <= now else { return SweepResult() }
        return try repeatableChange(at: now, by: actor) { db, audit in
            var batch = SweepBatch(at: now, limit: limit, policy: self.policy, issuers: self.issuers)
            return try batch.run(db, &audit)
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
