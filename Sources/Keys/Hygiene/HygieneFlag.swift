/// What is not clean about a key. The raw values are what scripts read.
package enum HygieneFlag: String, CaseIterable, Hashable, Sendable {
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

/// A flag with the reason for which it was raised and what to do.
package struct HygieneVerdict: Hashable, Sendable {
    package let flag: HygieneFlag
    /// A sentence without a full stop.
    package let reason: String
    /// What the owner does now.
    package let remedy: String
}

/// When a key counts as unclean, besides the dates of ``LifecyclePolicy``.
package struct HygienePolicy: Hashable, Sendable {
    /// The longest lifetime that is clean; nil: any.
    package var longestLifetime: Period?
    /// A key that was never used is flagged once it is this old; nil: never.
    package var neverUsedAfter: Period?
    /// Prefixes shorter than this (in bytes) are found everywhere, so they are not searched for.
    package var shortestPrefix: Int
    /// What keys must keep to.
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
