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
          k.expiry_notice_sent, k.rotation_notice, k.unused_notice_sent, k.kind
        """
    /// Selects keys; a condition may follow.
    static let selection = """
        SELECT \(columns)
        FROM keys k JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'

        """
    private static let byRow = selection + "WHERE k.key_row = ?"

    /// One row, whether or not there is a secret with this hash: whether the store has secrets of which only the SHA-256 is
    /// known, the secret's state and the end of its overlap, and its key from column 3 on.
    static let byHash = """
        SELECT d.has_digests, p.state, p.retires_at, \(columns)
        FROM (SELECT EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256') AS has_digests) d
        LEFT JOIN secrets p ON p.hash = ?
        LEFT JOIN keys k ON k.key_row = p.key_row
        LEFT JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current'
        """

    static func key(_ row: Row, from start: Int = 0) throws -> Key {
        Key(
            id: KeyID(stored: row[start + 1]), kind: try known(KeyKind(rawValue: row[start + 25])),
            name: row[start + 2], owner: row[start + 3],
            issuer: row[start + 4],
            environment: try known(Environment(rawValue: row[start + 5])), prefix: row[start + 6],
            permissions: PermissionSet(stored: row[start + 7]), resources: ResourceScope(stored: row[start + 8]),
            role: row[start + 9],
            recordedStatus: try known(KeyStatus(rawValue: row[start + 10])),
            createdAt: Instant(milliseconds: row[start + 11]),
            expiresAt: instant(row[start + 12]), rotateEvery: period(row[start + 13]),
            rotatedAt: instant(row[start + 14]),
            lastUsedAt: instant(row[start + 15]), revokedAt: instant(row[start + 16]), revokeReason: row[start + 17],
            deletedAt: instant(row[start + 18]),
            generation: row[start + 19], retiresAt: instant(row[start + 20]), openLeaks: row[start + 21],
            expiryNoticeSent: period(row[start + 22]),
            rotationNotice: try known(LifecycleFacts.RotationNotice(rawValue: row[start + 23])),
            unusedNoticeSent: row[start + 24])
    }

    static func instant(_ value: Int64?) -> Instant? { value.map(Instant.init(milliseconds:)) }
    static func period(_ value: Int64?) -> Period? { value.map { Period(milliseconds: max(0, $0)) } }

    /// The CHECKs of the schema keep unknown words out, so one means damage.
    static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an unknown word in a row") }
        return value
    }

    static func fetch(_ db: Database, row: Int64) throws -> Key {
        let statement = try db.cachedStatement(sql: byRow)
        guard let found = try Row.fetchOne(statement, arguments: [row]) else {
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
