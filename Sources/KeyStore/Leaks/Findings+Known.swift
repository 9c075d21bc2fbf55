internal import GRDB
internal import Keys

/// What a changed configuration asks of findings that are known.
extension Findings {
    /// A finding of a current secret that is to end its key.
    struct Unanswered {
        let keyRow: Int64
        let prefix: String
        let firstSeenAt: Instant
        let sighting: Sighting
    }

    /// The open findings in a repository whose keys are to be revoked, oldest first.
    static func unanswered(in repository: String, _ context: Context, _ db: Database) throws -> [Unanswered] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT f.key_row, f.prefix, f.first_seen_at, f.secret_id, f.source, f.object, f.path, f.line,
                  f.column_number, f.commit_id, f.author, f.authored_at, f.in_head, f.objects, f.form, f.place
                FROM repositories r JOIN findings f USING (repository_id) JOIN secrets s USING (secret_id)
                WHERE r.path = ? AND f.status = 'open' AND s.state = 'current' ORDER BY f.finding_id
                """, arguments: [repository])
        return try rows.compactMap { row in
            let secretID: Int64 = row[3]
            let finding = Unanswered(
                keyRow: row[0], prefix: row[1], firstSeenAt: Instant(milliseconds: row[2]),
                sighting: Sighting(
                    prefixID: secretID, secretID: secretID, source: row[4], object: row[5], path: row[6], line: row[7],
                    column: row[8], commit: row[9], author: row[10], authoredAt: row[11], isInHead: row[12],
                    objectCount: row[13], form: row[14], place: row[15]))
            return try keyToRevoke(finding, context, db) == nil ? nil : finding
        }
    }

    /// Revokes the key of a finding, and tells of it.
    ///
    /// - Returns: false where another finding has ended the key already.
    static func answer(
        _ finding: Unanswered, _ context: Context, _ db: Database, _ audit: inout AuditChain
    ) throws -> Bool {
        guard let key = try keyToRevoke(finding, context, db) else { return false }
        try Outbox.add(
            Alert(
                finding.sighting, repository: context.repository, key: key, prefix: finding.prefix, secret: .current,
                response: .revoke, issuers: context.issuers, knownSince: finding.firstSeenAt), db, at: context.now)
        try LeakResponse.revoke.carryOut(
            on: finding.sighting, keyRow: finding.keyRow, key, context, db, &audit)
        return true
    }

    /// The key, if it lives, and can be revoked here.
    private static func keyToRevoke(_ finding: Unanswered, _ context: Context, _ db: Database) throws -> Key? {
        let key = try KeyRow.fetch(db, row: finding.keyRow)
        let grade = SecretGrade(
            secret: .current, retiresAt: nil, key: key.recordedStatus, expiresAt: key.expiresAt, at: context.now)
        guard case .revoke = LeakResponse(to: finding.sighting, of: key, grade, context) else { return nil }
        return key
    }
}
