/// What is not clean about a key. The raw values are what scripts read.
package enum HygieneFlag: String, CaseIterable, Hashable, Sendable {
    case held
    case leaked
    case expired
    case expiring
    case rotationOverdue = "rotation_overdue"
    case rotationDue = "rotation_due"
    case unused
    case neverUsed = "never_used"
    case noOwner = "no_owner"
    case lifetimeTooLong = "lifetime_too_long"
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

    package static let standard = HygienePolicy(
        longestLifetime: .days(365), neverUsedAfter: .days(45), shortestPrefix: 8)

    package init(longestLifetime: Period?, neverUsedAfter: Period?, shortestPrefix: Int) {
        self.longestLifetime = longestLifetime
        self.neverUsedAfter = neverUsedAfter
        self.shortestPrefix = shortestPrefix
    }
}

package enum HygieneRules {
    /// The verdicts on a key at an instant, most urgent first. Keys that are revoked or deleted have none.
    package static func verdicts(
        on key: Key, at now: Instant, lifecycle: LifecyclePolicy, hygiene: HygienePolicy, issuers: IssuerCatalog
    ) -> [HygieneVerdict] {
        let status = key.status(at: now)
        guard status == .active || status == .expired else { return [] }
        var verdicts: [HygieneVerdict] = []
        func flag(_ flag: HygieneFlag, _ reason: String, _ remedy: String) {
            verdicts.append(HygieneVerdict(flag: flag, reason: reason, remedy: remedy))
        }
        if status == .expired {
            if let expiresAt = key.expiresAt {
                flag(
                    .expired, "it expired at \(expiresAt)",
                    "create a successor, or delete it: keyvigil delete \(key.id)")
            }
            return verdicts
        }
        if let hold = key.hold {
            flag(
                .held,
                "it is refused since \(hold.since): the store was rolled back, and before that \(hold.reason.sentence)",
                "if it must not live, end it: keyvigil revoke \(key.id); if it may: keyvigil release \(key.id)")
        }
        let facts = key.facts
        if key.openLeaks > 0 {
            let places = key.openLeaks == 1 ? "1 place" : "\(key.openLeaks) places"
            flag(.leaked, "its secret stands in \(places)", "rotate it now: \(issuers.rotateRemedy(for: key))")
        }
        if let expiresAt = key.expiresAt, let notice = facts.expiryNoticeDue(at: now, policy: lifecycle) {
            flag(
                .expiring, "it expires at \(expiresAt), within \(notice)",
                "extend it: keyvigil edit \(key.id) --expires 90d, or replace it")
        }
        if let due = facts.rotationDueAt(policy: lifecycle), due <= now {
            let overdue = due.advanced(by: lifecycle.overdueAfter) <= now
            flag(
                overdue ? .rotationOverdue : .rotationDue, "its rotation was due at \(due)",
                "rotate it: \(issuers.rotateRemedy(for: key))")
        }
        use(of: key, at: now, lifecycle: lifecycle, hygiene: hygiene, issuers: issuers, flag: flag)
        shape(of: key, hygiene: hygiene, issuers: issuers, flag: flag)
        return verdicts
    }

    private static func use(
        of key: Key, at now: Instant, lifecycle: LifecyclePolicy, hygiene: HygienePolicy, issuers: IssuerCatalog,
        flag: (HygieneFlag, String, String) -> Void
    ) {
        let remedy = "if nobody needs it, revoke it: \(issuers.revokeRemedy(for: key))"
        if let lastUsedAt = key.lastUsedAt {
            if let unusedAfter = lifecycle.unusedAfter, lastUsedAt.advanced(by: unusedAfter) <= now {
                flag(.unused, "it was last used at \(lastUsedAt), more than \(unusedAfter) ago", remedy)
            }
        } else if let after = hygiene.neverUsedAfter, key.createdAt.advanced(by: after) <= now {
            flag(.neverUsed, "it was never verified since it was made at \(key.createdAt)", remedy)
        }
    }

    private static func shape(
        of key: Key, hygiene: HygienePolicy, issuers: IssuerCatalog, flag: (HygieneFlag, String, String) -> Void
    ) {
        if key.owner == nil {
            flag(.noOwner, "nobody answers for it", "name an owner: keyvigil edit \(key.id) --owner NAME")
        }
        if let longest = hygiene.longestLifetime, let expiresAt = key.expiresAt,
            expiresAt.milliseconds(since: key.rotatedAt ?? key.createdAt) > longest.milliseconds
        {
            flag(
                .lifetimeTooLong, "it lives longer than \(longest)",
                "shorten it: keyvigil edit \(key.id) --expires \(longest)")
        }
        // Where the issuer knows no permissions, nobody can limit a key, and to ask for it would be noise.
        if key.permissions.isAll, key.expiresAt == nil, issuers[key.issuer]?.vocabulary != IssuerProfile.Vocabulary.none
        {
            flag(
                .unbounded, "it may do everything and never expires",
                "limit it: keyvigil edit \(key.id) --permission read --expires 90d")
        }
        if key.prefix.utf8.count < hygiene.shortestPrefix {
            flag(
                .prefixTooShort, "its prefix of \(key.prefix.utf8.count) bytes is too short to search for",
                "leaks of it cannot be found; replace it by a key with a longer prefix")
        }
    }
}
