internal import Keys

/// Findings within a transaction.
enum Findings {
    /// A finding that a sighting is of, as far as needed to see what the sighting adds to it.
    struct Known {
        let id: Int64
        /// Whether it is at the sighting's place; else its file was moved there.
        let isAtPlace: Bool
        let isInHead: Bool
        let objects: Int
        let lastSeenAt: Instant
        let hasCommit: Bool
        /// Whether it is in a file on disk. By when it was last seen there, a file that has changed since is known.
        let isFile: Bool
    }

    /// As ``Sighting/isOutsideHistory``, of a row of findings.
    static let isOutsideHistory: SQL = "source IN ('worktree', 'file', 'name', 'journal')"

    /// Whether what a row of findings is of is still where it was found: in a history for good.
    static let isThere: SQL = "(in_head OR NOT \(isOutsideHistory))"

    /// Whether a finding `f` in the watched place `r` is in the expected place `e`: in that file itself, or in a commit of it that HEAD has,
    /// which stays a leak. A file that is as git has it is not read besides.
    static let isInExpectedPlace: SQL = """
        (f.expected_id = e.expected_id OR f.source = 'blob' AND f.in_head AND f.key_row = e.key_row
          AND e.path = r.path || '/' || ifnull(f.repository || '/', '') || f.path)
        """

    /// When a finding in git was last seen is written at most this often: a scan that finds what the one before it has
    /// found writes nothing.
    static let seenResolution = Period.seconds(3600)

    /// The finding that a sighting is of; nil where it is a new one.
    static func known(_ sighting: Sighting, prefix: String, repository: Int64, _ db: Connection) throws -> Known? {
        let columns: SQL = """
            finding_id, in_head, objects, last_seen_at, commit_id IS NOT NULL AS has_commit,
              \(isOutsideHistory) AS is_file
            """
        func read(_ row: Row, isAtPlace: Bool) throws -> Known {
            Known(
                id: try row["finding_id"], isAtPlace: isAtPlace, isInHead: try row["in_head"],
                objects: try row["objects"], lastSeenAt: try row["last_seen_at"], hasCommit: try row["has_commit"],
                isFile: try row["is_file"])
        }
        let (secret, candidate) = (sighting.secretID, sighting.candidate)
        // A place that is confirmed, or probable, covers a mention of the same prefix there.
        let atPlace = try db.first(
            """
            SELECT \(columns) FROM findings
            WHERE repository_id = \(repository) AND prefix = \(prefix) AND place = \(sighting.place)
              AND (\(secret) IS NULL OR secret_id = \(secret)) AND (\(candidate) IS NULL OR candidate = \(candidate))
            ORDER BY secret_id IS NULL DESC, candidate IS NULL DESC LIMIT 1
            """
        ) { try read($0, isAtPlace: true) }
        if let atPlace { return atPlace }
        guard let moved = try FindingObjects.moved(sighting, prefix: prefix, repository: repository, db) else {
            return nil
        }
        return try db.first("SELECT \(columns) FROM findings WHERE finding_id = \(moved)") {
            try read($0, isAtPlace: false)
        }
    }

    /// Whether a finding says already all that a sighting would add to it.
    static func isCurrent(_ known: Known, _ sighting: Sighting, _ db: Connection, at now: Instant) throws -> Bool {
        let isInHead = known.isAtPlace && known.isInHead
        let isEachKnown = try FindingObjects.unknown(sighting.objects, of: known.id, db).isEmpty
        return isInHead == sighting.isInHead && known.objects >= sighting.objectCount
            && (known.hasCommit || sighting.commit == nil) && !known.isFile && known.lastSeenAt <= now
            && now < known.lastSeenAt.advanced(by: seenResolution)
            && isEachKnown
    }

    /// Brings a known finding up to date.
    static func refresh(_ known: Known, by sighting: Sighting, _ db: Connection, at now: Instant) throws {
        if !known.isAtPlace, sighting.isInHead { try move(known.id, to: sighting, db) }
        let added = try FindingObjects.unknown(sighting.objects, of: known.id, db)
        try FindingObjects.add(added, to: known.id, db)
        var objects = max(known.objects, sighting.objectCount)
        // Of a finding in several objects a part of a scan may see only some, and not those that are in HEAD.
        let mayHaveLeft = known.isAtPlace && known.isInHead && !sighting.isInHead
        if mayHaveLeft || !added.isEmpty {
            let count: Int? = try db.first("SELECT count(*) FROM finding_objects WHERE finding_id = \(known.id)")
            objects = max(objects, count ?? 0)
        }
        let isInHead = sighting.isInHead || known.isInHead && !(mayHaveLeft && objects <= sighting.objectCount)
        try db.run(
            """
            UPDATE findings SET last_seen_at = \(now), objects = \(objects), in_head = \(isInHead),
              object = iif(source = 'journal', \(sighting.object), object)
            WHERE finding_id = \(known.id)
            """)
        if isInHead != known.isInHead { try FindingObjects.followHead(of: known.id, db) }
        // The first commit stays. What was seen in a worktree before git had it is reported with its object, and its commit, from now on.
        guard known.isFile && !sighting.isOutsideHistory || sighting.commit != nil && !known.hasCommit else { return }
        try db.run(
            """
            UPDATE findings SET source = \(sighting.source), object = \(sighting.object), line = \(sighting.line),
              column_number = \(sighting.column), commit_id = \(sighting.commit), author = \(sighting.author),
              authored_at = \(sighting.authoredAt), form = \(sighting.form)
            WHERE finding_id = \(known.id) AND commit_id IS NULL
            """)
    }

    /// Takes out the mention that has turned out to be more, and what was probable and is a secret now.
    static func dropLess(than sighting: Sighting, prefix: String, repository: Int64, _ db: Connection) throws {
        guard sighting.grade != .mention else { return }
        let (secret, candidate) = (sighting.secretID, sighting.candidate)
        try db.run(
            """
            DELETE FROM findings
            WHERE repository_id = \(repository) AND prefix = \(prefix) AND place = \(sighting.place)
              AND secret_id IS NULL
              AND (candidate IS NULL OR candidate = (SELECT hash FROM secrets WHERE secret_id = \(secret)))
              AND NOT EXISTS (SELECT 1 FROM findings o WHERE o.repository_id = findings.repository_id
                AND o.prefix = findings.prefix AND o.place = findings.place
                AND (o.secret_id = \(secret) OR o.candidate = \(candidate)))
            """)
    }

    /// Whether a finding has the name that an earlier version has stored it under, with a secret in it.
    static func isStored(
        under former: String, prefix: String, repository: Int64, _ db: Connection
    ) throws -> Bool {
        try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM findings
              WHERE repository_id = \(repository) AND prefix = \(prefix) AND place = \(former))
            """)
    }

    /// Takes a secret out of the name under which an earlier version has stored a finding.
    static func rename(
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

    /// Whether an earlier secret of the key was found in the place of a sighting.
    static func hasPredecessor(
        _ sighting: Sighting, keyRow: Int64, repository: Int64, _ db: Connection
    ) throws -> Bool {
        guard let secret = sighting.secretID else { return false }
        return try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM findings
              WHERE key_row = \(keyRow) AND repository_id = \(repository) AND secret_id < \(secret)
                AND place = \(sighting.place))
            """)
    }

    /// Whether what is there is known to open nothing.
    static func isHarmless(_ sighting: Sighting, _ condition: SecretCondition, _ db: Connection) throws -> Bool {
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

    static func insert(
        _ sighting: Sighting, prefix: String, keyRow: Int64, grade: SecretGrade, isResolved: Bool, repository: Int64,
        _ db: Connection, at now: Instant
    ) throws {
        let status = sighting.expectedID != nil ? Finding.Status.dismissed : isResolved ? .resolved : .open
        try db.run(
            """
            INSERT INTO findings (repository_id, key_row, prefix, secret_id, place, secret_state, status, source, object,
              path, line, column_number, commit_id, author, authored_at, in_head, objects, first_seen_at, last_seen_at,
              form, candidate, repository, expected_id)
            VALUES (\(repository), \(keyRow), \(prefix), \(sighting.secretID), \(sighting.place), \(grade), \(status),
              \(sighting.source), \(sighting.object), \(sighting.path), \(sighting.line), \(sighting.column),
              \(sighting.commit), \(sighting.author), \(sighting.authoredAt), \(sighting.isInHead),
              \(sighting.objectCount), \(now), \(now), \(sighting.form), \(sighting.candidate),
              \(sighting.repository), \(sighting.expectedID))
            """)
        try FindingObjects.add(sighting.objects, to: db.lastInsertedRow, db)
    }
}
