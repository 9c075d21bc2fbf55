internal import Errors
package import Keys

/// What to change about a key; nil leaves a property as it is.
package struct KeyEdit: Sendable {
    package var permissions: PermissionSet?
    package var resources: ResourceScope?
    /// Set to `.some(nil)` to take the owner away.
    package var owner: String??
    /// Set to `.some(nil)` for never.
    package var expiresAt: Instant??
    /// Set to `.some(nil)` for none.
    package var rotateEvery: Period??
    /// Set to `.some(nil)` to take the notes away.
    package var notes: String??

    package init() {}

    package var isEmpty: Bool {
        !changesIssuersFacts && owner == nil && rotateEvery == nil && notes == nil
    }

    /// Whether it changes what the issuer decides. Owner, rotation period and notes are facts of the inventory.
    package var changesIssuersFacts: Bool { permissions != nil || resources != nil || expiresAt != nil }
}

extension Store {
    /// Gives a key another name.
    package func rename(_ selector: String, to name: String, at now: Instant, by actor: AuditActor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try requireNotEnded(key, at: now, to: "renamed", allowing: [.active, .expired])
            if name == key.name { return }
            // Another spelling of its own name is free.
            if !NameRules.spellings(of: key.name).contains(name) { try Self.requireFreeName(name, db) }
            var details = JSONLine()
            details.add("before", key.name)
            details.add("after", name)
            try audit.record(.keyRenamed, key: key.id, details: details)
            key.name = name
        }
    }

    /// Changes what a key may do, where, whose it is and until when. It takes effect with the next verification.
    ///
    /// An expired key becomes active again when it is given a later expiry.
    package func edit(_ selector: String, _ edit: KeyEdit, at now: Instant, by actor: AuditActor) throws -> Key {
        let policy = self.policy
        return try changeKey(selector, at: now, by: actor) { key, db, audit in
            try requireNotEnded(key, at: now, to: "edited", allowing: [.active, .expired])
            let before = Self.auditDetails(of: key)
            if let permissions = edit.permissions { key.permissions = permissions }
            if let resources = edit.resources { key.resources = resources }
            if let owner = edit.owner { key.owner = owner }
            if let expiresAt = edit.expiresAt {
                key.setExpiry(expiresAt, at: now, policy: policy)
                key.attestation = Attestation(by: actor.name, at: now)
            }
            if let rotateEvery = edit.rotateEvery { key.rotateEvery = rotateEvery }
            if let notes = edit.notes { key.notes = notes }
            guard key.status(at: now) == .active || !edit.changesIssuersFacts else {
                throw StoreError.refused(
                    "the key \(DisplayText.quoted(key.name)) has expired",
                    hint: "give it a later expiry, too: --expires DATE")
            }
            var details = JSONLine()
            details.add("before", object: before)
            details.add("after", object: Self.auditDetails(of: key))
            try audit.record(.keyEdited, key: key.id, details: details)
        }
    }

    /// Ends a key at once and for good, or records that its issuer has ended it. It stays listed.
    package func revoke(_ selector: String, reason: String?, at now: Instant, by actor: AuditActor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try requireNotEnded(key, at: now, to: "revoked", allowing: [.active, .expired])
            key.recordedStatus = .revoked
            key.hold = nil
            key.revokedAt = now
            key.revokeReason = reason
            key.attestation = Attestation(by: actor.name, at: now)
            var details = JSONLine()
            details.add("reason", reason)
            if key.origin == .held { details.add("said_by", actor.name) }
            try audit.record(.keyRevoked, key: key.id, details: details)
        }
    }

    /// Takes a key away for good. A tombstone remains, by which a later leak is still recognised; the name is free
    /// again.
    package func delete(_ selector: String, at now: Instant, by actor: AuditActor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try requireNotEnded(key, at: now, to: "deleted", allowing: [.active, .expired, .revoked])
            try audit.record(.keyDeleted, key: key.id, details: Self.auditDetails(of: key))
            key.recordedStatus = .deleted
            key.hold = nil
            key.deletedAt = now
            key.attestation = Attestation(by: actor.name, at: now)
        }
    }

    /// Accepts a key again that is on hold.
    package func release(_ selector: String, at now: Instant, by actor: AuditActor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            guard let hold = key.hold else {
                throw StoreError.refused(
                    "the key \(DisplayText.quoted(key.name)) is not on hold",
                    hint: "see which are: keyvigil list --flag on_hold")
            }
            key.hold = nil
            var details = JSONLine()
            details.add("on_hold_since", hold.since)
            details.add("reason", hold.reason.rawValue)
            try audit.record(.keyReleased, key: key.id, details: details)
        }
    }

    // MARK: - Inside

    /// One change of one key: loads it, lets `body` change it, writes it with its next due date, and grades its
    /// findings again.
    func changeKey(
        _ selector: String, at now: Instant, by actor: AuditActor,
        _ body: (inout Key, Connection, inout AuditChain) throws -> Void
    ) throws -> Key {
        try change(at: now, by: actor) { db, audit in
            try changeKey(at: try Self.row(of: selector, db), db, &audit, at: now) { try body(&$0, db, &$1) }
        }
    }

    /// The same within a transaction.
    func changeKey(
        at row: Int64, _ db: Connection, _ audit: inout AuditChain, at now: Instant,
        _ body: (inout Key, inout AuditChain) throws -> Void
    ) throws -> Key {
        let policy = self.policy
        let issuers = self.issuers
        var key = try KeyTable.fetch(db, row: row)
        // Recorded by a clock that was ahead.
        if key.recordedStatus == .expired, key.status(at: now) == .active { key.recordedStatus = .active }
        key.dateNotices(policy: policy)
        // What was said of the key before is said as it was then.
        try OutboxTable.wordNotices(of: key.id, db, issuers)
        try body(&key, &audit)
        try KeyTable.update(db, row: row, to: key, at: now, policy: policy, seals: seals)
        try endLeakedOverlaps(of: key, at: row, db, &audit, at: now)
        try FindingGrades.regrade(db, keyRow: row, key: key, issuers: issuers, at: now)
        let changed = try KeyTable.fetch(db, row: row)
        try SignIn(of: changed, at: now)?.requireFree(except: row, db, at: now)
        return changed
    }

    /// Ends the overlaps of secrets that have leaked: a change of the key may have made one valid again.
    private func endLeakedOverlaps(
        of key: Key, at row: Int64, _ db: Connection, _ audit: inout AuditChain, at now: Instant
    ) throws {
        guard key.origin == .issued, key.status(at: now) == .active, try seals.fits(key: row, db) else { return }
        let leaked: [Int64] = try db.all(
            """
            SELECT secret_id FROM secrets s WHERE key_row = \(row) AND state = 'retiring' AND EXISTS (
              SELECT 1 FROM findings f WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id AND f.status <> 'dismissed')
            """
        ) { try $0["secret_id"] }
        for secret in leaked {
            try LeakAction.cutOverlap(of: secret, db, &audit, key, at: now, seals: seals)
        }
        guard !leaked.isEmpty else { return }
        try KeyTable.update(
            db, row: row, to: try KeyTable.fetch(db, row: row), at: now, policy: policy, seals: seals)
    }

    /// - Throws: ``StoreError`` with what to do instead, for a key whose status is none of those that are allowed.
    func requireNotEnded(_ key: Key, at now: Instant, to verb: String, allowing: [KeyStatus]) throws {
        let status = key.status(at: now)
        guard !allowing.contains(status) else { return }
        let name = DisplayText.betweenQuotes(key.name)
        switch status {
        case .revoked:
            throw StoreError.refused(
                "the key '\(name)' is revoked and cannot be \(verb)",
                hint: "\(Self.successor(of: key)); its name is free when it is deleted: keyvigil delete \(key.id)")
        case .deleted:
            throw StoreError.refused("the key '\(name)' is deleted", hint: Self.successor(of: key))
        case .expired:
            throw StoreError.refused(
                "the key '\(name)' has expired and cannot be \(verb)",
                hint: "give it a new expiry: \(KeyRemedies(for: key, issuers: issuers).renew)")
        case .active:
            throw StoreError.refused(
                "the key '\(name)' is active and cannot be \(verb)", hint: "look at it: keyvigil show \(key.id)")
        }
    }
    private static func successor(of key: Key) -> String {
        key.origin == .issued
            ? "create a new one: keyvigil create NAME"
            : "record another one: keyvigil create NAME --held --issuer \(argument: key.issuer)"
    }
}
