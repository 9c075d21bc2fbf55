internal import GRDB
internal import Keys

/// A look at every key, after the policy has changed or the clock was set back: its state is a row, so that it goes on where
/// it was after a restart, however often.
struct Review {
    /// The fingerprint of the policy by which due dates are made.
    var policy: String
    /// The last key that is done, and the last one to do.
    var last: Int64 = 0
    var until: Int64
    /// What the clock showed at most before it was set back; nil if it was not.
    var clockAhead: Instant?
    /// By how much it was set back, in milliseconds.
    var clockStep: Int64?
    var takenBack = TakenBack()

    /// What was recorded by a clock that was ahead, and is undone.
    struct TakenBack {
        var expiries = 0
        var overlaps = 0
        var notices = 0
        /// Times of use, of making, rotating and revoking that lay ahead.
        var times = 0
        /// Leaks that counted as harmless because their key had expired.
        var reopened = 0
        /// The first of the keys, as a sentence names them, a line each.
        var named = ""

        /// As many keys are named in the alert; the audit has all.
        static let namedAtMost = 20

        mutating func name(_ key: Key) {
            guard named.count(where: \.isNewline) < Self.namedAtMost else { return }
            named += "'\(DisplayText.escaped(key.name, limit: 64))' (\(key.id))\n"
        }
    }

    /// The review that is under way, or nil.
    static func current(_ db: Database) throws -> Review? {
        try Row.fetchOne(
            db,
            sql: """
                SELECT policy, last_row, until_row, clock_ahead, clock_step, expiries, overlaps, notices, times, reopened,
                  named FROM review
                """
        ).map { row in
            Review(
                policy: row[0], last: row[1], until: row[2], clockAhead: KeyRow.instant(row[3]), clockStep: row[4],
                takenBack: TakenBack(
                    expiries: row[5], overlaps: row[6], notices: row[7], times: row[8], reopened: row[9], named: row[10]
                ))
        }
    }

    /// Begins a review, or begins the one that is under way again: what it has taken back is kept for the alert.
    static func begin(_ db: Database, policy: LifecyclePolicy, clockAhead: Instant? = nil, step: Int64? = nil) throws {
        let before = try current(db)
        try Review(
            policy: policy.fingerprint, until: try Int64.fetchOne(db, sql: "SELECT max(key_row) FROM keys") ?? 0,
            clockAhead: clockAhead ?? before?.clockAhead, clockStep: clockAhead == nil ? before?.clockStep : step,
            takenBack: before?.takenBack ?? TakenBack()
        ).save(db)
    }

    func save(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO review (one, policy, last_row, until_row, clock_ahead, clock_step, expiries, overlaps,
                  notices, times, reopened, named) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                policy, last, until, clockAhead?.milliseconds, clockStep, takenBack.expiries, takenBack.overlaps,
                takenBack.notices, takenBack.times, takenBack.reopened, takenBack.named,
            ])
    }

    /// Nothing can have been searched, or seen, later than now.
    private static func takeBackSightings(_ db: Database, at now: Instant) throws {
        for (table, column) in [
            ("repositories", "scanned_at"), ("findings", "first_seen_at"), ("findings", "last_seen_at"),
        ] {
            try db.execute(
                sql: "UPDATE \(table) SET \(column) = ?1 WHERE \(column) > ?1", arguments: [now.milliseconds])
        }
    }

    /// Ends the review: every due date is by its policy now, and one alert says what was taken back.
    func end(_ db: Database, at now: Instant) throws {
        try db.execute(sql: "DELETE FROM review")
        try db.execute(sql: "UPDATE store SET policy = ?", arguments: [policy])
        guard let clockAhead else { return }
        try Self.takeBackSightings(db, at: now)
        try Outbox.add(Alert(clockSetBackFrom: clockAhead, step: clockStep, to: now, takenBack), db, at: now)
    }
}

extension Alert {
    /// The one alert for a clock that was set back.
    init(clockSetBackFrom ahead: Instant, step: Int64?, to now: Instant, _ taken: Review.TakenBack) {
        func count(_ number: Int, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : "\(number) \(number == 1 ? one : many)"
        }
        let parts = [
            count(taken.expiries, "expiry", "expiries"), count(taken.overlaps, "end of an overlap", "ends of overlaps"),
            count(taken.notices, "notice", "notices"),
            count(taken.times, "time that lay ahead", "times that lay ahead"),
            count(taken.reopened, "leak is open again", "leaks are open again"),
        ].compactMap(\.self)
        let names = taken.named.split(separator: "\n").joined(separator: ", ")
        // In whole seconds: the clocks were not read at the same moment.
        let by = step.map { $0 > 500 ? " by \(Period(milliseconds: ($0 + 500) / 1000 * 1000))" : "" } ?? ""
        let what =
            parts.isEmpty
            ? "nothing was recorded by it that had to be taken back"
            : "what it had recorded is taken back: \(parts.joined(separator: ", ")), of \(names)"
        var fields: [Field: String] = [.reason: "it had shown \(ahead) or later"]
        if !parts.isEmpty { fields[.remedy] = "keyvigil audit --action record.taken_back" }
        self.init(
            kind: .clockChanged, priority: parts.isEmpty ? .notice : .warning,
            message: "the clock was set back\(by): it is \(now) now; \(what)", fields: fields)
    }
}
