internal import Keys

/// The latest instant at which anything was recorded, by which a clock that was set back is recognised.
struct ClockMark {
    /// What the clock showed.
    let at: Instant
    private let running: RunningTime?

    /// The mark of a store; nil where nothing was recorded since the mark came into being.
    init?(_ db: Connection) throws {
        let mark = try db.first(
            "SELECT clock_mark_at, clock_boot, clock_running FROM store WHERE clock_mark_at IS NOT NULL"
        ) { row in
            let (boot, milliseconds): (String?, Int64?) = (try row["clock_boot"], try row["clock_running"])
            return (
                at: try row["clock_mark_at"] as Instant,
                running: boot.flatMap { boot in milliseconds.map { RunningTime(boot: boot, milliseconds: $0) } }
            )
        }
        guard let mark else { return nil }
        at = mark.at
        running = mark.running
    }

    /// How far the clock was set back between the mark and `now`, in milliseconds; nil where the machine was started in
    /// between, or the running time is not known.
    func step(until now: Instant, running: RunningTime?) -> Int64? {
        guard let before = self.running, let running, before.boot == running.boot else { return nil }
        return at.milliseconds + (running.milliseconds - before.milliseconds) - now.milliseconds
    }

    /// Notes that something was recorded at an instant. An earlier one than the mark's changes nothing: the step back shows
    /// until what was recorded by the clock that was ahead has been looked at.
    static func note(_ db: Connection, at now: Instant, running: RunningTime?) throws {
        try db.run(
            """
            UPDATE store SET clock_mark_at = \(now), clock_boot = \(running?.boot), clock_running = \(running?.milliseconds)
            WHERE clock_mark_at IS NULL OR clock_mark_at <= \(now)
            """)
    }

    /// Forgets what the clock showed when it was ahead.
    static func reset(_ db: Connection, to now: Instant, running: RunningTime?) throws {
        try db.run("UPDATE store SET clock_mark_at = NULL")
        try note(db, at: now, running: running)
    }
}
