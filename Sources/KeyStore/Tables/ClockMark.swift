internal import GRDB
internal import Keys

/// The latest instant at which anything was recorded, by which a clock that was set back is recognised.
struct ClockMark {
    /// What the clock showed.
    let at: Instant
    private let running: RunningTime?

    /// The mark of a store; nil where nothing was recorded since the mark came into being.
    init?(_ db: Database) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT clock_at, clock_boot, clock_running FROM store"),
            let at: Int64 = row[0]
        else { return nil }
        self.at = Instant(milliseconds: at)
        let (boot, milliseconds): (String?, Int64?) = (row[1], row[2])
        running = boot.flatMap { boot in milliseconds.map { RunningTime(boot: boot, milliseconds: $0) } }
    }

    /// How far the clock was set back between the mark and `now`, in milliseconds; nil where the machine was started in
    /// between, or the running time is not known.
    func step(until now: Instant, running: RunningTime?) -> Int64? {
        guard let before = self.running, let running, before.boot == running.boot else { return nil }
        return at.milliseconds + (running.milliseconds - before.milliseconds) - now.milliseconds
    }

    /// Notes that something was recorded at an instant. An earlier one than the mark's changes nothing: the step back shows
    /// until what was recorded by the clock that was ahead has been looked at.
    static func note(_ db: Database, at now: Instant, running: RunningTime?) throws {
        let statement = try RawStatement(
            db,
            """
            UPDATE store SET clock_at = ?1, clock_boot = ?2, clock_running = ?3
            WHERE clock_at IS NULL OR clock_at <= ?1
            """)
        statement.bind(1, now.milliseconds)
        statement.bind(2, running?.boot)
        statement.bind(3, running?.milliseconds)
        try statement.run()
    }

    /// Forgets what the clock showed when it was ahead.
    static func reset(_ db: Database, to now: Instant, running: RunningTime?) throws {
        try db.execute(sql: "UPDATE store SET clock_at = NULL")
        try note(db, at: now, running: running)
    }
}
