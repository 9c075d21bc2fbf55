/// A key as the store knows it. It holds no secret and no hash.
package struct Key: Hashable, Sendable {
    package var id: KeyID
    package var kind: KeyKind
    package var origin: KeyOrigin
    package var name: String
    package var owner: String?
    package var issuer: String
    package var environment: KeyEnvironment
    /// The visible prefix of the current secret.
    package var prefix: String
    package var permissions: PermissionSet
    package var resources: ResourceScope
    package var role: String
    /// The status as recorded, which may lag behind the clock: ``status(at:)`` is authoritative.
    package var recordedStatus: KeyStatus
    package var createdAt: Instant
    package var expiresAt: Instant?
    package var rotateEvery: Period?
    /// When the current secret replaced another, or nil if it is the first.
    package var rotatedAt: Instant?
    package var lastUsedAt: Instant?
    package var revokedAt: Instant?
    package var revokeReason: String?
    package var deletedAt: Instant?
    /// The number of secrets the key has had.
    package var generation: Int
    /// When the previous secret stops being valid; nil if there is none that is still valid.
    package var retiresAt: Instant?
    /// The number of open confirmed findings.
    package var openLeaks: Int
    /// The notices that were sent; see ``LifecycleFacts``.
    package var expiryNoticeSent: Period?
    package var rotationNotice: LifecycleFacts.RotationNotice
    package var unusedNoticeSent: Bool
    /// Free text for people.
    package var notes: String?
    /// The OAuth client to which a consent was given.
    package var client: String?
    /// Who last recorded a change of the key or its secret; nil for keys from stores that did not keep this.
    package var attestation: Attestation?
    /// What is known of the current secret from asking its issuer.
    package var check: CheckRecord
    /// The dates to which those notices refer; see ``LifecycleFacts``.
    package var expiryNoticeFor: Instant?
    package var rotationNoticeFor: Instant?
    package var unusedNoticeFor: Instant?
    package var retirementNoticeSent: Period?
    package var retirementNoticeFor: Instant?
    /// Set while a person has to decide whether the key stays valid; it is refused until then.
    package var hold: KeyHold?
    /// Whether a record of it was found changed by something that has no pepper; the key is refused then.
    package var isTampered: Bool

    package init(
        id: KeyID, kind: KeyKind = .apiKey, origin: KeyOrigin = .issued, name: String, owner: String?, issuer: String,
        environment: KeyEnvironment,
        prefix: String,
        permissions: PermissionSet, resources: ResourceScope, role: String, recordedStatus: KeyStatus = .active,
        createdAt: Instant, expiresAt: Instant?, rotateEvery: Period?, rotatedAt: Instant? = nil,
        lastUsedAt: Instant? = nil, revokedAt: Instant? = nil, revokeReason: String? = nil, deletedAt: Instant? = nil,
        generation: Int = 1, retiresAt: Instant? = nil, openLeaks: Int = 0, expiryNoticeSent: Period? = nil,
        rotationNotice: LifecycleFacts.RotationNotice = .none, unusedNoticeSent: Bool = false,
        notes: String? = nil, client: String? = nil, attestation: Attestation? = nil, check: CheckRecord = .none,
        expiryNoticeFor: Instant? = nil, rotationNoticeFor: Instant? = nil, unusedNoticeFor: Instant? = nil,
        retirementNoticeSent: Period? = nil, retirementNoticeFor: Instant? = nil, hold: KeyHold? = nil,
        isTampered: Bool = false
    ) {
        self.id = id
        self.kind = kind
        self.origin = origin
        self.name = name
        self.owner = owner
        self.issuer = issuer
        self.environment = environment
        self.prefix = prefix
        self.permissions = permissions
        self.resources = resources
        self.role = role
        self.recordedStatus = recordedStatus
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.rotateEvery = rotateEvery
        self.rotatedAt = rotatedAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.revokeReason = revokeReason
        self.deletedAt = deletedAt
        self.generation = generation
        self.retiresAt = retiresAt
        self.openLeaks = openLeaks
        self.expiryNoticeSent = expiryNoticeSent
        self.rotationNotice = rotationNotice
        self.unusedNoticeSent = unusedNoticeSent
        self.notes = notes
        self.client = client
        self.attestation = attestation
        self.check = check
        self.expiryNoticeFor = expiryNoticeFor
        self.rotationNoticeFor = rotationNoticeFor
        self.unusedNoticeFor = unusedNoticeFor
        self.retirementNoticeSent = retirementNoticeSent
        self.retirementNoticeFor = retirementNoticeFor
        self.hold = hold
        self.isTampered = isTampered
    }

    /// The status at an instant. Between active and expired the date decides, not the recorded status.
    package func status(at now: Instant) -> KeyStatus { recordedStatus.decided(by: expiresAt, at: now) }

    /// The facts for the lifecycle's rules.
    package var facts: LifecycleFacts {
        LifecycleFacts(
            status: recordedStatus, isRotated: kind == .apiKey, expiresAt: expiresAt,
            secretMadeAt: rotatedAt ?? createdAt,
            rotateEvery: rotateEvery, lastUsedAt: lastUsedAt, retiresAt: retiresAt,
            expiryNoticeSent: expiryNoticeSent, rotationNotice: rotationNotice, unusedNoticeSent: unusedNoticeSent,
            expiryNoticeFor: expiryNoticeFor, rotationNoticeFor: rotationNoticeFor, unusedNoticeFor: unusedNoticeFor,
            retirementNoticeSent: retirementNoticeSent, retirementNoticeFor: retirementNoticeFor)
    }

    /// Sets the expiry; nil means never. Records the key as active (a date in the past still expires it), and skips
    /// notices whose time has already come.
    package mutating func setExpiry(_ date: Instant?, at now: Instant, policy: LifecyclePolicy) {
        expiresAt = date
        recordedStatus = .active
        expiryNoticeSent = LifecycleRules.noticePassedOver(expiresAt: date, at: now, policy: policy)
        expiryNoticeFor = date
    }

    /// Sets the dates of notices that a store of an earlier version recorded without one: they refer to the present
    /// dates of the key. Call it before a date is changed.
    package mutating func dateNotices(policy: LifecyclePolicy) {
        if expiryNoticeSent != nil { expiryNoticeFor = expiryNoticeFor ?? expiresAt }
        if rotationNotice != .none { rotationNoticeFor = rotationNoticeFor ?? facts.rotationDueAt(policy: policy) }
        if unusedNoticeSent { unusedNoticeFor = unusedNoticeFor ?? facts.idleAt(policy: policy) }
    }
}

extension Key {
    /// When the status at an instant began; nil for an active key.
    package func endedAt(at now: Instant) -> Instant? {
        switch status(at: now) {
        case .active: nil
        case .expired: expiresAt
        case .revoked: revokedAt
        case .deleted: deletedAt
        }
    }
}
