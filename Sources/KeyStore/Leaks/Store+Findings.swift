internal import Foundation
internal import GRDB
package import Keys

extension Store {
    private static let findings = """
        SELECT f.finding_id, r.path, k.id, k.name, k.owner, f.prefix, f.secret_id, f.secret_state, f.status, f.source,
          f.object, f.path, f.line, f.column_number, f.commit_id, f.author, f.authored_at, f.in_head, f.objects,
          f.place, f.first_seen_at, f.last_seen_at, f.form, f.first_path, f.dismissed_at, f.dismissed_by,
          f.dismissed_with, f.dismiss_reason, k.issuer, f.candidate, f.repository, r.unwatched_at,
          f.first_commit, f.first_author, f.first_authored_at, \(ConditionRow.columns)
        FROM findings f JOIN repositories r USING (repository_id) JOIN keys k USING (key_row)
        JOIN secrets s ON s.secret_id = ifnull(f.secret_id,
          (SELECT p.secret_id FROM secrets p WHERE p.key_row = f.key_row AND p.prefix = f.prefix
           ORDER BY p.generation DESC LIMIT 1))

        """

    /// Runs `body` on the findings, oldest first.
    ///
    /// - Parameters:
    ///   - keyID: only those of this key.
    ///   - place: only those in this watched place.
    ///   - status: only those with this status.
    package func forEachFinding(
        keyID: String? = nil, place: String? = nil, status: Finding.Status? = nil, at now: Instant,
        _ body: (Finding) throws -> Void
    ) throws {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: Self.findings
                    + Self.conditions(keyID: keyID, place: place, status: status) + " ORDER BY f.finding_id",
                arguments: [keyID, place, status?.rawValue])
            while let row = try rows.next() { try body(try Self.finding(row, at: now)) }
        }
    }

    /// What is not asked for is not in the statement, so that each way to ask goes by its index.
    private static func conditions(keyID: String?, place: String?, status: Finding.Status?) -> String {
        let asked = [
            keyID.map { _ in "f.key_row = (SELECT key_row FROM keys WHERE id = ?1)" },
            place.map { _ in "f.repository_id = (SELECT repository_id FROM repositories WHERE path = ?2)" },
            status.map { $0 == .unwatched ? "r.unwatched_at IS NOT NULL" : "f.status = ?3 AND r.unwatched_at IS NULL" },
        ].compactMap(\.self)
        // Every parameter is named, whether it is used or not.
        return "WHERE (?1 IS NULL OR ?2 IS NULL OR ?3 IS NULL OR true)" + asked.map { " AND \($0)" }.joined()
    }

    /// One finding by its number.
    ///
    /// - Throws: ``StoreError`` where there is none.
    package func finding(_ id: Int64, at now: Instant) throws -> Finding {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: Self.findings + "WHERE f.finding_id = ?", arguments: [id]) else {
                throw Self.noSuchFinding(id)
            }
            return try Self.finding(row, at: now)
        }
    }

    private static func noSuchFinding(_ id: Int64) -> StoreError {
        .refused("there is no finding \(id)", hint: "keyvigil findings --all shows all")
    }

    private static func finding(_ row: Row, at now: Instant) throws -> Finding {
        let secretID: Int64? = row[6]
        let candidate: Data? = row[29]
        var dismissal: Finding.Dismissal?
        if let at = KeyRow.instant(row[24]) {
            dismissal = Finding.Dismissal(at: at, uid: row[25] ?? 0, program: row[26] ?? "", reason: row[27] ?? "")
        }
        return Finding(
            id: row[0], repository: row[1], keyID: row[2], keyName: row[3], owner: row[4], issuer: row[28],
            prefix: row[5],
            condition: try ConditionRow.condition(row, from: 35, at: now),
            status: try KeyRow.known(row[31] == nil ? Finding.Status(rawValue: row[8]) : .unwatched),
            sighting: Sighting(
                prefixID: 0, secretID: secretID, candidate: candidate.map { SecretHash(Array($0)) }, source: row[9],
                repository: row[30], object: row[10], path: row[11], line: row[12],
                column: row[13], commit: row[14], author: row[15], authoredAt: row[16], isInHead: row[17],
                objectCount: row[18], form: row[22], place: row[19]),
            first: (row[23] as String?).map {
                Finding.Origin(path: $0, commit: row[32], author: row[33], authoredAt: row[34])
            }, firstSeenAt: Instant(milliseconds: row[20]), lastSeenAt: Instant(milliseconds: row[21]),
            dismissal: dismissal)
    }

    /// Sets a finding aside: it raises no alarm any more, whatever becomes of its key.
    package func dismissFinding(_ id: Int64, reason: String, at now: Instant, by actor: Actor) throws {
        try change(at: now, by: actor) { db, audit in
            let keyID = try String.fetchOne(
                db, sql: "SELECT k.id FROM findings f JOIN keys k USING (key_row) WHERE f.finding_id = ?",
                arguments: [id])
            guard let keyID else { throw Self.noSuchFinding(id) }
            try db.execute(
                sql: """
                    UPDATE findings SET status = 'dismissed', dismissed_at = ?, dismissed_by = ?, dismissed_with = ?,
                      dismiss_reason = ? WHERE finding_id = ?
                    """, arguments: [now.milliseconds, actor.uid, actor.program, reason, id])
            var details = JSONLine()
            details.add("finding", id)
            details.add("reason", reason)
            try audit.record(.findingDismissed, key: KeyID(stored: keyID), details: details)
        }
    }
}
