/// A problem of a key. The raw values appear in JSON.
package enum HygieneFlag: String, CaseIterable, Hashable, Sendable {
    case tampered
    case onHold = "on_hold"
    case leaked
    case expired
    case expiring
    case rotationOverdue = "rotation_overdue"
    case rotationDue = "rotation_due"
    case unused
    case neverUsed = "never_used"
    case noOwner = "no_owner"
    case lifetimeTooLong = "lifetime_too_long"
    case overlapTooLong = "overlap_too_long"
    case refusedByIssuer = "refused_by_issuer"
    case unbounded
    case prefixTooShort = "prefix_too_short"
}

/// A flag, its reason, and what to do.
package struct HygieneVerdict: Hashable, Sendable {
    package let flag: HygieneFlag
    /// A clause without a full stop.
    package let reason: String
    /// What the owner should do.
    package let remedy: String
}

/// When a key has a flag, in addition to the dates of ``LifecyclePolicy``.
package struct HygienePolicy: Hashable, Sendable {
    /// The longest lifetime without a flag; nil allows any.
    package var longestLifetime: Period?
    /// The age at which a key that was never used is flagged; nil means never.
    package var neverUsedAfter: Period?
    /// The shortest prefix that is searched for, in bytes: shorter ones would match unrelated text.
    package var shortestPrefix: Int
    /// The rules for keys.
    package var keys: KeyPolicy

    package static let standard = HygienePolicy(
        longestLifetime: .days(365), neverUsedAfter: .days(45), shortestPrefix: 8)

    package init(
        longestLifetime: Period?, neverUsedAfter: Period?, shortestPrefix: Int, keys: KeyPolicy = .standard
    ) {
        self.keys = keys
        self.longestLifetime = longestLifetime
        self.neverUsedAfter = neverUsedAfter
        self.shortestPrefix = shortestPrefix
    }
}
