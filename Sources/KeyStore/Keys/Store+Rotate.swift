package import Keys

/// How to rotate a key.
package struct Rotation: Sendable {
    /// How long the old secret stays valid beside the new one. It never outlives the key's expiry, and a leaked secret
    /// has no overlap. With zero the old secret is refused at once.
    /// Secrets that are valid still from an earlier rotation keep the time that was promised then.
    package var overlap = Period.zero
    /// Ends those promises too: no secret but the new one, and the old one during its overlap, is valid afterwards.
    package var endsOverlaps = false
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
    /// A rotation that was asked for before under the same name. Its secret was given out then.
    case repeated(RepeatedRotation)
}

/// What became of a request to record a rotation.
package enum RecordedRotation: Sendable {
    case made(Key)
    case repeated(RepeatedRotation)
}

/// What a rotation that was asked for again had made.
package struct RepeatedRotation: Sendable {
    /// The key as it is now.
    package let key: Key
    /// The number of the secret that the rotation made, its visible prefix, and when that was.
    package let generation: Int
    package let prefix: String
    package let madeAt: Instant
}

extension Store {
    /// Gives a key a new secret. Id, name, permissions, scope and owner stay.
    ///
    /// - Parameters:
    ///   - key: as it was looked up. What has become of it since counts.
    ///   - shape: what the issuer's secrets look like.
    ///   - generator: must be cryptographically secure outside tests.
    package func rotate(
        _ key: Key, _ rotation: Rotation, shape: SecretShape, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> RotationOutcome {
        // A sign-in stays the organisation's; other prefixes name the secret and are new with it.
        let signIn = shape.hasUniquePrefixes ? nil : String(key.prefix.dropLast())
        let prefix = try unusedPrefix(shape, key.environment, signIn: signIn, &generator)
        let secret = try shape.makeSecret(prefix: prefix, using: &generator)
        let stored = StoredSecret(secret, prefix: prefix, origin: .created, pepper: pepper)
        switch try rotate(key.id, rotation, to: stored, at: now, by: actor) {
        case .made(let key): return .made(IssuedKey(key: key, secret: secret))
        case .repeated(let repeated): return .repeated(repeated)
        }
    }

    /// Records a rotation that was made at the issuer: what is known of the new secret is kept, and the old one retired.
    package func rotate(
        _ key: Key, _ rotation: Rotation, to secret: consuming ImportedSecret, at now: Instant, by actor: AuditActor
    ) throws -> RecordedRotation {
        try rotate(key.id, rotation, to: try stored(secret), at: now, by: actor)
    }

    /// Looks for an earlier request of the same name within the transaction: of several at once one rotates.
    private func rotate(
        _ id: KeyID, _ rotation: Rotation, to stored: StoredSecret, at now: Instant, by actor: AuditActor
    ) throws -> RecordedRotation {
        try change(at: now, by: actor) { db, audit in
            let row = try Self.row(of: id.text, db)
            if let repeated = try Self.repeated(rotation, row, db) { return .repeated(repeated) }
            return .made(
                try changeKey(at: row, db, &audit, at: now) { key, audit in
                    try self.replaceSecret(of: &key, at: row, rotation, by: stored, db, &audit, at: now, by: actor)
                })
        }
    }

    private func replaceSecret(
        of key: inout Key, at row: Int64, _ rotation: Rotation, by stored: StoredSecret, _ db: Connection,
        _ audit: inout AuditChain, at now: Instant, by actor: AuditActor
    ) throws {
        // An expired key lives on with a new secret if it is given a new expiry too.
        try requireNotEnded(
            key, at: now, to: "rotated", allowing: rotation.expiresAt == nil ? [.active] : [.active, .expired])
        if let hold = key.hold, hold.reason == .revoked || hold.reason == .deleted {
            throw StoreError.refused(
                "the key \(DisplayText.quoted(key.name)) is on hold: before the store was rolled back \(hold.reason.sentence)",
                hint: "end it: keyvigil revoke \(key.id); or accept it again: keyvigil release \(key.id)")
        }
        // What has expired opens nothing, and what has leaked or is on hold must not: none of them has an overlap. How long
        // another issuer accepts the old secret of a held key is not decided here.
        let isLeaked = try key.origin == .issued && FindingGrades.isLeaked(db, keyRow: row)
        let isDead = isLeaked || key.hold != nil || key.status(at: now) != .active
        let overlap = isDead ? .zero : rotation.overlap
        if rotation.endsOverlaps || key.hold != nil {
            try Findings.reportLeftInPlace(of: key, cutting: nil, ofRow: row, db, at: now)
            try SecretTable.endOverlaps(of: row, db, at: now, seals: seals)
        }
        let retiresAt = Self.overlapEnd(overlap, of: key, until: rotation.expiresAt, at: now)
        try SecretTable.retireCurrent(of: row, overlapEnd: retiresAt, db, at: now, seals: seals)
        key.generation += 1
        try SecretTable.insert(stored, of: row, key.id, generation: key.generation, db, at: now, seals: seals)
        try UnregisteredAdoption(self, at: now).adopt("u.hash = \(stored.hash)", db, &audit)
        if let token = rotation.idempotencyKey {
            try db.run(
                """
                INSERT INTO rotations (key_row, idempotency_key, generation) VALUES (\(row), \(token), \(key.generation))
                """)
        }
        var details = JSONLine()
        details.add("before", key.prefix)
        details.add("after", stored.prefix)
        details.add("old_secret_valid_until", retiresAt ?? now)
        if isLeaked { details.add("overlap_cut", "the old secret has leaked") }
        if rotation.endsOverlaps { details.add("earlier_overlaps", "ended") }
        if key.origin == .held { details.add("said_by", actor.name) }
        details.add("expires_at", rotation.expiresAt ?? key.expiresAt)
        try audit.record(.keyRotated, key: key.id, row: row, details: details)
        key.attestation = Attestation(by: actor.name, at: now)
        key.rotatedAt = now
        key.hold = nil
        let firstEnd = try SecretTable.firstRetirement(of: row, db)
        key.retirementNoticeSent = LifecycleRules.noticePassedOver(retiresAt: firstEnd, at: now)
        key.retirementNoticeFor = firstEnd
        if let expiresAt = rotation.expiresAt { key.setExpiry(expiresAt, at: now, policy: policy) }
    }

    /// The secrets of a key that are replaced and still valid, oldest first.
    package func overlaps(of key: Key, at now: Instant) throws -> [Overlap] {
        guard key.status(at: now) == .active else { return [] }
        return try read { db in
            try db.all(
                """
                SELECT s.generation, s.retires_at FROM secrets s JOIN keys k USING (key_row)
                WHERE k.id = \(key.id.text) AND s.state = 'retiring' AND s.retires_at > \(now) ORDER BY s.generation
                """
            ) { row in
                let end: Instant = try row["retires_at"]
                return Overlap(generation: try row["generation"], end: min(end, key.expiresAt ?? end))
            }
        }
    }

    /// A secret that was replaced and is still valid.
    package struct Overlap: Hashable, Sendable {
        /// The number of the secret.
        package let generation: Int
        /// When it is refused at the latest.
        package let end: Instant
    }

    /// What this very request has made, if it was carried out before.
    private static func repeated(_ rotation: Rotation, _ row: Int64, _ db: Connection) throws -> RepeatedRotation? {
        guard let token = rotation.idempotencyKey else { return nil }
        return try db.first(
            """
            SELECT s.generation, s.prefix, s.made_at FROM rotations r JOIN secrets s USING (key_row, generation)
            WHERE key_row = \(row) AND idempotency_key = \(token)
            """
        ) { made in
            RepeatedRotation(
                key: try KeyTable.fetch(db, row: row), generation: try made["generation"], prefix: try made["prefix"],
                madeAt: try made["made_at"])
        }
    }

    /// The end of the overlap of a key's current secret, or nil without one.
    private static func overlapEnd(
        _ overlap: Period, of key: Key, until newExpiry: Instant??, at now: Instant
    ) -> Instant? {
        guard overlap > .zero else { return nil }
        // Neither the expiry that the old secret had nor the key's new one.
        return [now.advanced(by: overlap), key.expiresAt, newExpiry ?? nil].compactMap(\.self).min()
    }
}
