internal import Keys

/// The look-up of a secret by its keyed hash.
enum SecretLookup {
    /// One row in any case, unless the store has no secret at all. Where no secret has the hash, the row of another one is
    /// read, so that both cost the same; `is_known` tells whether it is the one.
    static func statement(_ hash: SecretHash) -> SQL {
        """
        SELECT \(SealedKey.columns), \(SealedSecret.columns), k.last_used_at, k.reuse_told_at, k.stated_by, k.stated_at,
          p.check_decision, p.check_decided_at, p.check_problem, p.check_problem_at,
          i.incident_id, i.use_reported_at, h.secret_id IS NOT NULL AS is_known, d.has_digests, d.pepper_version
        FROM (SELECT max(secret_id) AS last, EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256') AS has_digests,
                \(Store.versionOfMergedPeppers) AS pepper_version
              FROM secrets) d
        LEFT JOIN secrets h ON h.hash = \(hash)
        JOIN secrets p ON p.secret_id = ifnull(h.secret_id, d.last)
        JOIN keys k ON k.key_row = p.key_row
        LEFT JOIN incidents i ON i.secret_id = p.secret_id AND i.resolved_at IS NULL
        """
    }

    /// What one look-up has found.
    struct Answer {
        var verification = Verification(code: .notFound, key: nil, secret: nil)
        /// Whether the store has secrets of which only the SHA-256 is known.
        var hasDigests = false
        /// The version of the list of merged stores' peppers.
        var pepperVersion: Int64 = 0
    }

    /// The verdict on the secret with a hash.
    ///
    /// - Parameter issuers: say how the secrets of each are presented.
    static func answer(
        _ hash: SecretHash, _ request: AccessRequest, issuers: IssuerCatalog, seals: RowSeals, _ db: Connection,
        at now: Instant
    ) throws -> Answer {
        let answer = try db.first(statement(hash)) { row in
            // In the order of the columns, in which a column is found at once.
            let key = try SealedKey(row)
            // The row of another secret, too, so that both cost the same.
            let fitsKey = try row["key_seal"] as SecretHash? == seals.seal(key)
            let secret = try SealedSecret(row, of: key.id)
            let fitsSecret = try row["secret_seal"] as SecretHash? == seals.seal(secret)
            let grade = SecretGrade(
                secret: secret.state, retiresAt: secret.retiresAt, key: key.status, expiresAt: key.expiresAt, at: now)
            let grant = AccessGrant(
                environment: key.environment, permissions: PermissionSet(stored: key.permissions),
                resources: ResourceScope(stored: key.resources),
                form: issuers.authorization(of: key.issuer, kind: key.kind, prefix: secret.prefix),
                isOnHold: key.hold != nil)
            let (lastUsedAt, reuseToldAt): (Instant?, Instant?) = (try row["last_used_at"], try row["reuse_told_at"])
            let (attestation, check) = (try KeyTable.attestation(row), try SecretTable.check(row))
            let incident: Int64? = try row["incident_id"]
            let useReportedAt: Instant? = try row["use_reported_at"]
            let holder = SecretHolder(
                id: key.id, name: key.name, owner: key.owner, prefix: secret.prefix, lastUsedAt: lastUsedAt,
                reuseToldAt: reuseToldAt, grant: grant, origin: key.origin, attestation: attestation, check: check,
                exposure: incident.map { SecretHolder.Exposure(incident: $0, useReportedAt: useReportedAt) })
            let decided = VerdictRules.code(secret: grade, grant: grant, request: request)
            // An index that was changed can lead to another row.
            let isAsWritten = fitsKey && fitsSecret && secret.hash == hash
            let known = Verification(code: isAsWritten ? decided : .tampered, key: holder, secret: grade)
            let isKnown: Bool = try row["is_known"]
            var answer = Answer(hasDigests: try row["has_digests"], pepperVersion: try row["pepper_version"])
            if isKnown { answer.verification = known }
            return answer
        }
        return answer ?? Answer()
    }
}
