internal import GRDB
package import Keys

extension Store {
    /// Gives a key a new secret. Id, name, permissions, scope and owner stay.
    ///
    /// - Parameters:
    ///   - overlap: how long the old secret stays valid beside the new one; never beyond the key's own expiry. With
    ///     zero it is refused from `now` on.
    ///   - expiresAt: a new expiry; `.some(nil)` for never, nil to keep the present one.
    ///   - generator: must be cryptographically secure outside tests.
    package func rotate(
        _ selector: String, overlap: Period, expiresAt: Instant?? = nil, format: SecretFormat,
        using generator: inout some RandomNumberGenerator, at now: Instant, by actor: Actor
    ) throws -> IssuedKey {
        let environment = try key(selector).environment
        let prefix = try unusedPrefix(format, environment, &generator)
        let secret = format.makeSecret(prefix: prefix, using: &generator)
        let hash = pepper.hash(secret)
        let length = secret.count
        let policy = self.policy
        let key = try changeKey(selector, at: now, by: actor) { key, db, audit in
            // An expired key lives on with a new secret if it is given a new expiry too.
            try Self.requireNotEnded(
                key, at: now, to: "rotated", allowing: expiresAt == nil ? [.active] : [.active, .expired])
            let row = try Self.row(of: key.id.text, db)
            // What has expired opens nothing any more, so it has no overlap.
            let overlap = key.status(at: now) == .active ? overlap : .zero
            let retiresAt = try Self.retire(db, row, key, overlap: overlap, at: now)
            key.generation += 1
            try Self.insertSecret(
                db, keyRow: row, generation: key.generation, prefix: prefix, hash: hash, length: length,
                origin: "created", at: now)
            var details = JSONLine()
            details.add("before", key.prefix)
            details.add("after", prefix)
            details.add("old_secret_valid_until", retiresAt ?? now)
            try audit.record(db, "key.rotated", key: key.id, details: details)
            key.rotatedAt = now
            key.rotationNotice = .none
            key.retiresAt = retiresAt
            if let expiresAt {
                key.expiresAt = expiresAt
                key.recordedStatus = .active
                key.expiryNoticeSent = LifecycleRules.noticePassedOver(expiresAt: expiresAt, at: now, policy: policy)
            }
        }
        return IssuedKey(key: key, secret: secret)
    }

    /// Takes the current secret out of service: at once, or at the end of the overlap. A secret still retiring from an
    /// earlier rotation is refused from now on: at most two are ever valid.
    ///
    /// - Returns: the end of the overlap, or nil without one.
    private static func retire(
        _ db: Database, _ row: Int64, _ key: Key, overlap: Period, at now: Instant
    ) throws -> Instant? {
        try db.execute(
            sql: "UPDATE secrets SET state = 'retired', retired_at = ? WHERE key_row = ? AND state = 'retiring'",
            arguments: [now.milliseconds, row])
        guard overlap > .zero else {
            try db.execute(
                sql: "UPDATE secrets SET state = 'retired', retired_at = ? WHERE key_row = ? AND state = 'current'",
                arguments: [now.milliseconds, row])
            return nil
        }
        let end = key.expiresAt.map { min($0, now.advanced(by: overlap)) } ?? now.advanced(by: overlap)
        try db.execute(
            sql: "UPDATE secrets SET state = 'retiring', retires_at = ? WHERE key_row = ? AND state = 'current'",
            arguments: [end.milliseconds, row])
        return end
    }
}
