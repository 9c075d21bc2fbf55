internal import GRDB
package import Keys

/// How to rotate a key.
package struct Rotation: Sendable {
    /// How long the old secret stays valid beside the new one. It never outlives the key's expiry, and a leaked secret
    /// has no overlap. With zero the old secret is refused at once.
    package var overlap = Period.zero
    /// A new expiry; `.some(nil)` for never, nil to keep the present one.
    package var expiresAt: Instant??
    /// Names this request: asked again with the same name, it does nothing and tells what it did.
    package var idempotencyKey: String?

    package init() {}
}

/// What a rotation has made.
package enum RotationOutcome: ~Copyable {
    /// A new secret, which can be shown this once.
    case made(IssuedKey)
    /// The key after a rotation that was asked for before under the same name. Its secret was shown then.
    case repeated(Key)
}

extension Store {
    /// Gives a key a new secret. Id, name, permissions, scope and owner stay.
    ///
    /// - Parameters:
    ///   - shape: what the issuer's secrets look like.
    ///   - generator: must be cryptographically secure outside tests.
    package func rotate(
        _ selector: String, _ rotation: Rotation, shape: SecretShape, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: Actor
    ) throws -> RotationOutcome {
        let before = try key(selector)
        if let repeated = try self.repeated(rotation, of: before) { return .repeated(repeated) }
        // A sign-in stays the organisation's; other prefixes name the secret and are new with it.
        let signIn = shape.hasUniquePrefixes ? nil : String(before.prefix.dropLast())
        let prefix = try unusedPrefix(shape, before.environment, signIn: signIn, &generator)
        let secret = try shape.makeSecret(prefix: prefix, using: &generator)
        let stored = StoredSecret(prefix: prefix, hash: pepper.hash(secret), length: secret.count, origin: .created)
        let key = try rotate(before, rotation, to: stored, at: now, by: actor)
        return .made(IssuedKey(key: key, secret: secret))
    }

    /// Records a rotation that was made at the issuer: what is known of the new secret is kept, and the old one retired.
    package func rotate(
        _ selector: String, _ rotation: Rotation, to secret: consuming ImportedSecret, at now: Instant, by actor: Actor
    ) throws -> Key {
        let before = try key(selector)
        if let repeated = try self.repeated(rotation, of: before) { return repeated }
        return try rotate(before, rotation, to: stored(secret), at: now, by: actor)
    }

    private func rotate(
        _ before: Key, _ rotation: Rotation, to stored: StoredSecret, at now: Instant, by actor: Actor
    ) throws -> Key {
        let policy = self.policy
        return try changeKey(before.id.text, at: now, by: actor) { key, db, audit in
            // An expired key lives on with a new secret if it is given a new expiry too.
            try Self.requireNotEnded(
                key, at: now, to: "rotated", allowing: rotation.expiresAt == nil ? [.active] : [.active, .expired])
            let row = try Self.row(of: key.id.text, db)
            // What has expired opens nothing any more, and what has leaked must not: neither has an overlap. How long another
            // issuer accepts the old secret is not decided here.
            let isLeaked = try key.origin == .issued && Findings.isLeaked(db, keyRow: row)
            let overlap = key.status(at: now) == .active && !isLeaked ? rotation.overlap : .zero
            let retiresAt = try Self.retire(db, row, key, overlap: overlap, at: now)
            key.generation += 1
            try Self.insertSecret(db, stored, keyRow: row, generation: key.generation, at: now)
            if let token = rotation.idempotencyKey {
                try db.execute(
                    sql: "INSERT INTO rotations (key_row, idempotency_key, generation) VALUES (?, ?, ?)",
                    arguments: [row, token, key.generation])
            }
            var details = JSONLine()
            details.add("before", key.prefix)
            details.add("after", stored.prefix)
            details.add("old_secret_valid_until", retiresAt ?? now)
            if isLeaked { details.add("overlap_cut", "the old secret has leaked") }
            if key.origin == .held { details.add("said_by", actor.name) }
            try audit.record(.keyRotated, key: key.id, details: details)
            key.attestation = Attestation(by: actor.name, at: now)
            key.rotatedAt = now
            key.rotationNotice = .none
            key.retiresAt = retiresAt
            if let expiresAt = rotation.expiresAt {
                key.expiresAt = expiresAt
                key.recordedStatus = .active
                key.expiryNoticeSent = LifecycleRules.noticePassedOver(expiresAt: expiresAt, at: now, policy: policy)
            }
        }
    }

    /// The key, if this very request was carried out before.
    private func repeated(_ rotation: Rotation, of key: Key) throws -> Key? {
        guard let token = rotation.idempotencyKey else { return nil }
        return try read { db in
            let row = try Self.row(of: key.id.text, db)
            let generation = try Int.fetchOne(
                db, sql: "SELECT generation FROM rotations WHERE key_row = ? AND idempotency_key = ?",
                arguments: [row, token])
            return generation == nil ? nil : try KeyRow.fetch(db, row: row)
        }
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
