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

    /// Notes that a scan has seen units that it did not search, since they were searched before.
    package func noteSeen(_ units: [SearchedUnit], at now: Instant) throws {
        try inTurns(units, cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try write { db in
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
    /// - Returns: where this one ended; nil if that is the end.
    package func pruneUnits(seenBefore scansBegan: Instant, after last: SearchedUnit?) throws -> SearchedUnit? {
        let horizon = scansBegan.preceded(by: Self.seenPeriod)
        let looked = try read { db in
            try db.all(
                """
                SELECT kind, identity, ifnull(seen_at, 0) < \(horizon) AS is_old FROM scan_units
                WHERE (kind, identity) > (\(last?.kind ?? ""), \(last?.identity ?? []))
                ORDER BY kind, identity LIMIT \(Self.unitsOfLook)
                """
            ) { row in
                let unit = SearchedUnit(kind: try row["kind"], identity: try row["identity"])
                return (unit: unit, isOld: try row["is_old"] as Bool)
            }
        }
        try inTurns(looked.filter(\.isOld).map(\.unit), cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try write { db in
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
