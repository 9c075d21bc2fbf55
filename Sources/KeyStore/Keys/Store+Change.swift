internal import GRDB
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

    package init() {}

    package var isEmpty: Bool {
        permissions == nil && resources == nil && owner == nil && expiresAt == nil && rotateEvery == nil
    }
}

extension Store {
    /// Gives a key another name.
    package func rename(_ selector: String, to name: String, at now: Instant, by actor: Actor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try Self.requireNotEnded(key, at: now, to: "renamed", allowing: [.active, .expired])
            if name == key.name { return }
            try Self.requireFreeName(name, db)
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
    package func edit(_ selector: String, _ edit: KeyEdit, at now: Instant, by actor: Actor) throws -> Key {
        let policy = self.policy
        return try changeKey(selector, at: now, by: actor) { key, db, audit in
            try Self.requireNotEnded(key, at: now, to: "edited", allowing: [.active, .expired])
            let before = Self.auditDetails(of: key)
            if let permissions = edit.permissions { key.permissions = permissions }
            if let resources = edit.resources { key.resources = resources }
            if let owner = edit.owner { key.owner = owner }
            if let expiresAt = edit.expiresAt {
                key.expiresAt = expiresAt
                key.recordedStatus = .active
                key.expiryNoticeSent = LifecycleRules.noticePassedOver(expiresAt: expiresAt, at: now, policy: policy)
            }
            if let rotateEvery = edit.rotateEvery {
                key.rotateEvery = rotateEvery
                key.rotationNotice = .none
            }
            guard key.status(at: now) == .active else {
                throw StoreError.refused(
                    "the key '\(DisplayText.escaped(key.name))' has expired",
                    hint: "give it a later expiry too: --expires 90d")
            }
            var details = JSONLine()
            details.add("before", object: before)
            details.add("after", object: Self.auditDetails(of: key))
            try audit.record(.keyEdited, key: key.id, details: details)
        }
    }

    /// Ends a key at once and for good. It stays listed.
    package func revoke(_ selector: String, reason: String?, at now: Instant, by actor: Actor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try Self.requireNotEnded(key, at: now, to: "revoked", allowing: [.active, .expired])
            key.recordedStatus = .revoked
            key.revokedAt = now
            key.revokeReason = reason
            var details = JSONLine()
            details.add("reason", reason)
            try audit.record(.keyRevoked, key: key.id, details: details)
        }
    }

    /// Takes a key away for good. A tombstone remains, by which a later leak is still recognised; the name is free
    /// again.
    package func delete(_ selector: String, at now: Instant, by actor: Actor) throws -> Key {
        try changeKey(selector, at: now, by: actor) { key, db, audit in
            try Self.requireNotEnded(key, at: now, to: "deleted", allowing: [.active, .expired, .revoked])
            try audit.record(.keyDeleted, key: key.id, details: Self.auditDetails(of: key))
            key.recordedStatus = .deleted
            key.deletedAt = now
        }
    }

    // MARK: - Inside

    /// One change of one key: loads it, lets `body` change it, writes it with its next due date, and grades its
    /// findings anew.
    func changeKey(
        _ selector: String, at now: Instant, by actor: Actor,
        _ body: (inout Key, Database, inout AuditChain) throws -> Void
    ) throws -> Key {
        let (policy, issuers) = (self.policy, self.issuers)
        return try change(at: now, by: actor) { db, audit in
            let row = try Self.row(of: selector, db)
            var key = try KeyRow.fetch(db, row: row)
            try Outbox.wordNotices(of: key.id, db, issuers)
            try body(&key, db, &audit)
            try KeyRow.update(db, row: row, to: key, at: now, policy: policy)
            try Findings.regrade(db, keyRow: row, key: key, at: now)
            return try KeyRow.fetch(db, row: row)
        }
    }

    static func requireNotEnded(_ key: Key, at now: Instant, to verb: String, allowing: [KeyStatus]) throws {
        let status = key.status(at: now)
        guard !allowing.contains(status) else { return }
        let name = DisplayText.escaped(key.name)
        switch status {
        case .revoked:
            throw StoreError.refused(
                "the key '\(name)' is revoked and cannot be \(verb)", hint: "create a new one: keyvigil create NAME")
        case .deleted:
            throw StoreError.refused("the key '\(name)' is deleted", hint: "create a new one: keyvigil create NAME")
        case .expired:
            throw StoreError.refused(
                "the key '\(name)' has expired and cannot be \(verb)",
                hint:
                    "give it a new expiry: keyvigil edit \(key.id) --expires 90d, or keyvigil rotate \(key.id) --expires 90d"
            )
        case .active:
            throw StoreError.refused(
                "the key '\(name)' is active and cannot be \(verb)", hint: "look at it: keyvigil show \(key.id)")
        }
    }
}
