package import Keys

extension Store {
    /// All expected places of this host, for a scan.
    ///
    /// - Parameter resolve: the path of a file without symlinks; nil where it is not there.
    package func allExpectedPlaces(resolving resolve: @escaping (String) -> String? = { _ in nil }) throws
        -> ExpectedPlaces
    {
        try read { try ExpectedPlaces($0, resolve) }
    }

    /// Notes of sightings in a watched place whether they are in an expected place of their key.
    package func mark(_ sightings: inout [Sighting], in place: String, _ expected: ExpectedPlaces) throws {
        guard !expected.isEmpty else { return }
        try read { db in
            for index in sightings.indices {
                let sighting = sightings[index]
                guard ["worktree", "file"].contains(sighting.source),
                    let keyRow = try SecretTable.holder(of: sighting.secretID ?? sighting.prefixID, db)?.keyRow
                else { continue }
                sightings[index].expectedID = expected.id(of: sighting, in: place, keyRow: keyRow)
            }
        }
    }

    /// The expected places of a key, and what was found there.
    package func expectedPlaces(of key: KeyID, at now: Instant) throws -> [ExpectedPlace] {
        try read { db in
            let names = try PlaceNames(db)
            var places: [(id: Int64, place: ExpectedPlace)] = try db.all(
                """
                SELECT e.expected_id, e.path, e.added_at, e.added_by FROM expected_places e JOIN keys k USING (key_row)
                WHERE k.id = \(key) ORDER BY e.path
                """
            ) {
                (
                    try $0["expected_id"],
                    ExpectedPlace(
                        path: names.shown(try $0["path"]), host: names.host(try $0["path"]),
                        addedAt: try $0["added_at"],
                        addedBy: try $0["added_by"])
                )
            }
            for index in places.indices {
                places[index].place.found = try db.all(
                    """
                    SELECT f.prefix, f.secret_id, f.candidate, f.in_head, f.last_seen_at, \(SecretTable.conditionColumns)
                    FROM expected_places e JOIN keys k USING (key_row) JOIN findings f USING (key_row)
                    JOIN repositories r USING (repository_id)
                    JOIN secrets s ON s.secret_id = ifnull(f.secret_id,
                      (SELECT max(p.secret_id) FROM secrets p WHERE p.key_row = f.key_row AND p.prefix = f.prefix))
                    WHERE e.expected_id = \(places[index].id) AND \(Findings.isInExpectedPlace) ORDER BY f.finding_id
                    """
                ) { row in
                    let (secret, candidate): (Int64?, SecretHash?) = (try row["secret_id"], try row["candidate"])
                    return ExpectedPlace.Content(
                        prefix: try row["prefix"],
                        grade: secret != nil ? .confirmed : candidate != nil ? .probable : .mention,
                        condition: try SecretTable.condition(row, at: now), isThere: try row["in_head"],
                        lastSeenAt: try row["last_seen_at"])
                }
            }
            return places.map(\.place)
        }
    }

    /// Says that a key is meant to be in files. What was found of it there is no leak from now on.
    ///
    /// - Parameter paths: absolute.
    package func expect(_ selector: String, in paths: [String], at now: Instant, by actor: AuditActor) throws -> Key {
        try change(at: now, by: actor) { db, audit in
            let row = try Self.row(of: selector, db)
            let key = try KeyTable.fetch(db, row: row)
            for path in paths {
                let id = try Self.insertExpected(path, of: row, db, at: now, by: actor)
                guard let id else { continue }
                let found = try Self.fileFindings(of: row, db) {
                    $0.expected == nil && $0.sighting.isIn(file: path, place: $0.place)
                }
                for finding in found {
                    try db.run(
                        """
                        UPDATE findings SET expected_id = \(id), status = 'dismissed', dismissed_at = \(now),
                          dismissed_by = \(actor.uid), dismissed_with = \(actor.program),
                          dismiss_reason = \(Self.expectedReason)
                        WHERE finding_id = \(finding.id)
                        """)
                }
                try Self.settle(found, db, at: now)
                var details = JSONLine()
                details.add("path", path)
                try audit.record(.placeExpected, key: key.id, row: row, details: details)
            }
            return key
        }
    }

    static let expectedReason = "an expected place of the key"

    /// - Returns: nil for a place that is known already.
    static func insertExpected(
        _ path: String, of keyRow: Int64, _ db: Connection, at now: Instant, by actor: AuditActor
    ) throws -> Int64? {
        try db.run(
            """
            INSERT INTO expected_places (key_row, path, added_at, added_by)
            VALUES (\(keyRow), \(PlaceNames(db).stored(path)), \(now), \(actor.name)) ON CONFLICT DO NOTHING
            """)
        return db.changedRows > 0 ? db.lastInsertedRow : nil
    }

    /// Says that a key is no longer meant to be in a file. What is there of it is a finding again, and is reported.
    ///
    /// - Throws: ``StoreError`` for a file that is none of its expected places.
    package func unexpect(_ selector: String, in path: String, at now: Instant, by actor: AuditActor) throws -> Key {
        let issuers = self.issuers
        return try change(at: now, by: actor) { db, audit in
            let row = try Self.row(of: selector, db)
            let key = try KeyTable.fetch(db, row: row)
            let stored = try PlaceNames(db).stored(path)
            let id: Int64? = try db.first(
                "SELECT expected_id FROM expected_places WHERE key_row = \(row) AND path = \(stored)")
            guard let id else {
                throw StoreError.refused(
                    "\(DisplayText.name(path)) is no expected place of the key \(DisplayText.quoted(key.name))",
                    hint: "see which are: keyvigil show \(key.id)")
            }
            let found = try Self.fileFindings(of: row, db) { $0.expected == id }
            try db.run(
                """
                UPDATE findings SET expected_id = NULL, status = 'open', dismissed_at = NULL, dismissed_by = NULL,
                  dismissed_with = NULL, dismiss_reason = NULL
                WHERE key_row = \(row) AND expected_id = \(id)
                """)
            try db.run("DELETE FROM expected_places WHERE expected_id = \(id)")
            var details = JSONLine()
            details.add("path", path)
            try audit.record(.placeUnexpected, key: key.id, row: row, details: details)
            try FindingGrades.regrade(db, keyRow: row, key: key, issuers: issuers, at: now)
            for secret in Set(found.compactMap(\.sighting.secretID)).sorted() {
                let condition = try SecretTable.condition(of: secret, db, at: now)
                try IncidentTable.open(ofFindingsOf: secret, danger: condition.danger, db, at: now)
                guard condition.danger != .none else { continue }
                // Where the configuration has leaks answered by revoking keys, the next scan does that.
                let isRetiring = key.origin == .issued && condition.grade == .retiring
                try Findings.report(
                    secret, of: key, condition: condition, action: isRetiring ? .cutOverlap : .none, issuers: issuers,
                    db,
                    at: now)
            }
            // What is a leak now has no overlap.
            return try changeKey(at: row, db, &audit, at: now) { _, _ in }
        }
    }

    /// A finding in a file on this host's disk.
    private struct KnownFile {
        let id: Int64
        let place: String
        let expected: Int64?
        let sighting: Sighting
    }

    private static func fileFindings(
        of keyRow: Int64, _ db: Connection, where isWanted: (KnownFile) -> Bool
    ) throws -> [KnownFile] {
        let names = try PlaceNames(db)
        return try db.all(
            """
            SELECT f.finding_id, r.path AS watched, f.expected_id, f.secret_id, \(Findings.sightingColumns)
            FROM findings f JOIN repositories r USING (repository_id)
            WHERE f.key_row = \(keyRow) AND f.source IN ('worktree', 'file') AND \(names.areOwn("r.path"))
            """
        ) { row in
            let secret: Int64? = try row["secret_id"]
            return KnownFile(
                id: try row["finding_id"], place: names.shown(try row["watched"]), expected: try row["expected_id"],
                sighting: try Findings.sighting(row, of: secret))
        }.filter(isWanted)
    }

    private static func settle(_ findings: [KnownFile], _ db: Connection, at now: Instant) throws {
        for secret in Set(findings.compactMap(\.sighting.secretID)) {
            try IncidentTable.settle(secret: secret, danger: nil, reason: expectedReason, db, at: now)
        }
    }
}
