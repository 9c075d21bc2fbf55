internal import Keys

/// Reads and writes the rows of `secrets`.
enum SecretTable {
    /// The four columns of a check.
    static func check(_ row: Row) throws(SQLiteError) -> CheckRecord {
        CheckRecord(
            decision: try row["check_decision"], decidedAt: try row["check_decided_at"],
            problem: try row["check_problem"], problemAt: try row["check_problem_at"])
    }

    // MARK: - What is known of a secret

    /// The columns of ``condition(_:at:)``, of `secrets s JOIN keys k`.
    static let conditionColumns: SQL = """
        s.state AS secret_state, s.retires_at AS secret_retires_at, s.retired_at AS secret_retired_at, s.check_decision,
          s.check_decided_at, s.check_problem, s.check_problem_at, k.status AS key_status, k.expires_at AS key_expires_at,
          k.revoked_at AS key_revoked_at, k.deleted_at AS key_deleted_at, k.origin AS key_origin
        """

    static func condition(_ row: Row, at now: Instant) throws(SQLiteError) -> SecretCondition {
        let retiresAt: Instant? = try row["secret_retires_at"]
        let grade = SecretGrade(
            secret: try row["secret_state"], retiresAt: retiresAt, key: try row["key_status"],
            expiresAt: try row["key_expires_at"], at: now)
        let since: Instant? =
            switch grade {
            case .current, .retiring: nil
            case .retired: try row["secret_retired_at"] ?? retiresAt
            case .expired: try row["key_expires_at"]
            case .revoked: try row["key_revoked_at"]
            case .deleted: try row["key_deleted_at"]
            }
        return SecretCondition(origin: try row["key_origin"], grade: grade, since: since, check: try check(row))
    }

    /// What is known of one secret.
    static func condition(of secret: Int64, _ db: Connection, at now: Instant) throws -> SecretCondition {
        let found = try db.first(
            "SELECT \(conditionColumns) FROM secrets s JOIN keys k USING (key_row) WHERE s.secret_id = \(secret)"
        ) { try condition($0, at: now) }
        guard let found else {
            throw SQLiteError.corrupt("a secret is missing")
        }
        return found
    }

    /// The key and the prefix of a secret; nil where there is none.
    static func holder(of secret: Int64, _ db: Connection) throws -> (keyRow: Int64, prefix: String)? {
        try db.first("SELECT key_row, prefix FROM secrets WHERE secret_id = \(secret)") {
            (try $0["key_row"], try $0["prefix"])
        }
    }

    /// The secret that has a hash; nil where there is none.
    static func secret(_ hash: SecretHash, _ db: Connection) throws(SQLiteError) -> Int64? {
        try db.first("SELECT secret_id FROM secrets WHERE hash = \(hash)")
    }

    /// When a secret was made; nil where there is none.
    static func madeAt(_ secret: Int64, _ db: Connection) throws(SQLiteError) -> Instant? {
        try db.first("SELECT made_at FROM secrets WHERE secret_id = \(secret)")
    }

    /// When the first secret of a key that is being replaced ends; nil where none is.
    static func firstRetirement(of keyRow: Int64, _ db: Connection) throws(SQLiteError) -> Instant? {
        try db.first("SELECT min(retires_at) FROM secrets WHERE key_row = \(keyRow) AND state = 'retiring'")
    }

    // MARK: - Changes

    /// Adds the current secret of a key.
    ///
    /// - Throws: ``StoreError`` where the store has that very secret already.
    static func insert(
        _ secret: StoredSecret, of keyRow: Int64, _ id: KeyID, generation: Int, _ db: Connection, at now: Instant,
        seals: RowSeals
    ) throws {
        try requireFree(secret, db)
        try db.run(
            """
            INSERT INTO secrets (key_row, generation, state, prefix, hash, hash_form, length, origin, made_at, digest_hash, seal)
            VALUES (\(keyRow), \(generation), 'current', \(secret.prefix), \(secret.hash), \(secret.form),
              \(secret.length), \(secret.origin), \(now), \(secret.digestHash),
              \(seals.seal(SealedSecret(secret, of: id, generation: generation))))
            """)
    }

    /// - Throws: ``StoreError`` where a key has the secret already, whole or by its SHA-256, or is being imported with it.
    static func requireFree(_ secret: StoredSecret, _ db: Connection) throws {
        try requireFree(secret.hash, digest: secret.digestHash, merged: secret.mergedHashes, db)
    }

    /// - Throws: ``StoreError`` where a key has a secret of another store already.
    static func requireFree(_ secret: SealedSecret, _ db: Connection) throws {
        try requireFree(secret.hash, digest: secret.digestHash, merged: [], db)
    }

    private static func requireFree(
        _ hash: SecretHash?, digest: SecretHash?, merged: [SecretHash], _ db: Connection
    ) throws {
        guard let hash else { return }
        var owner = try db.first(
            """
            SELECT k.name, k.id FROM secrets JOIN keys k USING (key_row) WHERE hash = \(hash)
            UNION ALL
            SELECT k.name, k.id FROM secrets JOIN keys k USING (key_row) WHERE digest_hash = \(digest) LIMIT 1
            """
        ) { (name: try $0["name"] as String, id: try $0["id"] as String) }
        for hash in merged where owner == nil {
            owner = try db.first(
                "SELECT k.name, k.id FROM secrets JOIN keys k USING (key_row) WHERE hash = \(hash)"
            ) { (name: try $0["name"], id: try $0["id"]) }
        }
        if let owner {
            throw StoreError.refused(
                "the store has this very secret already, as one of the key \(DisplayText.quoted(owner.name))",
                hint: "one secret is one key; look at it: keyvigil show \(owner.id)")
        }
        let imported: String? = try db.first("SELECT name FROM import_keys WHERE digest_hash = \(digest)")
        if let imported {
            throw StoreError.refused(
                "this very secret is being imported as that of the key \(DisplayText.quoted(imported))",
                hint: "one secret is one key; wait until the import is over")
        }
    }

    /// Takes the current secret of a key out of service, at the end of its overlap or, without one, at once.
    static func retireCurrent(
        of keyRow: Int64, overlapEnd: Instant?, _ db: Connection, at now: Instant, seals: RowSeals
    ) throws {
        let retired: SQL =
            if let overlapEnd {
                "state = 'retiring', retires_at = \(overlapEnd)"
            } else {
                "state = 'retired', retired_at = \(now)"
            }
        try seals.change(secretsOf: keyRow, db) {
            try db.run("UPDATE secrets SET \(retired) WHERE key_row = \(keyRow) AND state = 'current'")
        }
    }

    /// Refuses from now on what was still valid from earlier rotations.
    static func endOverlaps(of keyRow: Int64, _ db: Connection, at now: Instant, seals: RowSeals) throws {
        try seals.change(secretsOf: keyRow, db) {
            try db.run(
                """
                UPDATE secrets SET state = 'retired', retired_at = \(now), retires_at = NULL
                WHERE key_row = \(keyRow) AND state = 'retiring'
                """)
        }
    }

    /// Refuses one secret from now on, whatever its overlap was.
    static func retire(_ secret: Int64, _ db: Connection, at now: Instant, seals: RowSeals) throws {
        try seals.end(secret: secret, db) {
            try db.run(
                """
                UPDATE secrets SET state = 'retired', retired_at = \(now), retires_at = NULL
                WHERE secret_id = \(secret)
                """)
        }
    }

    /// Retires the secrets of a key whose overlap is over. Their seals hold the end of the overlap, and stay.
    static func retirePast(of keyRow: Int64, _ db: Connection, at now: Instant) throws {
        try db.run(
            """
            UPDATE secrets SET state = 'retired', retired_at = retires_at
            WHERE key_row = \(keyRow) AND state = 'retiring' AND retires_at <= \(now)
            """)
    }

    static func note(_ check: CheckRecord, of secret: Int64, _ db: Connection) throws {
        try db.run(
            """
            UPDATE secrets SET check_decision = \(check.decision), check_decided_at = \(check.decidedAt),
              check_problem = \(check.problem), check_problem_at = \(check.problemAt)
            WHERE secret_id = \(secret)
            """)
    }
}
