internal import GRDB
internal import Keys

extension Findings {
    /// Alerts once that a secret which is known to be in some places has turned out to be live: by the newest of them.
    static func report(
        _ secret: Int64, of key: Key, condition: SecretCondition, issuers: IssuerCatalog, _ db: Database,
        at now: Instant
    ) throws {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT r.path, f.prefix, f.first_seen_at, \(sightingColumns)
                FROM repositories r JOIN findings f USING (repository_id)
                WHERE f.secret_id = ? AND f.status = 'open' ORDER BY f.finding_id DESC LIMIT 1
                """, arguments: [secret])
        guard let row else { return }
        try Outbox.add(
            Alert(
                LeakReport(
                    sighting(row, of: secret, from: 3), repository: row[0], key: key, prefix: row[1],
                    condition: condition, action: .none, knownSince: Instant(milliseconds: row[2])), issuers: issuers),
            db, at: now)
    }

    private static let sightingColumns = """
        f.source, f.object, f.path, f.line, f.column_number, f.commit_id, f.author, f.authored_at, f.in_head, f.objects,
          f.form, f.place, f.repository
        """

    /// A finding as it was seen.
    ///
    /// - Parameter start: the number of the first of ``sightingColumns``.
    private static func sighting(_ row: Row, of secret: Int64, from start: Int) -> Sighting {
        Sighting(
            prefixID: secret, secretID: secret, source: row[start], repository: row[start + 12], object: row[start + 1],
            path: row[start + 2], line: row[start + 3], column: row[start + 4], commit: row[start + 5],
            author: row[start + 6],
            authoredAt: row[start + 7], isInHead: row[start + 8], objectCount: row[start + 9], form: row[start + 10],
            place: row[start + 11])
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

    /// The open findings in a repository whose keys are to be revoked, oldest first.
    static func unanswered(in repository: String, _ context: Context, _ db: Database) throws -> [Unanswered] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT f.key_row, f.prefix, f.first_seen_at, f.secret_id, \(sightingColumns)
                FROM repositories r JOIN findings f USING (repository_id) JOIN secrets s USING (secret_id)
                WHERE r.path = ? AND f.status = 'open' AND s.state = 'current' ORDER BY f.finding_id
                """, arguments: [repository])
        return try rows.compactMap { row in
            let secretID: Int64 = row[3]
            let finding = Unanswered(
                keyRow: row[0], prefix: row[1], firstSeenAt: Instant(milliseconds: row[2]), secret: secretID,
                sighting: sighting(row, of: secretID, from: 4))
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
        let condition = try ConditionRow.condition(of: finding.secret, db, at: context.now)
        try Outbox.add(
            Alert(
                LeakReport(
                    finding.sighting, repository: context.repository, key: key, prefix: finding.prefix,
                    condition: condition, action: .revoke, knownSince: finding.firstSeenAt), issuers: context.issuers),
            db, at: context.now)
        try LeakAction.revoke.carryOut(
            on: finding.sighting, keyRow: finding.keyRow, key, context, db, &audit)
        return true
    }

    /// The key, if it lives, and can be revoked here.
    private static func keyToRevoke(_ finding: Unanswered, _ context: Context, _ db: Database) throws -> Key? {
        let key = try KeyRow.fetch(db, row: finding.keyRow)
        let condition = try ConditionRow.condition(of: finding.secret, db, at: context.now)
        guard case .revoke = LeakAction(to: finding.sighting, of: key, condition, context) else { return nil }
        return key
    }
}
