internal import GRDB
internal import Keys

/// Reads and writes keys as rows.
enum KeyRow {
    /// The columns of ``key(_:)``, in its order.
    static let selection = """
        SELECT k.key_row, k.id, k.name, k.owner, k.issuer, k.environment, s.prefix, k.permissions, k.resources, k.role,
          k.status, k.created_at, k.expires_at, k.rotate_every, k.rotated_at, k.last_used_at, k.revoked_at,
          k.revoke_reason, k.deleted_at, k.generation,
          (SELECT max(r.retires_at) FROM secrets r WHERE r.key_row = k.key_row AND r.state = 'retiring'),
          (SELECT count(*) FROM findings f WHERE f.key_row = k.key_row AND f.status = 'open' AND f.secret_id IS NOT NULL),
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.kind
        FROM keys k JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'

        """

    static func key(_ row: Row) throws -> Key {
        Key(
            id: KeyID(stored: row[1]), kind: try known(KeyKind(rawValue: row[25])), name: row[2], owner: row[3],
            issuer: row[4],
            environment: try known(Environment(rawValue: row[5])), prefix: row[6],
            permissions: PermissionSet(stored: row[7]), resources: ResourceScope(stored: row[8]), role: row[9],
            recordedStatus: try known(KeyStatus(rawValue: row[10])), createdAt: Instant(milliseconds: row[11]),
            expiresAt: instant(row[12]), rotateEvery: period(row[13]), rotatedAt: instant(row[14]),
            lastUsedAt: instant(row[15]), revokedAt: instant(row[16]), revokeReason: row[17],
            deletedAt: instant(row[18]),
            generation: row[19], retiresAt: instant(row[20]), openLeaks: row[21], expiryNoticeSent: period(row[22]),
            rotationNotice: try known(LifecycleFacts.RotationNotice(rawValue: row[23])), unusedNoticeSent: row[24])
    }

    static func instant(_ value: Int64?) -> Instant? { value.map(Instant.init(milliseconds:)) }
    static func period(_ value: Int64?) -> Period? { value.map { Period(milliseconds: max(0, $0)) } }

    /// The CHECKs of the schema keep unknown words out, so one means damage.
    static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an unknown word in a row") }
        return value
    }

    static func fetch(_ db: Database, row: Int64) throws -> Key {
        guard let found = try Row.fetchOne(db, sql: selection + "WHERE k.key_row = ?", arguments: [row]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a key has no current secret")
        }
        return try key(found)
    }

    /// Writes all that can change about a key, and its next due date with it.
    static func update(_ db: Database, row: Int64, to key: Key, at now: Instant, policy: LifecyclePolicy) throws {
        let next = LifecycleRules.nextDue(for: key.facts, after: now, policy: policy)
        let statement = try db.cachedStatement(
            sql: """
                UPDATE keys SET name = ?, owner = ?, permissions = ?, resources = ?, status = ?, expires_at = ?,
                  rotate_every = ?, rotated_at = ?, last_used_at = ?, revoked_at = ?, revoke_reason = ?, deleted_at = ?,
                  generation = ?, expiry_notice_sent = ?, rotation_notice = ?, unused_notice_sent = ?, next_due_at = ?
                WHERE key_row = ?
                """)
        try statement.execute(arguments: [
            key.name, key.owner, key.permissions.stored, key.resources.stored, key.recordedStatus.rawValue,
            key.expiresAt?.milliseconds, key.rotateEvery?.milliseconds, key.rotatedAt?.milliseconds,
            key.lastUsedAt?.milliseconds, key.revokedAt?.milliseconds, key.revokeReason, key.deletedAt?.milliseconds,
            key.generation, key.expiryNoticeSent?.milliseconds, key.rotationNotice.rawValue, key.unusedNoticeSent,
            next?.milliseconds, row,
        ])
    }
}
