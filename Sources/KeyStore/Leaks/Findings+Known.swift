internal import Keys

extension Findings {
    /// Alerts once that a secret which is known to be in some places has turned out to be live: by the newest of them.
    static func report(
        _ secret: Int64, of key: Key, condition: SecretCondition, action: LeakAction = .none, issuers: IssuerCatalog,
        _ db: Connection, at now: Instant
    ) throws {
        let ofSecret: SQL =
            "f.key_row = (SELECT key_row FROM secrets WHERE secret_id = \(secret)) AND f.secret_id = \(secret)"
        guard var found = try newest(ofSecret, of: key, condition, db) else { return }
        found.action = action
        found.incident = try IncidentTable.number(ofSecret: secret, db).map {
            LeakReport.Incident(number: $0, isNews: true)
        }
        try OutboxTable.add(Alert(found, issuers: issuers), db, at: now)
    }

    /// Opens the findings again of what looks like a secret of a key, was refused by its issuer, and is accepted now; and alerts by the
    /// newest of them.
    static func reopen(
        _ candidate: SecretHash, of key: Key, condition: SecretCondition, issuers: IssuerCatalog, _ db: Connection,
        at now: Instant
    ) throws {
        try db.run("DELETE FROM refused_candidates WHERE hash = \(candidate)")
        guard db.changedRows > 0 else { return }
        try db.run("UPDATE findings SET status = 'open' WHERE candidate = \(candidate) AND status = 'resolved'")
        guard let found = try newest("f.candidate = \(candidate)", of: key, condition, db) else { return }
        try OutboxTable.add(Alert(found, issuers: issuers), db, at: now)
    }

    /// The newest open finding of a key of which something is true.
    private static func newest(
        _ isMeant: SQL, of key: Key, _ condition: SecretCondition, _ db: Connection
    ) throws -> LeakReport? {
        let names = try PlaceNames(db)
        return try db.first(
            """
            SELECT r.path AS repository, f.prefix, f.first_seen_at, f.secret_id, \(sightingColumns)
            FROM repositories r JOIN findings f USING (repository_id)
            WHERE \(isMeant) AND f.status = 'open' ORDER BY f.finding_id DESC LIMIT 1
            """
        ) { row in
            LeakReport(
                try sighting(row, of: row["secret_id"]), repository: names.shown(try row["repository"]), key: key,
                prefix: try row["prefix"], condition: condition, action: .none, knownSince: try row["first_seen_at"])
        }
    }

    /// Reports the secrets of a key whose overlap ends, and that were in expected places when these were last looked at.
    ///
    /// - Parameters:
    ///   - end: the latest end of an overlap that counts.
    ///   - notice: the time within which that is; nil: it is over.
    /// - Returns: the number of alerts.
    static func reportLeftInPlace(
        of key: Key, _ keyRow: Int64, endingBy end: Instant, within notice: Period? = nil, _ db: Connection,
        at now: Instant
    ) throws -> Int {
        try reportLeftInPlace(
            of: key, "f.key_row = \(keyRow) AND s.retires_at <= \(end)", ended: nil, within: notice, db, at: now)
    }

    /// The same for secrets whose overlap is cut short now: before they are retired.
    ///
    /// - Parameter secret: nil: all of the key.
    static func reportLeftInPlace(
        of key: Key, cutting secret: Int64?, ofRow keyRow: Int64, _ db: Connection, at now: Instant
    ) throws {
        _ = try reportLeftInPlace(
            of: key, "f.key_row = \(keyRow) AND s.secret_id = ifnull(\(secret), s.secret_id) AND s.retires_at > \(now)",
            ended: now, within: nil, db, at: now)
    }

    /// - Parameters:
    ///   - isMeant: which replaced secrets.
    ///   - ended: when their overlaps end, where that is another time than was planned.
    private static func reportLeftInPlace(
        of key: Key, _ isMeant: SQL, ended: Instant?, within notice: Period?, _ db: Connection, at now: Instant
    ) throws -> Int {
        let names = try PlaceNames(db)
        let left = try db.all(
            """
            SELECT s.prefix, s.retires_at, e.path, min(ifnull(r.scanned_at, f.last_seen_at)) AS scanned_at
            FROM findings f JOIN secrets s USING (secret_id) JOIN repositories r USING (repository_id)
            JOIN expected_places e ON \(isInExpectedPlace)
            WHERE \(isMeant) AND f.in_head AND s.state = 'retiring'
            GROUP BY s.secret_id, e.path ORDER BY s.secret_id, e.path
            """
        ) {
            LeftSecret(
                prefix: try $0["prefix"], end: try $0["retires_at"], path: names.shown(try $0["path"]),
                scannedAt: try $0["scanned_at"])
        }
        let secrets = Dictionary(grouping: left, by: \.prefix).sorted { $0.key < $1.key }
        for (prefix, places) in secrets {
            let alert = Alert(
                leftSecret: prefix, of: key, endingAt: ended ?? places[0].end, within: notice, in: places.map(\.path),
                scannedAt: places.map(\.scannedAt).min() ?? now)
            try OutboxTable.add(alert, db, at: now)
        }
        return secrets.count
    }

    /// A replaced secret in an expected place.
    private struct LeftSecret {
        let prefix: String
        /// The end of its overlap.
        let end: Instant
        let path: String
        /// When the last finished scan of the place began; where none has finished, when it was last seen there.
        let scannedAt: Instant
    }

    /// Reports a secret that is found in an expected place for the first time, after its overlap has ended.
    static func reportLeftInPlace(
        _ sighting: Sighting, prefix: String, of key: Key, condition: SecretCondition, _ context: LeakContext,
        _ db: Connection
    ) throws {
        guard sighting.grade == .confirmed, condition.grade == .retired, sighting.isInHead,
            let expected = sighting.expectedID,
            let path: String = try db.first("SELECT path FROM expected_places WHERE expected_id = \(expected)")
        else { return }
        let alert = Alert(
            leftSecret: prefix, of: key, endingAt: condition.since ?? context.now, within: nil,
            in: [try PlaceNames(db).shown(path)], scannedAt: context.now)
        try OutboxTable.add(alert, db, at: context.now)
    }

    static let sightingColumns: SQL = """
        f.source, f.object, f.path, f.line, f.column_number, f.commit_id, f.author, f.authored_at, f.in_head, f.objects,
          f.form, f.place, f.repository AS within, f.candidate
        """

    /// A finding as it was seen.
    static func sighting(_ row: Row, of secret: Int64?) throws -> Sighting {
        Sighting(
            prefixID: secret ?? 0, secretID: secret, candidate: try row["candidate"], source: try row["source"],
            repository: try row["within"], object: try row["object"],
            path: try row["path"], line: try row["line"], column: try row["column_number"],
            commit: try row["commit_id"], author: try row["author"], authoredAt: try row["authored_at"],
            isInHead: try row["in_head"], objectCount: try row["objects"], form: try row["form"],
            place: try row["place"])
    }
}

/// What a changed configuration asks of findings that are known.
extension Findings {
    /// A finding of a current secret that is to end its key.
    struct Unanswered {
        let keyRow: Int64
        let prefix: String
        let firstSeenAt: Instant
        let secret: Int64
        let sighting: Sighting
    }

    /// The oldest open finding in a repository of each secret whose key is to be revoked.
    static func unanswered(in repository: String, _ context: LeakContext, _ db: Connection) throws -> [Unanswered] {
        let stored = try PlaceNames(db).stored(repository)
        let open = try db.all(
            """
            SELECT f.key_row, f.prefix, f.first_seen_at, f.secret_id, \(sightingColumns)
            FROM findings f WHERE f.finding_id IN (
              SELECT min(o.finding_id) FROM repositories r JOIN findings o USING (repository_id)
              JOIN secrets s USING (secret_id)
              WHERE r.path = \(stored) AND o.status = 'open' AND s.state = 'current' GROUP BY o.secret_id)
            ORDER BY f.finding_id
            """
        ) { row in
            let secret: Int64 = try row["secret_id"]
            return Unanswered(
                keyRow: try row["key_row"], prefix: try row["prefix"], firstSeenAt: try row["first_seen_at"],
                secret: secret, sighting: try sighting(row, of: secret))
        }
        return try open.filter { try keyToRevoke($0, context, db) != nil }
    }

    /// Revokes the key of a finding, and tells of it.
    ///
    /// - Returns: false where another finding has ended the key already.
    static func answer(
        _ finding: Unanswered, _ context: LeakContext, _ db: Connection, audit: inout AuditChain
    ) throws -> Bool {
        guard let key = try keyToRevoke(finding, context, db) else { return false }
        let condition = try SecretTable.condition(of: finding.secret, db, at: context.now)
        var report = LeakReport(
            finding.sighting, repository: context.repository, key: key, prefix: finding.prefix, condition: condition,
            action: .revoke, knownSince: finding.firstSeenAt)
        report.incident = try IncidentTable.number(ofSecret: finding.secret, db).map {
            LeakReport.Incident(number: $0, isNews: true)
        }
        try OutboxTable.add(Alert(report, issuers: context.issuers), db, at: context.now)
        try LeakAction.revoke.carryOut(
            on: finding.sighting, keyRow: finding.keyRow, key, context, db, audit: &audit)
        return true
    }

    /// The key, if it lives, and can be revoked here.
    private static func keyToRevoke(_ finding: Unanswered, _ context: LeakContext, _ db: Connection) throws -> Key? {
        let key = try KeyTable.fetch(db, row: finding.keyRow)
        let condition = try SecretTable.condition(of: finding.secret, db, at: context.now)
        guard case .revoke = LeakAction(to: finding.sighting, of: key, condition, context) else { return nil }
        return key
    }
}
