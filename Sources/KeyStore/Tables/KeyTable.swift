internal import GRDB
internal import Keys

/// Reads and writes keys as rows.
enum KeyRow {
    /// The columns of ``key(_:from:)``, in its order.
    private static let columns = """
        k.key_row, k.id, k.name, k.owner, k.issuer, k.environment, s.prefix, k.permissions, k.resources, k.role,
          k.status, k.created_at, k.expires_at, k.rotate_every, k.rotated_at, k.last_used_at, k.revoked_at,
          k.revoke_reason, k.deleted_at, k.generation,
          (SELECT max(r.retires_at) FROM secrets r WHERE r.key_row = k.key_row AND r.state = 'retiring'),
          (SELECT count(*) FROM findings f WHERE f.key_row = k.key_row AND f.status = 'open' AND f.secret_id IS NOT NULL),
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.kind, k.origin, k.notes, k.client, k.stated_by,
          k.stated_at, s.check_decision, s.check_decided_at, s.check_problem, s.check_problem_at,
          k.expiry_notice_for, k.rotation_notice_for, k.unused_notice_for, k.on_hold_at, k.on_hold_reason
        """
    /// Selects keys; a condition may follow.
    static let selection = """
        SELECT \(columns)
        FROM keys k JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'

        """
    private static let byRow = selection + "WHERE k.key_row = ?"

    static func key(_ row: RawStatement, from start: Int = 0) throws -> Key {
        Key(
            id: KeyID(stored: row.text(start + 1)), kind: try known(KeyKind(rawValue: row.text(start + 25))),
            origin: try known(KeyOrigin(rawValue: row.text(start + 26))), name: row.text(start + 2),
            owner: row.optionalText(start + 3), issuer: row.text(start + 4),
            environment: try known(Environment(rawValue: row.text(start + 5))), prefix: row.text(start + 6),
            permissions: PermissionSet(stored: row.text(start + 7)),
            resources: ResourceScope(stored: row.optionalText(start + 8)), role: row.text(start + 9),
            recordedStatus: try known(KeyStatus(rawValue: row.text(start + 10))),
            createdAt: Instant(milliseconds: row.integer(start + 11)),
            expiresAt: instant(row.optionalInteger(start + 12)), rotateEvery: period(row.optionalInteger(start + 13)),
            rotatedAt: instant(row.optionalInteger(start + 14)), lastUsedAt: instant(row.optionalInteger(start + 15)),
            revokedAt: instant(row.optionalInteger(start + 16)), revokeReason: row.optionalText(start + 17),
            deletedAt: instant(row.optionalInteger(start + 18)), generation: Int(row.integer(start + 19)),
            retiresAt: instant(row.optionalInteger(start + 20)), openLeaks: Int(row.integer(start + 21)),
            expiryNoticeSent: period(row.optionalInteger(start + 22)),
            rotationNotice: try known(LifecycleFacts.RotationNotice(rawValue: row.text(start + 23))),
            unusedNoticeSent: row.integer(start + 24) != 0, notes: row.optionalText(start + 27),
            client: row.optionalText(start + 28),
            attestation: attestation(by: row.optionalText(start + 29), at: row.optionalInteger(start + 30)),
            check: try check(row, from: start + 31), expiryNoticeFor: instant(row.optionalInteger(start + 35)),
            rotationNoticeFor: instant(row.optionalInteger(start + 36)),
            unusedNoticeFor: instant(row.optionalInteger(start + 37)),
            hold: try instant(row.optionalInteger(start + 38)).map {
                KeyHold(since: $0, reason: try known(KeyHold.Reason(rawValue: row.text(start + 39))))
            })
    }

    static func attestation(by: String?, at: Int64?) -> Attestation? {
        guard let by, let at else { return nil }
        return Attestation(by: by, at: Instant(milliseconds: at))
    }

    /// The four columns of a check, in the order in which ``columns`` has them.
    static func check(_ row: RawStatement, from start: Int) throws -> CheckRecord {
        CheckRecord(
            decision: try row.optionalText(start).map { try known(CheckRecord.Decision(rawValue: $0)) },
            decidedAt: instant(row.optionalInteger(start + 1)), problem: row.optionalText(start + 2),
            problemAt: instant(row.optionalInteger(start + 3)))
    }

    /// The columns of ``facts(_:from:)``, in its order, of the table `keys` as `k`: what the lifecycle's rules ask for, and
    /// no more.
    static let factColumns = """
        k.status, k.expires_at, ifnull(k.rotated_at, k.created_at), k.rotate_every, k.last_used_at,
          CASE WHEN k.generation > 1 THEN
            (SELECT min(r.retires_at) FROM secrets r WHERE r.key_row = k.key_row AND r.state = 'retiring') END,
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.expiry_notice_for, k.rotation_notice_for,
          k.unused_notice_for, k.kind
        """

    static func facts(_ row: RawStatement, from start: Int) throws -> LifecycleFacts {
        LifecycleFacts(
            status: try known(KeyStatus(rawValue: row.text(start))),
            isRotated: try known(KeyKind(rawValue: row.text(start + 12))) == .apiKey,
            expiresAt: instant(row.optionalInteger(start + 1)),
            secretMadeAt: Instant(milliseconds: row.integer(start + 2)),
            rotateEvery: period(row.optionalInteger(start + 3)),
            lastUsedAt: instant(row.optionalInteger(start + 4)),
            retiresAt: instant(row.optionalInteger(start + 5)),
            expiryNoticeSent: period(row.optionalInteger(start + 6)),
            rotationNotice: try known(LifecycleFacts.RotationNotice(rawValue: row.text(start + 7))),
            unusedNoticeSent: row.integer(start + 8) != 0,
            expiryNoticeFor: instant(row.optionalInteger(start + 9)),
            rotationNoticeFor: instant(row.optionalInteger(start + 10)),
            unusedNoticeFor: instant(row.optionalInteger(start + 11)))
    }

    private static func firstRetirement(_ db: Database, row: Int64) throws -> Instant? {
        let statement = try RawStatement(
            db, "SELECT min(retires_at) FROM secrets WHERE key_row = ? AND state = 'retiring'")
        statement.bind(1, row)
        defer { statement.reset() }
        return try statement.step() ? instant(statement.optionalInteger(0)) : nil
    }

    static func instant(_ value: Int64?) -> Instant? { value.map(Instant.init(milliseconds:)) }
    static func period(_ value: Int64?) -> Period? { value.map { Period(milliseconds: max(0, $0)) } }

    /// The CHECKs of the schema keep unknown words out, so one means damage.
    static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an unknown word in a row") }
        return value
    }

    static func fetch(_ db: Database, row: Int64) throws -> Key {
        let statement = try RawStatement(db, byRow)
        statement.bind(1, row)
        defer { statement.reset() }
        guard try statement.step() else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a key has no current secret")
        }
        return try key(statement)
    }

    /// Writes all that can change about a key, and its next due date with it.
    static func update(_ db: Database, row: Int64, to key: Key, at now: Instant, policy: LifecyclePolicy) throws {
        var facts = key.facts
        facts.retiresAt = key.generation > 1 ? try firstRetirement(db, row: row) : nil
        let next = LifecycleRules.nextDue(for: facts, after: now, policy: policy)
        let statement = try RawStatement(
            db,
            """
            UPDATE keys SET name = ?, owner = ?, permissions = ?, resources = ?, status = ?, expires_at = ?,
              rotate_every = ?, rotated_at = ?, last_used_at = ?, revoked_at = ?, revoke_reason = ?, deleted_at = ?,
              generation = ?, expiry_notice_sent = ?, rotation_notice = ?, unused_notice_sent = ?, next_due_at = ?,
              notes = ?, stated_by = ?, stated_at = ?, expiry_notice_for = ?, rotation_notice_for = ?,
              unused_notice_for = ?, on_hold_at = ?, on_hold_reason = ?
            WHERE key_row = ?
            """)
        statement.bind(1, key.name)
        statement.bind(2, key.owner)
        statement.bind(3, key.permissions.stored)
        statement.bind(4, key.resources.stored)
        statement.bind(5, key.recordedStatus.rawValue)
        statement.bind(6, key.expiresAt?.milliseconds)
        statement.bind(7, key.rotateEvery?.milliseconds)
        statement.bind(8, key.rotatedAt?.milliseconds)
        statement.bind(9, key.lastUsedAt?.milliseconds)
        statement.bind(10, key.revokedAt?.milliseconds)
        statement.bind(11, key.revokeReason)
        statement.bind(12, key.deletedAt?.milliseconds)
        statement.bind(13, Int64(key.generation))
        statement.bind(14, key.expiryNoticeSent?.milliseconds)
        statement.bind(15, key.rotationNotice.rawValue)
        statement.bind(16, key.unusedNoticeSent ? 1 : 0)
        statement.bind(17, next?.milliseconds)
        statement.bind(18, key.notes)
        statement.bind(19, key.attestation?.by)
        statement.bind(20, key.attestation?.at.milliseconds)
        statement.bind(21, key.expiryNoticeFor?.milliseconds)
        statement.bind(22, key.rotationNoticeFor?.milliseconds)
        statement.bind(23, key.unusedNoticeFor?.milliseconds)
        statement.bind(24, key.hold?.since.milliseconds)
        statement.bind(25, key.hold?.reason.rawValue)
        statement.bind(26, row)
        try statement.run()
    }
}
