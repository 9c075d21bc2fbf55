internal import Foundation
internal import GRDB
package import Keys

/// The store's answer to a credential, for the operator. An outside caller is told ``VerdictCode/httpStatus`` only.
package struct Verification: Sendable {
    package let code: VerdictCode
    /// The key that the secret belongs to, whatever the code; nil where the secret is not known.
    package let key: Key?
    /// The state of the secret, where it is known.
    package let secret: SecretGrade?
}

extension Store {
    /// Times of use are written at most this often for a key: a write for each use would make callers wait for each
    /// other.
    package static let useResolution = Period.seconds(600)

    /// Decides on a secret: one look-up by its keyed hash. It writes nothing and waits for no writer.
    ///
    /// The hash is an HMAC under the pepper, so a caller cannot steer which entries of the index it is compared with,
    /// and the time tells nothing of how much of a secret was right.
    package func verify(
        _ secret: borrowing Secret, permission: String? = nil, resource: String? = nil, at now: Instant
    ) throws -> Verification {
        let hashes = try secret.withBytes { try self.hashes(of: $0) }
        return try read { db in
            let statement = try db.cachedStatement(sql: "SELECT key_row, state, retires_at FROM secrets WHERE hash = ?")
            var found: Row?
            for hash in hashes {
                let row = try Row.fetchOne(statement, arguments: [Data(hash.bytes)])
                found = found ?? row
            }
            guard let found else { return Verification(code: .notFound, key: nil, secret: nil) }
            let key = try KeyRow.fetch(db, row: found[0])
            let grade = SecretGrade(
                secret: try KeyRow.known(SecretState(rawValue: found[1])), retiresAt: KeyRow.instant(found[2]),
                key: key.recordedStatus, expiresAt: key.expiresAt, at: now)
            let code = VerdictRules.code(for: key, secret: grade, permission: permission, resource: resource)
            return Verification(code: code, key: key, secret: grade)
        }
    }

    /// The hashes under which a secret may stand: its own, and that of its SHA-256 in a store that was given any.
    func hashes(of bytes: borrowing Span<UInt8>) throws -> [SecretHash] {
        let hash = pepper.hash(bytes)
        let hasDigests = try read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256')")
            return try Bool.fetchOne(statement) ?? false
        }
        return hasDigests ? [hash, pepper.hashOfDigest(bytes)] : [hash]
    }

    /// Notes that the secret of a key was presented after a rotation had retired it. It is told at most once an hour a
    /// key.
    ///
    /// - Returns: whether it was told now.
    @discardableResult
    package func noteReuse(of key: Key, at now: Instant) throws -> Bool {
        let hourAgo = now.preceded(by: .seconds(3600))
        return try write { db in
            try db.execute(
                sql: """
                    UPDATE keys SET reuse_told_at = ?1 WHERE id = ?2 AND (reuse_told_at IS NULL OR reuse_told_at <= ?3)
                    """, arguments: [now.milliseconds, key.id.text, hourAgo.milliseconds])
            guard db.changesCount > 0 else { return false }
            try Outbox.add(Alert(reusedSecretOf: key, issuers: issuers), db, at: now)
            return true
        }
    }

    /// Notes that a key was used, unless that was noted within ``useResolution``.
    ///
    /// - Returns: whether it was written. A store that is locked is no reason to make the caller wait: the next
    ///   use will be noted.
    @discardableResult
    package func noteUse(of key: Key, at now: Instant) throws -> Bool {
        if let last = key.lastUsedAt, now < last.advanced(by: Self.useResolution) { return false }
        let policy = self.policy
        do {
            try write { db in
                let row = try Self.row(of: key.id.text, db)
                var fresh = try KeyRow.fetch(db, row: row)
                fresh.lastUsedAt = now
                fresh.unusedNoticeSent = false
                try KeyRow.update(db, row: row, to: fresh, at: now, policy: policy)
            }
            return true
        } catch let error as StoreError where error.code == .busy || error.code == .readOnly {
            return false
        }
    }
}
