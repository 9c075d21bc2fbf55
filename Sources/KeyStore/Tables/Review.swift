internal import Keys

/// A look at every key, after the policy has changed or the clock was set back: its state is the row of `review`, so that it
/// goes on where it was after a restart, however often.
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
            named += "\(DisplayText.quoted(key.name, limit: 64)) (\(key.id))\n"
        }
    }

    /// The review that is under way, or nil.
    static func current(_ db: Connection) throws -> Review? {
        try db.first(
            """
            SELECT policy, last_row, until_row, clock_ahead, clock_step, expiries, overlaps, notices, times, reopened,
              named FROM review
            """
        ) { row in
            Review(
                policy: try row["policy"], last: try row["last_row"], until: try row["until_row"],
                clockAhead: try row["clock_ahead"], clockStep: try row["clock_step"],
                takenBack: TakenBack(
                    expiries: try row["expiries"], overlaps: try row["overlaps"], notices: try row["notices"],
                    times: try row["times"], reopened: try row["reopened"], named: try row["named"]))
        }
    }

    /// Begins a review, or begins the one that is under way again: what it has taken back is kept for the alert.
    static func begin(_ db: Connection, policy: LifecyclePolicy, clockAhead: Instant? = nil, step: Int64? = nil) throws
    {
        let before = try current(db)
        try Review(
            policy: policy.fingerprint, until: try db.first("SELECT max(key_row) FROM keys") ?? 0,
            clockAhead: clockAhead ?? before?.clockAhead, clockStep: clockAhead == nil ? before?.clockStep : step,
            takenBack: before?.takenBack ?? TakenBack()
        ).save(db)
    }

    func save(_ db: Connection) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO review (one, policy, last_row, until_row, clock_ahead, clock_step, expiries, overlaps,
              notices, times, reopened, named)
            VALUES (1, \(policy), \(last), \(until), \(clockAhead), \(clockStep), \(takenBack.expiries),
              \(takenBack.overlaps), \(takenBack.notices), \(takenBack.times), \(takenBack.reopened), \(takenBack.named))
            """)
    }
}
