package import Keys

/// Units that come and go: the store forgets those that are gone.
///
/// The rule is exact, whatever the clock shows. A scan notes the units that it sees, unless that was done less than
/// ``seenPeriod`` ago. So after a scan that began at S, each unit of its place was seen at S - ``seenPeriod`` or later; what was
/// seen before that, counted from the earliest of the last scans of all places, is in none of them.
extension Store {
    /// How old the note may be that a unit was seen.
    static let seenPeriod = Period.days(7)

    /// Units of one turn of ``pruneUnits(seenBefore:after:)``, of those that are looked at.
    private static let unitsOfLook = 10_000

    /// The identities of the remembered units of a kind that begin with `start`, in order.
    ///
    /// - Parameter most: no more are read.
    package func identities(ofUnits kind: String, startingWith start: [UInt8], most: Int) throws -> [[UInt8]] {
        // No identity is as long as this end.
        let end = start + [UInt8](repeating: 0xff, count: 1 << 10)
        return try read { db in
            try db.all(
                """
                SELECT identity FROM scan_units WHERE kind = \(kind) AND identity BETWEEN \(start) AND \(end)
                ORDER BY identity LIMIT \(most)
                """
            ) { try $0["identity"] }
        }
    }

    /// Notes that a scan has seen units that it did not search, since they were searched before.
    package func noteSeen(_ units: [SearchedUnit], at now: Instant) throws {
        try inTurns(units, cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try writeLocally(at: now) { db in
                for unit in part {
                    try db.run(
                        """
                        UPDATE scan_units SET seen_at = max(ifnull(seen_at, 0), \(now))
                        WHERE kind = \(unit.kind) AND identity = \(unit.identity)
                        """)
                }
            }
        }
    }

    /// Forgets units that scans no longer see: looks at some, and removes the old ones among them in short transactions.
    ///
    /// - Parameters:
    ///   - scansBegan: the earliest of the beginnings of the last scans of all places.
    ///   - last: where the previous turn ended; nil: at the start.
    ///   - now: what was seen later was seen by a clock that was ahead, and counts as seen now.
    /// - Returns: where this one ended; nil if that is the end.
    package func pruneUnits(
        seenBefore scansBegan: Instant, after last: SearchedUnit?, at now: Instant
    ) throws -> SearchedUnit? {
        let horizon = scansBegan.preceded(by: Self.seenPeriod)
        let tolerated = now.advanced(by: LifecycleRules.clockTolerance)
        let looked = try read { db in
            try db.all(
                """
                SELECT kind, identity, ifnull(seen_at, 0) < \(horizon) AS is_old, seen_at > \(tolerated) AS is_ahead
                FROM scan_units
                WHERE (kind, identity) > (\(last?.kind ?? ""), \(last?.identity ?? []))
                ORDER BY kind, identity LIMIT \(Self.unitsOfLook)
                """
            ) { row in
                let unit = SearchedUnit(kind: try row["kind"], identity: try row["identity"])
                return (unit: unit, isOld: try row["is_old"] as Bool, isAhead: try row["is_ahead"] as Bool? ?? false)
            }
        }
        try inTurns(looked.filter(\.isAhead).map(\.unit), cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try writeLocally { db in
                for unit in part {
                    try db.run(
                        """
                        UPDATE scan_units SET seen_at = \(now)
                        WHERE kind = \(unit.kind) AND identity = \(unit.identity) AND seen_at > \(tolerated)
                        """)
                }
            }
        }
        try inTurns(looked.filter(\.isOld).map(\.unit), cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try writeLocally { db in
                for unit in part {
                    // It may have been seen meanwhile.
                    try db.run(
                        """
                        DELETE FROM scan_units
                        WHERE kind = \(unit.kind) AND identity = \(unit.identity) AND ifnull(seen_at, 0) < \(horizon)
                        """)
                }
            }
        }
        return looked.count < Self.unitsOfLook ? nil : looked.last?.unit
    }
}
