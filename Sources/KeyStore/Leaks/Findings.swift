internal import Foundation
internal import GRDB
internal import Keys

/// Findings within a transaction.
enum Findings {
    /// What holds for all sightings of a transaction.
    struct Context {
        /// The path under which the place is watched.
        let repository: String
        let onLeak: LeakAnswer
        let policy: LifecyclePolicy
        let issuers: IssuerCatalog
        let now: Instant
    }

    /// Remembers a sighting, and puts an alert into the outbox where it is new.
    ///
    /// New means: no finding of this prefix and secret at this place in this repository. A mention where the whole
    /// secret is already known to stand is not new; a whole secret where only a mention was known is. A file that was
    /// moved as it is takes its finding along.
    /// - Returns: whether an alert was made.
    static func record(
        _ sighting: Sighting, repository: Int64, _ context: Context, _ db: Database, _ audit: inout AuditChain
    ) throws -> Bool {
        let now = context.now
        let secret = sighting.secretID ?? sighting.prefixID
        let found = try Row.fetchOne(
            db, sql: "SELECT key_row, prefix FROM secrets WHERE secret_id = ?", arguments: [secret])
        guard let found else { return false }
        let keyRow: Int64 = found[0]
        let prefix: String = found[1]
        if let former = sighting.formerPlace {
            try rename(former, to: sighting, prefix: prefix, repository: repository, db)
        }
        if try refresh(sighting, prefix: prefix, repository: repository, db, at: now) { return false }
        let key = try KeyRow.fetch(db, row: keyRow)
        let condition = try ConditionRow.condition(of: secret, db, at: now)
        let action = LeakAction(to: sighting, of: key, condition, context)
        let isHarmless = try isHarmless(sighting, condition, db)
        try insert(
            sighting, prefix: prefix, keyRow: keyRow, grade: condition.grade, isResolved: isHarmless,
            repository: repository, db, at: now)
        // What its issuer has refused before is no news in another place.
        if isHarmless, sighting.grade == .probable { return true }
        try Outbox.add(
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
        _ former: String, to sighting: Sighting, prefix: String, repository: Int64, _ db: Database
    ) throws {
        let arguments: StatementArguments = [repository, prefix, former, sighting.place, sighting.path]
        try db.execute(
            sql: """
                UPDATE OR IGNORE findings SET place = ?4, path = ?5, first_path = NULL
                WHERE repository_id = ?1 AND prefix = ?2 AND place = ?3
                """, arguments: arguments)
        try db.execute(
            sql: "DELETE FROM findings WHERE repository_id = ?1 AND prefix = ?2 AND place = ?3",
            arguments: [repository, prefix, former])
    }

    /// Whether what is there is known to open nothing.
    private static func isHarmless(_ sighting: Sighting, _ condition: SecretCondition, _ db: Database) throws -> Bool {
        switch sighting.grade {
        case .confirmed: return condition.danger == .none
        case .mention: return false
        case .probable:
            guard let candidate = sighting.candidate else { return false }
            return try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM refused_candidates WHERE hash = ?)",
                arguments: [Data(candidate.bytes)]) ?? false
        }
    }

    /// Brings a known finding up to date.
    ///
    /// - Returns: false where there is none.
    private static func refresh(
        _ sighting: Sighting, prefix: String, repository: Int64, _ db: Database, at now: Instant
    ) throws -> Bool {
        let candidate = sighting.candidate.map { Data($0.bytes) }
        if sighting.grade != .mention {
            // The mention here has turned out to be more, and so has what was probable.
            try db.execute(
                sql: """
                    DELETE FROM findings WHERE repository_id = ?1 AND prefix = ?2 AND place = ?3 AND secret_id IS NULL
                      AND (candidate IS NULL OR candidate = (SELECT hash FROM secrets WHERE secret_id = ?4))
                      AND NOT EXISTS (SELECT 1 FROM findings o WHERE o.repository_id = findings.repository_id
                        AND o.prefix = findings.prefix AND o.place = findings.place
                        AND (o.secret_id = ?4 OR o.candidate = ?5))
                    """, arguments: [repository, prefix, sighting.place, sighting.secretID, candidate])
        }
        // A place that is confirmed, or probable, covers a mention of the same prefix there.
        let atPlace = try Int64.fetchOne(
            db,
            sql: """
                SELECT finding_id FROM findings WHERE repository_id = ?1 AND prefix = ?2 AND place = ?3
                  AND (?4 IS NULL OR secret_id = ?4) AND (?5 IS NULL OR candidate = ?5)
                ORDER BY secret_id IS NULL DESC, candidate IS NULL DESC LIMIT 1
                """, arguments: [repository, prefix, sighting.place, sighting.secretID, candidate])
        let known = try atPlace ?? FindingObjects.moved(sighting, prefix: prefix, repository: repository, db)
        guard let known else { return false }
        if atPlace == nil, sighting.isInHead { try move(known, to: sighting, db) }
        try FindingObjects.add(sighting.objects, to: known, db)
        // Of a finding in several objects a part of a scan may see only some, and not those that stand in HEAD.
        try db.execute(
            sql: """
                UPDATE findings SET last_seen_at = ?1, objects = max(objects, ?3, o.count),
                  in_head = CASE WHEN ?2 THEN 1 WHEN ?5 AND o.count <= ?3 THEN 0 ELSE in_head END
                FROM (SELECT count(*) AS count FROM finding_objects WHERE finding_id = ?4) o WHERE finding_id = ?4
                """,
            arguments: [now.milliseconds, sighting.isInHead, sighting.objectCount, known, atPlace != nil])
        // The first commit stays. What was seen in a worktree before it was committed is told with its commit from now on.
        if let commit = sighting.commit {
            try db.execute(
                sql: """
                    UPDATE findings SET source = ?1, object = ?2, line = ?3, column_number = ?4, commit_id = ?5, author = ?6,
                      authored_at = ?7, form = ?8
                    WHERE finding_id = ?9 AND commit_id IS NULL
                    """,
                arguments: [
                    sighting.source, sighting.object, sighting.line, sighting.column, commit, sighting.author,
                    sighting.authoredAt, sighting.form, known,
                ])
        }
        return true
    }

    /// Tells a finding under the path that its file has now.
    private static func move(_ id: Int64, to sighting: Sighting, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE findings SET first_path = ifnull(first_path, path), path = ?, place = ?, line = ?,
                  column_number = ?, first_commit = iif(first_path IS NULL, commit_id, first_commit),
                  first_author = iif(first_path IS NULL, author, first_author),
                  first_authored_at = iif(first_path IS NULL, authored_at, first_authored_at),
                  commit_id = ?, author = ?, authored_at = ? WHERE finding_id = ?
                """,
            arguments: [
                sighting.path, sighting.place, sighting.line, sighting.column, sighting.commit, sighting.author,
                sighting.authoredAt, id,
            ])
    }

    private static func insert(
        _ sighting: Sighting, prefix: String, keyRow: Int64, grade: SecretGrade, isResolved: Bool, repository: Int64,
        _ db: Database, at now: Instant
    ) throws {
        let status = isResolved ? Finding.Status.resolved : .open
        try db.execute(
            sql: """
                INSERT INTO findings (repository_id, key_row, prefix, secret_id, place, secret_state, status, source, object,
                  path, line, column_number, commit_id, author, authored_at, in_head, objects, first_seen_at, last_seen_at,
                  form, candidate, repository)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                repository, keyRow, prefix, sighting.secretID, sighting.place, grade.rawValue, status.rawValue,
                sighting.source, sighting.object, sighting.path, sighting.line, sighting.column, sighting.commit,
                sighting.author, sighting.authoredAt, sighting.isInHead, sighting.objectCount, now.milliseconds,
                now.milliseconds, sighting.form, sighting.candidate.map { Data($0.bytes) },
                sighting.repository,
            ])
        try FindingObjects.add(sighting.objects, to: db.lastInsertedRowID, db)
    }

    /// Whether the current secret of a key stands somewhere where it should not.
    static func isLeaked(_ db: Database, keyRow: Int64) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM findings JOIN secrets s USING (secret_id)
                  WHERE findings.key_row = ? AND status = 'open' AND s.state = 'current')
                """, arguments: [keyRow]) ?? false
    }

    /// Grades a key's confirmed findings after the key, or what its issuer says of a secret, has changed, and reports once
    /// that a leak has lost its danger.
    static func regrade(_ db: Database, keyRow: Int64, key: Key, issuers: IssuerCatalog, at now: Instant) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT f.finding_id, f.secret_state, f.status, s.prefix, s.secret_id, \(ConditionRow.columns)
                FROM findings f JOIN secrets s USING (secret_id) JOIN keys k ON k.key_row = s.key_row
                WHERE f.key_row = ? ORDER BY f.finding_id
                """)
        var resolved: [(secret: Int64, prefix: String, condition: SecretCondition, places: Int)] = []
        for row in try Row.fetchAll(statement, arguments: [keyRow]) {
            let before = try KeyRow.known(SecretGrade(rawValue: row[1]))
            let status = try KeyRow.known(Finding.Status(rawValue: row[2]))
            let condition = try ConditionRow.condition(row, from: 5, at: now)
            var after = status
            if status != .dismissed { after = condition.danger == .none ? .resolved : .open }
            guard condition.grade != before || after != status else { continue }
            try db.execute(
                sql: "UPDATE findings SET secret_state = ?, status = ? WHERE finding_id = ?",
                arguments: [condition.grade.rawValue, after.rawValue, row[0] as Int64])
            if status == .open, after == .resolved {
                let secret: Int64 = row[4]
                if let index = resolved.firstIndex(where: { $0.secret == secret }) {
                    resolved[index].places += 1
                } else {
                    resolved.append((secret, row[3], condition, 1))
                }
            }
        }
        for leak in resolved {
            try Outbox.add(
                Alert(
                    resolvedLeakOf: leak.prefix, key: key, condition: leak.condition, places: leak.places,
                    issuers: issuers), db, at: now)
        }
    }
}
