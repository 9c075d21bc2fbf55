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
        let hash = pepper.hash(secret)
        return try explaining {
            // One statement sees one state of the store by itself, so it needs no transaction around it.
            try pool.unsafeRead { db in
                let statement = try db.cachedStatement(sql: KeyRow.byHash)
                let (found, hasDigests) = try Self.answer(statement, hash, permission, resource, at: now)
                guard hasDigests else { return found }
                // Asked whether or not the first was found, so that the time tells nothing.
                let digest = secret.withBytes { pepper.hashOfDigest($0) }
                let (second, _) = try Self.answer(statement, digest, permission, resource, at: now)
                return found.key == nil ? second : found
            }
        }
    }

    private static func answer(
        _ statement: Statement, _ hash: SecretHash, _ permission: String?, _ resource: String?, at now: Instant
    ) throws -> (Verification, hasDigests: Bool) {
        let unknown = Verification(code: .notFound, key: nil, secret: nil)
        let rows = try Row.fetchCursor(statement, arguments: [Data(hash.bytes)])
        guard let row = try rows.next() else { return (unknown, false) }
        guard let state: String = row[1] else { return (unknown, row[0]) }
        let key = try KeyRow.key(row, from: 3)
        let grade = SecretGrade(
            secret: try KeyRow.known(SecretState(rawValue: state)), retiresAt: KeyRow.instant(row[2]),
            key: key.recordedStatus, expiresAt: key.expiresAt, at: now)
        let code = VerdictRules.code(for: key, secret: grade, permission: permission, resource: resource)
        return (Verification(code: code, key: key, secret: grade), row[0])
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

    /// Whether the last use of a key was noted longer ago than ``useResolution``.
    package static func isUseWorthNoting(_ key: Key, at now: Instant) -> Bool {
        key.lastUsedAt.map { now >= $0.advanced(by: useResolution) } ?? true
    }

    /// Notes that a key was used, unless that was noted within ``useResolution``.
    ///
    /// - Returns: whether it was written. A store that is locked is no reason to make the caller wait: the next
    ///   use will be noted.
    @discardableResult
    package func noteUse(of key: Key, at now: Instant) throws -> Bool {
        guard Self.isUseWorthNoting(key, at: now) else { return false }
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
