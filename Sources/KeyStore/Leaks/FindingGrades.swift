internal import Keys

/// What findings say of the secrets that were found, by what is known of these.
enum FindingGrades {
    /// Whether the current secret of a key is somewhere where it should not be.
    static func isLeaked(_ db: Connection, keyRow: Int64) throws -> Bool {
        try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM findings JOIN secrets s USING (secret_id)
              WHERE findings.key_row = \(keyRow) AND status = 'open' AND s.state = 'current')
            """)
    }

    /// Grades a key's confirmed findings after the key, or what its issuer says of a secret, has changed, and reports once
    /// that a leak has lost its danger.
    static func regrade(_ db: Connection, keyRow: Int64, key: Key, issuers: IssuerCatalog, at now: Instant) throws {
        let graded = try db.all(
            """
            SELECT f.finding_id, f.secret_state AS grade, f.status, s.prefix, s.secret_id, \(SecretTable.conditionColumns)
            FROM findings f JOIN secrets s USING (secret_id) JOIN keys k ON k.key_row = s.key_row
            WHERE f.key_row = \(keyRow) ORDER BY f.finding_id
            """
        ) { row in
            Graded(
                id: try row["finding_id"], grade: try row["grade"], status: try row["status"],
                prefix: try row["prefix"], secret: try row["secret_id"],
                condition: try SecretTable.condition(row, at: now))
        }
        var resolved: [(secret: Int64, prefix: String, condition: SecretCondition, places: Int)] = []
        for finding in graded {
            let condition = finding.condition
            var after = finding.status
            if after != .dismissed { after = condition.danger == .none ? .resolved : .open }
            guard condition.grade != finding.grade || after != finding.status else { continue }
            try db.run(
                """
                UPDATE findings SET secret_state = \(condition.grade), status = \(after) WHERE finding_id = \(finding.id)
                """)
            guard finding.status == .open, after == .resolved else { continue }
            if let index = resolved.firstIndex(where: { $0.secret == finding.secret }) {
                resolved[index].places += 1
            } else {
                resolved.append((finding.secret, finding.prefix, condition, 1))
            }
        }
        for leak in resolved {
            try OutboxTable.add(
                Alert(
                    resolvedLeakOf: leak.prefix, key: key, condition: leak.condition, places: leak.places,
                    issuers: issuers), db, at: now)
        }
    }

    /// A confirmed finding as it was graded, and what is known of its secret by now.
    private struct Graded {
        let id: Int64
        let grade: SecretGrade
        let status: Finding.Status
        let prefix: String
        let secret: Int64
        let condition: SecretCondition
    }
}
