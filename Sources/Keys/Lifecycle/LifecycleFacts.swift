/// What the rules need to know of one key: dates, and which notices have gone out.
package struct LifecycleFacts: Hashable, Sendable {
    package var status: KeyStatus
    /// Whether the key has a secret that is rotated; a consent has none.
    package var isRotated: Bool
    package var expiresAt: Instant?
    /// When the current secret was made: the start of the rotation period.
    package var secretMadeAt: Instant
    package var rotateEvery: Period?
    /// The last recorded use, or nil if the key was never used.
    package var lastUsedAt: Instant?
    /// When the retiring secret, if there is one, stops being valid.
    package var retiresAt: Instant?
    /// The shortest notice of that end that was sent or skipped, and the end to which it refers.
    package var retirementNoticeSent: Period?
    package var retirementNoticeFor: Instant?
    /// The shortest expiry notice that was sent or skipped for the present expiry.
    package var expiryNoticeSent: Period?
    /// The notice that was sent for the present rotation period.
    package var rotationNotice: RotationNotice
    /// Whether a notice was sent for the present idle time.
    package var unusedNoticeSent: Bool
    /// The date to which each notice refers: the expiry, the due date of the rotation, and the instant at which the key
    /// counted as unused. A notice for a date that the key no longer has counts as not sent. Nil, in stores of earlier
    /// versions, means the present date.
    package var expiryNoticeFor: Instant?
    package var rotationNoticeFor: Instant?
    package var unusedNoticeFor: Instant?

    package enum RotationNotice: String, CaseIterable, Hashable, Sendable {
        case none, due, overdue
    }

    package init(
        status: KeyStatus, isRotated: Bool = true, expiresAt: Instant?, secretMadeAt: Instant, rotateEvery: Period?,
        lastUsedAt: Instant? = nil,
        retiresAt: Instant? = nil, expiryNoticeSent: Period? = nil, rotationNotice: RotationNotice = .none,
        unusedNoticeSent: Bool = false, expiryNoticeFor: Instant? = nil, rotationNoticeFor: Instant? = nil,
        unusedNoticeFor: Instant? = nil, retirementNoticeSent: Period? = nil, retirementNoticeFor: Instant? = nil
    ) {
        self.status = status
        self.isRotated = isRotated
        self.expiresAt = expiresAt
        self.secretMadeAt = secretMadeAt
        self.rotateEvery = rotateEvery
        self.lastUsedAt = lastUsedAt
        self.retiresAt = retiresAt
        self.expiryNoticeSent = expiryNoticeSent
        self.rotationNotice = rotationNotice
        self.unusedNoticeSent = unusedNoticeSent
        self.expiryNoticeFor = expiryNoticeFor
        self.rotationNoticeFor = rotationNoticeFor
        self.unusedNoticeFor = unusedNoticeFor
        self.retirementNoticeSent = retirementNoticeSent
        self.retirementNoticeFor = retirementNoticeFor
    }

    /// When a rotation is due, or nil if none is ever due.
    package func rotationDueAt(policy: LifecyclePolicy) -> Instant? {
        guard isRotated else { return nil }
        if let rotateEvery { return secretMadeAt.advanced(by: rotateEvery) }
        guard policy.lifetimeShare > 0, let expiresAt else { return nil }
        let lifetime = expiresAt.milliseconds(since: secretMadeAt)
        guard lifetime >= policy.shortestRotatedLifetime.milliseconds else { return nil }
        return Instant(milliseconds: secretMadeAt.milliseconds + lifetime / 1000 * Int64(policy.lifetimeShare))
    }

    /// When a key that was used counts as unused, or nil if it never does. A key that was never verified here may be
    /// verified elsewhere, so it raises no alert; ``HygieneFlag/neverUsed`` shows it.
    package func idleAt(policy: LifecyclePolicy) -> Instant? {
        guard let unusedAfter = policy.unusedAfter, let lastUsedAt else { return nil }
        return lastUsedAt.advanced(by: unusedAfter)
    }

    /// The shortest notice of the end of an overlap that is due at `now`.
    func retirementNoticeDue(at now: Instant) -> Period? {
        guard let retiresAt else { return nil }
        return LifecyclePolicy.retirementNotices.last { retiresAt.preceded(by: $0) <= now }
    }

    /// The shortest expiry notice that is due at `now`.
    func expiryNoticeDue(at now: Instant, policy: LifecyclePolicy) -> Period? {
        guard let expiresAt else { return nil }
        return policy.expiryNotices.last { expiresAt.preceded(by: $0) <= now }
    }
}
