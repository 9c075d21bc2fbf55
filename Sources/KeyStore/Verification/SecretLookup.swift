internal import Keys

/// The look-up of a secret by its keyed hash.
enum SecretLookup {
    /// One row in any case, unless the store has no secret at all. Where no secret has the hash, the row of another one is
    /// read, so that both cost the same; `is_known` tells whether it is the one.
    static func statement(_ hash: SecretHash) -> SQL {
        """
        SELECT p.state, p.retires_at, k.status, k.expires_at, p.prefix, k.environment, k.permissions, k.resources, k.issuer,
          k.on_hold_at IS NOT NULL AS is_on_hold, k.id, k.name, k.last_used_at, k.reuse_told_at, k.origin, k.stated_by,
          k.stated_at, p.check_decision, p.check_decided_at, p.check_problem, p.check_problem_at,
          h.secret_id IS NOT NULL AS is_known, d.has_digests
        FROM (SELECT max(secret_id) AS last, EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256') AS has_digests
              FROM secrets) d
        LEFT JOIN secrets h ON h.hash = \(hash)
        JOIN secrets p ON p.secret_id = ifnull(h.secret_id, d.last)
        JOIN keys k ON k.key_row = p.key_row
        """
    }

    /// The verdict on the secret with a hash, and whether the store has secrets of which only the SHA-256 is known.
    ///
    /// - Parameter issuers: say how the secrets of each are presented.
    static func answer(
        _ hash: SecretHash, _ request: AccessRequest, _ issuers: IssuerCatalog, _ db: Connection, at now: Instant
    ) throws -> (Verification, hasDigests: Bool) {
        let unknown = Verification(code: .notFound, key: nil, secret: nil)
        let answer = try db.first(statement(hash)) { row in
            let grade = SecretGrade(
                secret: try row["state"], retiresAt: try row["retires_at"], key: try row["status"],
                expiresAt: try row["expires_at"], at: now)
            let prefix: String = try row["prefix"]
            let grant = AccessGrant(
                environment: try row["environment"], permissions: try row["permissions"],
                resources: try row["resources"], form: issuers.authorization(of: try row["issuer"], prefix: prefix),
                isOnHold: try row["is_on_hold"])
            let holder = SecretHolder(
                id: try row["id"], name: try row["name"], prefix: prefix, lastUsedAt: try row["last_used_at"],
                reuseToldAt: try row["reuse_told_at"], grant: grant, origin: try row["origin"],
                attestation: try KeyTable.attestation(row), check: try SecretTable.check(row))
            let code = VerdictRules.code(secret: grade, grant: grant, request: request)
            let (isKnown, hasDigests): (Bool, Bool) = (try row["is_known"], try row["has_digests"])
            return (isKnown ? Verification(code: code, key: holder, secret: grade) : unknown, hasDigests: hasDigests)
        }
        return answer ?? (unknown, hasDigests: false)
    }
}
