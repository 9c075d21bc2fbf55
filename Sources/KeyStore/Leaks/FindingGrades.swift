internal import Keys

/// What findings say of the secrets that were found, by what is known of these.
enum FindingGrades {
    /// Whether the current secret of a key is somewhere where it should not be.
    static func isLeaked(_ db: Connection, keyRow: Int64) throws -> Bool {
        try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM secrets s JOIN findings f ON f.secret_id = s.secret_id AND f.key_row = s.key_row
              WHERE s.key_row = \(keyRow) AND s.state = 'current' AND f.status = 'open')
            """)
    }

    /// Grades a key's confirmed findings after the key, or what its issuer says of a secret, has changed, and reports once
    /// that a leak has lost its danger, or that what is leaked is known to work by now.
    static func regrade(_ db: Connection, keyRow: Int64, key: Key, issuers: IssuerCatalog, at now: Instant) throws {
        let leaked = try db.all(
            """
            SELECT s.secret_id, s.prefix, \(SecretTable.conditionColumns)
            FROM secrets s JOIN keys k USING (key_row)
            WHERE s.key_row = \(keyRow) AND EXISTS (
              SELECT 1 FROM findings f WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id)
            ORDER BY s.secret_id
            """
        ) { row in
            LeakedSecret(
                id: try row["secret_id"], prefix: try row["prefix"], condition: try SecretTable.condition(row, at: now))
        }
        for secret in leaked {
            let findings: SQL = "key_row = \(keyRow) AND secret_id = \(secret.id)"
            let condition = secret.condition
            let status = condition.danger == .none ? Finding.Status.resolved : .open
            let open: Int? = try db.first(
                """
                SELECT count(*) + iif(count(*) > 0,
                  \(IncidentTable.unlistedPlaces(key: "\(keyRow)", secret: "\(secret.id)")), 0)
                FROM findings WHERE \(findings) AND status = 'open'
                """)
            try db.run(
                """
                UPDATE findings SET secret_state = \(condition.grade), status = iif(status = 'dismissed', status, \(status))
                WHERE \(findings) AND (secret_state <> \(condition.grade) OR status NOT IN ('dismissed', \(status)))
                """)
            let before = try IncidentTable.danger(ofSecret: secret.id, db)
            try IncidentTable.settle(secret: secret.id, danger: condition.danger, db, at: now)
            if let before, before < .live, condition.danger == .live {
                try Findings.report(secret.id, of: key, condition: condition, issuers: issuers, db, at: now)
            }
            guard status == .resolved, let open, open > 0 else { continue }
            try OutboxTable.add(
                Alert(
                    resolvedLeakOf: secret.prefix, key: key, condition: condition, places: open,
                    incident: try IncidentTable.number(ofSecret: secret.id, db), issuers: issuers),
                db, at: now)
        }
    }

    /// A secret that was found somewhere, and what is known of it by now.
    private struct LeakedSecret {
        let id: Int64
        let prefix: String
        let condition: SecretCondition
    }
}
