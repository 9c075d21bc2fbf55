package import Keys

/// Places that are counted, not listed: a key has as many findings in a watched place as the configuration allows.
package struct UnlistedPlaces: Hashable, Sendable {
    /// The watched place.
    package let repository: String
    /// The host of the fleet that the place is on; nil for a store without a fleet.
    package let host: String?
    package let keyID: String
    package let keyName: String
    /// The prefix that is there.
    package let prefix: String
    package let grade: FindingGrade
    /// At least as many.
    package let places: Int
}

extension Store {
    /// Writes down what a scan has counted, where it is more than was known.
    func remember(_ tally: inout ScanTally, in place: Int64) throws {
        let counted = tally.counted
        guard !counted.isEmpty else { return }
        let stored = try read { db in
            try counted.map { group, _ in
                try db.first(
                    """
                    SELECT places FROM unlisted_findings WHERE repository_id = \(place) AND key_row = \(group.keyRow)
                      AND grade = \(group.grade) AND secret_id = \(group.secret)
                    """) as Int? ?? 0
            }
        }
        for (entry, known) in zip(counted, stored) { tally.note(entry.group, stored: max(known, entry.unlisted.count)) }
        let more = zip(counted, stored).filter { $0.unlisted.count > $1 }.map(\.0)
        try inTurns(more, cost: { _ in 1 }) { part in
            try write { db in
                for (group, unlisted) in part {
                    try db.run(
                        """
                        INSERT INTO unlisted_findings (repository_id, key_row, grade, secret_id, prefix, places)
                        SELECT \(place), \(group.keyRow), \(group.grade), \(group.secret), prefix, \(unlisted.count)
                        FROM secrets WHERE secret_id = \(unlisted.subject)
                        ON CONFLICT DO UPDATE SET places = max(places, excluded.places)
                        """)
                }
            }
        }
    }

    /// Whether what is counted and not listed of a place could be listed by now: of a secret at most half as many places are listed as may be.
    ///
    /// - Parameter mostListed: `max_findings`.
    package func canListMore(in repository: String, mostListed: Int) throws -> Bool {
        try read { db in
            let stored = try PlaceNames(db).stored(repository)
            let groups = try db.all(
                """
                SELECT repository_id, key_row, grade, secret_id FROM unlisted_findings
                WHERE repository_id = (SELECT repository_id FROM repositories WHERE path = \(stored))
                """
            ) { row in
                (
                    place: try row["repository_id"] as Int64,
                    group: UnlistedGroup(
                        keyRow: try row["key_row"], grade: try row["grade"], secret: try row["secret_id"])
                )
            }
            return try groups.contains { place, group in
                try group.countListed(in: place, upTo: mostListed, includingDismissed: true, db) <= mostListed / 2
            }
        }
    }

    /// Corrects what is counted of a place by a scan that has read all of it, where it was more.
    package func recountUnlisted(in repository: String, by tally: ScanTally) throws {
        let stored = try read { try PlaceNames($0) }.stored(repository)
        let rows = try read { db in
            try db.all(
                """
                SELECT repository_id, key_row, grade, secret_id, places FROM unlisted_findings
                WHERE repository_id = (SELECT repository_id FROM repositories WHERE path = \(stored))
                """
            ) { row in
                (
                    place: try row["repository_id"] as Int64,
                    group: UnlistedGroup(
                        keyRow: try row["key_row"], grade: try row["grade"], secret: try row["secret_id"]),
                    places: try row["places"] as Int
                )
            }
        }
        let fewer = rows.filter { tally.unlistedCount(of: $0.group) < $0.places }
        try inTurns(fewer, cost: { _ in 1 }) { part in
            try write { db in
                for (place, group, _) in part {
                    let count = tally.unlistedCount(of: group)
                    let row: SQL = """
                        repository_id = \(place) AND key_row = \(group.keyRow) AND grade = \(group.grade)
                          AND secret_id = \(group.secret)
                        """
                    try db.run(
                        count == 0
                            ? "DELETE FROM unlisted_findings WHERE \(row)"
                            : "UPDATE unlisted_findings SET places = \(count) WHERE \(row)")
                }
            }
        }
    }

    /// Puts one alert into the outbox for each key of which a place holds more than is listed, at the end of the scan that
    /// has counted it.
    ///
    /// - Parameter mostListed: `max_findings`.
    /// - Returns: the number of alerts.
    package func reportUnlisted(in repository: String, mostListed: Int, at now: Instant) throws -> Int {
        let stored = try read { try PlaceNames($0) }.stored(repository)
        let rows: SQL = """
            unlisted_findings WHERE reported_at IS NULL
              AND repository_id = (SELECT repository_id FROM repositories WHERE path = \(stored))
            """
        guard try read({ try $0.isTrue("SELECT EXISTS (SELECT 1 FROM \(rows))") }) else { return 0 }
        var reported = 0
        var isOver = false
        while !isOver {
            try write(at: now) { db in
                let some = try db.all(
                    "SELECT repository_id, key_row, grade, secret_id, prefix, places FROM \(rows) LIMIT 20"
                ) { row in
                    (
                        place: try row["repository_id"] as Int64, keyRow: try row["key_row"] as Int64,
                        grade: try row["grade"] as FindingGrade, secret: try row["secret_id"] as Int64,
                        prefix: try row["prefix"] as String, count: try row["places"] as Int
                    )
                }
                for entry in some {
                    let key = try KeyTable.fetch(db, row: entry.keyRow)
                    let isLive =
                        try entry.grade == .confirmed
                        && SecretTable.condition(of: entry.secret, db, at: now).danger != .none
                    try OutboxTable.add(
                        Alert(
                            unlisted: entry.count, of: key, prefix: entry.prefix, grade: entry.grade, isLive: isLive,
                            in: repository, mostListed: mostListed), db, at: now)
                    try db.run(
                        """
                        UPDATE unlisted_findings SET reported_at = \(now)
                        WHERE repository_id = \(entry.place) AND key_row = \(entry.keyRow) AND grade = \(entry.grade)
                          AND secret_id = \(entry.secret)
                        """)
                }
                reported += some.count
                isOver = some.count < 20
            }
        }
        return reported
    }

    /// The places that are counted, not listed, of findings that are open.
    ///
    /// - Parameters:
    ///   - keyID: only those of this key.
    ///   - host: only those on the host of the fleet with this name.
    package func unlistedPlaces(keyID: String? = nil, host: String? = nil) throws -> [UnlistedPlaces] {
        try read { db in
            let names = try PlaceNames(db)
            let isThere: SQL = host.map { PlaceNames(ofHostNamed: $0).areOwn("r.path") } ?? "TRUE"
            return try db.all(
                """
                SELECT r.path, k.id, k.name, u.prefix, u.grade, u.places
                FROM unlisted_findings u JOIN repositories r USING (repository_id) JOIN keys k USING (key_row)
                WHERE (\(keyID) IS NULL OR k.id = \(keyID)) AND r.unwatched_at IS NULL AND \(isThere)
                  AND EXISTS (SELECT 1 FROM findings f
                    WHERE f.key_row = u.key_row AND f.repository_id = u.repository_id AND f.status = 'open'
                      AND ifnull(f.secret_id, 0) = u.secret_id)
                ORDER BY k.key_row, r.path, u.grade
                """
            ) {
                UnlistedPlaces(
                    repository: names.shown(try $0["path"]), host: names.host(try $0["path"]), keyID: try $0["id"],
                    keyName: try $0["name"], prefix: try $0["prefix"], grade: try $0["grade"], places: try $0["places"])
            }
        }
    }
}

extension UnlistedGroup {
    /// The number of findings of the group in a place that are still there, up to `most`.
    ///
    /// - Parameter includingDismissed: also those that were dismissed, which leave room for others. What was only counted when they were
    ///   dismissed is not listed for it.
    func countListed(
        in place: Int64, upTo most: Int, includingDismissed: Bool = false, _ db: Connection
    ) throws -> Int {
        let isOfGrade: SQL =
            switch grade {
            case .confirmed: "secret_id = \(secret)"
            case .probable: "secret_id IS NULL AND candidate IS NOT NULL"
            case .mention: "secret_id IS NULL AND candidate IS NULL"
            }
        return try db.first(
            """
            SELECT count(*) FROM (SELECT 1 FROM findings
              WHERE key_row = \(keyRow) AND repository_id = \(place) AND \(isOfGrade) AND \(Findings.isThere)
                AND (\(includingDismissed) OR status <> 'dismissed')
              LIMIT \(most))
            """) ?? 0
    }
}
