internal import Keys

/// Findings within a transaction.
enum Findings {
    /// Remembers a sighting, and puts an alert into the outbox where it is new.
    ///
    /// New means: no finding of this prefix and secret at this place in this repository. A mention where the whole
    /// secret is already known to stand is not new; a whole secret where only a mention was known is. A file that was
    /// moved as it is takes its finding along.
    /// - Returns: whether an alert was made.
    static func record(
        _ sighting: Sighting, repository: Int64, _ context: LeakContext, _ db: Connection, _ audit: inout AuditChain
    ) throws -> Bool {
        let now = context.now
        let secret = sighting.secretID ?? sighting.prefixID
        guard let (keyRow, prefix) = try SecretTable.holder(of: secret, db) else { return false }
        if let former = sighting.formerPlace {
            try rename(former, to: sighting, prefix: prefix, repository: repository, db)
        }
        if try refresh(sighting, prefix: prefix, repository: repository, db, at: now) { return false }
        let key = try KeyTable.fetch(db, row: keyRow)
        let condition = try SecretTable.condition(of: secret, db, at: now)
        let action = LeakAction(to: sighting, of: key, condition, context)
        let isHarmless = try isHarmless(sighting, condition, db)
        try insert(
            sighting, prefix: prefix, keyRow: keyRow, grade: condition.grade, isResolved: isHarmless,
            repository: repository, db, at: now)
        // What its issuer has refused before is no news in another place.
        if isHarmless, sighting.grade == .probable { return true }
        try OutboxTable.add(
            Alert(
                LeakReport(
                    sighting, repository: context.repository, key: key,
                    shared: sighting.grade == .confirmed ? nil : try SharedPrefix(prefix, besides: key.id.text, db),
                    prefix: prefix, condition: condition, action: action), issuers: context.issuers), db, at: now)
        if sighting.grade == .confirmed, condition.grade == .current {
            var details = JSONLine()
            details.add("prefix", prefix)
            try audit.record(.leakConfirmed, key: key.id, row: keyRow, details: details)
        }
        try action.carryOut(on: sighting, keyRow: keyRow, key, context, db, &audit)
        return true
    }

    /// Takes a secret out of the name under which an earlier version has stored a finding.
    private static func rename(
        _ former: String, to sighting: Sighting, prefix: String, repository: Int64, _ db: Connection
    ) throws {
        let there: SQL = "repository_id = \(repository) AND prefix = \(prefix) AND place = \(former)"
        try db.run(
            """
            UPDATE OR IGNORE findings SET place = \(sighting.place), path = \(sighting.path), first_path = NULL
            WHERE \(there)
            """)
        try db.run("DELETE FROM findings WHERE \(there)")
    }

    /// Whether what is there is known to open nothing.
    private static func isHarmless(_ sighting: Sighting, _ condition: SecretCondition, _ db: Connection) throws -> Bool
    {
        switch sighting.grade {
        case .confirmed: return condition.danger == .none
        case .mention: return false
        case .probable:
            guard let candidate = sighting.candidate else { return false }
            return try isRefused(candidate, db)
        }
    }

    /// Whether what looks like a secret was refused by its issuer.
    static func isRefused(_ candidate: SecretHash, _ db: Connection) throws -> Bool {
        try db.isTrue("SELECT EXISTS (SELECT 1 FROM refused_candidates WHERE hash = \(candidate))")
    }

    /// Brings a known finding up to date.
    ///
    /// - Returns: false where there is none.
    private static func refresh(
        _ sighting: Sighting, prefix: String, repository: Int64, _ db: Connection, at now: Instant
    ) throws -> Bool {
        let here: SQL = "repository_id = \(repository) AND prefix = \(prefix) AND place = \(sighting.place)"
        let (secret, candidate) = (sighting.secretID, sighting.candidate)
        if sighting.grade != .mention {
            // The mention here has turned out to be more, and so has what was probable.
            try db.run(
                """
                DELETE FROM findings WHERE \(here) AND secret_id IS NULL
                  AND (candidate IS NULL OR candidate = (SELECT hash FROM secrets WHERE secret_id = \(secret)))
                  AND NOT EXISTS (SELECT 1 FROM findings o WHERE o.repository_id = findings.repository_id
                    AND o.prefix = findings.prefix AND o.place = findings.place
                    AND (o.secret_id = \(secret) OR o.candidate = \(candidate)))
                """)
        }
        // A place that is confirmed, or probable, covers a mention of the same prefix there.
        let atPlace: Int64? = try db.first(
            """
            SELECT finding_id FROM findings WHERE \(here) AND (\(secret) IS NULL OR secret_id = \(secret))
              AND (\(candidate) IS NULL OR candidate = \(candidate))
            ORDER BY secret_id IS NULL DESC, candidate IS NULL DESC LIMIT 1
            """)
        let known = try atPlace ?? FindingObjects.moved(sighting, prefix: prefix, repository: repository, db)
        guard let known else { return false }
        if atPlace == nil, sighting.isInHead { try move(known, to: sighting, db) }
        try FindingObjects.add(sighting.objects, to: known, db)
        // Of a finding in several objects a part of a scan may see only some, and not those that are in HEAD.
        try db.run(
            """
            UPDATE findings SET last_seen_at = \(now), objects = max(objects, \(sighting.objectCount), o.count),
              in_head = CASE WHEN \(sighting.isInHead) THEN 1
                WHEN \(atPlace != nil) AND o.count <= \(sighting.objectCount) THEN 0 ELSE in_head END
            FROM (SELECT count(*) AS count FROM finding_objects WHERE finding_id = \(known)) o
            WHERE finding_id = \(known)
            """)
        // The first commit stays. What was seen in a worktree before it was committed is told with its commit from now on.
        if let commit = sighting.commit {
            try db.run(
                """
                UPDATE findings SET source = \(sighting.source), object = \(sighting.object), line = \(sighting.line),
                  column_number = \(sighting.column), commit_id = \(commit), author = \(sighting.author),
                  authored_at = \(sighting.authoredAt), form = \(sighting.form)
                WHERE finding_id = \(known) AND commit_id IS NULL
                """)
        }
        return true
    }

    /// Tells a finding under the path that its file has now.
    private static func move(_ id: Int64, to sighting: Sighting, _ db: Connection) throws {
        try db.run(
            """
            UPDATE findings SET first_path = ifnull(first_path, path), path = \(sighting.path),
              place = \(sighting.place), line = \(sighting.line), column_number = \(sighting.column),
              first_commit = iif(first_path IS NULL, commit_id, first_commit),
              first_author = iif(first_path IS NULL, author, first_author),
              first_authored_at = iif(first_path IS NULL, authored_at, first_authored_at),
              commit_id = \(sighting.commit), author = \(sighting.author), authored_at = \(sighting.authoredAt)
            WHERE finding_id = \(id)
            """)
    }

    private static func insert(
        _ sighting: Sighting, prefix: String, keyRow: Int64, grade: SecretGrade, isResolved: Bool, repository: Int64,
        _ db: Connection, at now: Instant
    ) throws {
        let status = isResolved ? Finding.Status.resolved : .open
        try db.run(
            """
            INSERT INTO findings (repository_id, key_row, prefix, secret_id, place, secret_state, status, source, object,
              path, line, column_number, commit_id, author, authored_at, in_head, objects, first_seen_at, last_seen_at,
              form, candidate, repository)
            VALUES (\(repository), \(keyRow), \(prefix), \(sighting.secretID), \(sighting.place), \(grade), \(status),
              \(sighting.source), \(sighting.object), \(sighting.path), \(sighting.line), \(sighting.column),
              \(sighting.commit), \(sighting.author), \(sighting.authoredAt), \(sighting.isInHead),
              \(sighting.objectCount), \(now), \(now), \(sighting.form), \(sighting.candidate),
              \(sighting.repository))
            """)
        try FindingObjects.add(sighting.objects, to: db.lastInsertedRow, db)
    }
}
