internal import Keys

/// Reads and writes the rows of `keys`.
enum KeyTable {
    /// Selects keys, as ``key(_:)`` reads them; a condition may follow.
    static let selection: SQL = """
        SELECT k.key_row, k.id, k.kind, k.origin, k.name, k.owner, k.issuer, k.environment, s.prefix, k.permissions,
          k.resources, k.role, k.status, k.created_at, k.expires_at, k.rotate_every, k.rotated_at, k.last_used_at,
          k.revoked_at, k.revoke_reason, k.deleted_at, k.generation,
          (SELECT max(r.retires_at) FROM secrets r WHERE r.key_row = k.key_row AND r.state = 'retiring') AS retires_at,
          (SELECT count(*) + iif(count(*) > 0, (
              SELECT ifnull(sum(u.places), 0) FROM unlisted_findings u JOIN repositories r USING (repository_id)
              WHERE u.key_row = k.key_row AND u.grade = 'confirmed' AND r.unwatched_at IS NULL), 0)
            FROM findings f INDEXED BY findings_by_secret
            WHERE f.key_row = k.key_row AND f.status = 'open' AND f.secret_id IS NOT NULL) AS open_leaks,
          EXISTS (SELECT 1 FROM tampered_rows t WHERE t.key_row = k.key_row) AS is_tampered,
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.notes, k.client, k.stated_by, k.stated_at,
          s.check_decision, s.check_decided_at, s.check_problem, s.check_problem_at, k.expiry_notice_for,
          k.rotation_notice_for, k.unused_notice_for, k.retirement_notice_sent, k.retirement_notice_for, k.on_hold_at,
          k.on_hold_reason
        FROM keys k JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'

        """

    static func key(_ row: Row) throws(SQLiteError) -> Key {
        Key(
            id: try row["id"], kind: try row["kind"], origin: try row["origin"], name: try row["name"],
            owner: try row["owner"], issuer: try row["issuer"], environment: try row["environment"],
            prefix: try row["prefix"], permissions: try row["permissions"], resources: try row["resources"],
            role: try row["role"], recordedStatus: try row["status"], createdAt: try row["created_at"],
            expiresAt: try row["expires_at"], rotateEvery: try row["rotate_every"], rotatedAt: try row["rotated_at"],
            lastUsedAt: try row["last_used_at"], revokedAt: try row["revoked_at"],
            revokeReason: try row["revoke_reason"], deletedAt: try row["deleted_at"],
            generation: try row["generation"], retiresAt: try row["retires_at"], openLeaks: try row["open_leaks"],
            expiryNoticeSent: try row["expiry_notice_sent"], rotationNotice: try row["rotation_notice"],
            unusedNoticeSent: try row["unused_notice_sent"], notes: try row["notes"], client: try row["client"],
            attestation: try attestation(row), check: try SecretTable.check(row),
            expiryNoticeFor: try row["expiry_notice_for"], rotationNoticeFor: try row["rotation_notice_for"],
            unusedNoticeFor: try row["unused_notice_for"], retirementNoticeSent: try row["retirement_notice_sent"],
            retirementNoticeFor: try row["retirement_notice_for"], hold: try hold(row),
            isTampered: try row["is_tampered"])
    }

    static func attestation(_ row: Row) throws(SQLiteError) -> Attestation? {
        guard let by: String = try row["stated_by"], let at: Instant = try row["stated_at"] else { return nil }
        return Attestation(by: by, at: at)
    }

    private static func hold(_ row: Row) throws(SQLiteError) -> KeyHold? {
        // The reason is what is sealed.
        guard let reason: KeyHold.Reason = try row["on_hold_reason"] else { return nil }
        return KeyHold(since: try row["on_hold_at"], reason: reason)
    }

    /// The columns of ``facts(_:)``, of the table `keys` as `k`: what the lifecycle's rules ask for, and no more.
    static let factColumns: SQL = """
        k.status, k.expires_at, ifnull(k.rotated_at, k.created_at) AS secret_made_at, k.rotate_every, k.last_used_at,
          CASE WHEN k.generation > 1 THEN
            (SELECT min(r.retires_at) FROM secrets r WHERE r.key_row = k.key_row AND r.state = 'retiring')
          END AS retires_at,
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.expiry_notice_for, k.rotation_notice_for,
          k.unused_notice_for, k.retirement_notice_sent, k.retirement_notice_for, k.kind
        """

    static func facts(_ row: Row) throws(SQLiteError) -> LifecycleFacts {
        LifecycleFacts(
            status: try row["status"], isRotated: try row["kind"] == KeyKind.apiKey, expiresAt: try row["expires_at"],
            secretMadeAt: try row["secret_made_at"], rotateEvery: try row["rotate_every"],
            lastUsedAt: try row["last_used_at"], retiresAt: try row["retires_at"],
            expiryNoticeSent: try row["expiry_notice_sent"], rotationNotice: try row["rotation_notice"],
            unusedNoticeSent: try row["unused_notice_sent"], expiryNoticeFor: try row["expiry_notice_for"],
            rotationNoticeFor: try row["rotation_notice_for"], unusedNoticeFor: try row["unused_notice_for"],
            retirementNoticeSent: try row["retirement_notice_sent"],
            retirementNoticeFor: try row["retirement_notice_for"])
    }

    static func fetch(_ db: Connection, row: Int64) throws -> Key {
        guard let key = try db.first("\(selection)WHERE k.key_row = \(row)", key) else {
            throw SQLiteError.corrupt("a key has no current secret")
        }
        return key
    }

    /// The row of a key's id; nil where there is none.
    static func row(of id: String, _ db: Connection) throws(SQLiteError) -> Int64? {
        try db.first("SELECT key_row FROM keys WHERE id = \(id)")
    }

    /// Writes all that can change about a key, and its next due date with it, and seals it.
    ///
    /// - Throws: ``StoreError`` where the record does not fit its seal, unless the key ends by the change: that is always
    ///   possible.
    static func update(
        _ db: Connection, row: Int64, to key: Key, at now: Instant, policy: LifecyclePolicy, seals: RowSeals
    ) throws {
        switch key.recordedStatus {
        case .active, .expired: try seals.require(key: row, db)
        case .revoked, .deleted: break
        }
        var facts = key.facts
        facts.retiresAt = key.generation > 1 ? try SecretTable.firstRetirement(of: row, db) : nil
        let next = LifecycleRules.nextDue(for: facts, after: now, policy: policy)
        try db.run(
            """
            UPDATE keys SET name = \(key.name), owner = \(key.owner), permissions = \(key.permissions),
              resources = \(key.resources), status = \(key.recordedStatus), expires_at = \(key.expiresAt),
              rotate_every = \(key.rotateEvery), rotated_at = \(key.rotatedAt), last_used_at = \(key.lastUsedAt),
              revoked_at = \(key.revokedAt), revoke_reason = \(key.revokeReason), deleted_at = \(key.deletedAt),
              generation = \(key.generation), expiry_notice_sent = \(key.expiryNoticeSent),
              rotation_notice = \(key.rotationNotice), unused_notice_sent = \(key.unusedNoticeSent),
              next_due_at = \(next), notes = \(key.notes), stated_by = \(key.attestation?.by),
              stated_at = \(key.attestation?.at), expiry_notice_for = \(key.expiryNoticeFor),
              rotation_notice_for = \(key.rotationNoticeFor), unused_notice_for = \(key.unusedNoticeFor),
              retirement_notice_sent = \(key.retirementNoticeSent),
              retirement_notice_for = \(key.retirementNoticeFor),
              on_hold_at = \(key.hold?.since), on_hold_reason = \(key.hold?.reason), version = ifnull(version, 0) + 1,
              seal = \(seals.seal(SealedKey(key)))
            WHERE key_row = \(row)
            """)
    }
}
