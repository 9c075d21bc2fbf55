/// The judgement on one key.
package struct HygieneRules {
    private let key: Key
    private let now: Instant
    private let lifecycle: LifecyclePolicy
    private let hygiene: HygienePolicy
    private let profile: IssuerProfile?
    private let title: String
    private let remedies: KeyRemedies
    private var verdicts: [HygieneVerdict] = []

    /// The verdicts on a key at an instant, most urgent first. Of keys that are revoked or deleted only a leak that may still
    /// open something is one.
    package static func verdicts(
        on key: Key, at now: Instant, lifecycle: LifecyclePolicy, hygiene: HygienePolicy, issuers: IssuerCatalog
    ) -> [HygieneVerdict] {
        var rules = HygieneRules(
            key: key, now: now, lifecycle: lifecycle, hygiene: hygiene, profile: issuers[key.issuer],
            title: issuers.title(of: key.issuer), remedies: KeyRemedies(for: key, issuers: issuers))
        rules.judge()
        return rules.verdicts
    }

    private mutating func flag(_ flag: HygieneFlag, _ reason: String, _ remedy: String) {
        verdicts.append(HygieneVerdict(flag: flag, reason: reason, remedy: remedy))
    }

    private mutating func judge() {
        let status = key.status(at: now)
        judgeLeaks(status)
        switch status {
        case .revoked, .deleted: return
        case .expired:
            guard let expiresAt = key.expiresAt else { return }
            let reason =
                key.origin == .issued
                ? "it expired at \(expiresAt)"
                : "its recorded expiry \(expiresAt) has passed; whether \(title) refuses it is not known from that"
            flag(
                .expired, reason, "if it is still needed: \(remedies.renew); else delete it: keyvigil delete \(key.id)")
        case .active:
            judgeHold()
            judgeCheck()
            judgeDates()
            judgeUse()
            judgeShape()
        }
    }

    private mutating func judgeLeaks(_ status: KeyStatus) {
        guard key.openLeaks > 0 else { return }
        let places = key.openLeaks == 1 ? "1 place" : "\(key.openLeaks) places"
        let check = remedies.check.map { "; see whether \(title) accepts what is there: \($0)" } ?? ""
        if status == .active {
            flag(.leaked, "a secret of it is in \(places)", "rotate it now: \(remedies.rotate)\(check)")
        } else if key.origin == .held {
            flag(
                .leaked, "a secret of it is in \(places), and that \(title) refuses it was not checked",
                (remedies.check.map { "check it: \($0)" } ?? "make sure at \(title) that it is dead")
                    + "; the places: keyvigil findings --key \(key.id)")
        }
    }

    private mutating func judgeHold() {
        guard let hold = key.hold else { return }
        flag(
            .onHold,
            "\(key.origin == .issued ? "it is refused" : "it counts as refused by the record") since \(hold.since): the store was rolled "
                + "back, and before that \(hold.reason.sentence)",
            "if it must not live, end it: \(remedies.revoke); if it may: keyvigil release \(key.id)")
    }

    private mutating func judgeCheck() {
        guard key.origin == .held, key.check.decision == .refused, let at = key.check.decidedAt else { return }
        flag(
            .refusedByIssuer, "\(title) refused its current secret at \(at)",
            "record its successor: \(remedies.rotate); or that it ended: keyvigil revoke \(key.id) --done")
    }

    private mutating func judgeDates() {
        let facts = key.facts
        if let expiresAt = key.expiresAt, let notice = facts.expiryNoticeDue(at: now, policy: lifecycle) {
            flag(.expiring, "it expires at \(expiresAt), within \(notice)", remedies.extend)
        }
        if let due = facts.rotationDueAt(policy: lifecycle), due <= now {
            let overdue = due.advanced(by: lifecycle.overdueAfter) <= now
            flag(
                overdue ? .rotationOverdue : .rotationDue, "its rotation was due at \(due)",
                "rotate it: \(remedies.rotate)")
        }
        if let end = key.retiresAt, end > now, let longest = longestOverlap, let start = key.rotatedAt,
            end.milliseconds(since: start) > longest.milliseconds
        {
            flag(
                .overlapTooLong, "its old secret is valid until \(end), longer than \(longest) beside the new one",
                "rotate it once more without an overlap when the new one is in use: \(remedies.rotate)")
        }
    }

    private var longestOverlap: Period? {
        [hygiene.keys.longestOverlap, profile?.longestOverlap].compactMap(\.self).min()
    }

    /// Keys that are verified elsewhere are used elsewhere: nothing is known of that here.
    private mutating func judgeUse() {
        let remedy = "if it is not needed, revoke it: \(remedies.revoke)"
        if let lastUsedAt = key.lastUsedAt {
            if let unusedAfter = lifecycle.unusedAfter, lastUsedAt.advanced(by: unusedAfter) <= now {
                flag(.unused, "it was last verified here at \(lastUsedAt), more than \(unusedAfter) ago", remedy)
            }
        } else if key.origin == .issued, let after = hygiene.neverUsedAfter, key.createdAt.advanced(by: after) <= now {
            flag(.neverUsed, "it was never verified here since it was made at \(key.createdAt)", remedy)
        }
    }

    private mutating func judgeShape() {
        if key.owner == nil {
            flag(.noOwner, "it has no owner", "name who answers for it: keyvigil edit \(key.id) --owner NAME")
        }
        judgeLifetime()
        // Where the issuer knows no permissions, a key cannot be limited, and to ask for it would be noise.
        if key.permissions.isAll, key.expiresAt == nil, key.kind == .apiKey,
            profile?.vocabulary != IssuerProfile.Vocabulary.none
        {
            flag(.unbounded, "it may do everything and never expires", remedies.limit)
        }
        if key.prefix.utf8.count < hygiene.shortestPrefix {
            flag(
                .prefixTooShort, "its prefix of \(key.prefix.utf8.count) bytes is too short to search for",
                "leaks of it cannot be found; replace it by a key with a longer prefix")
        }
    }

    private mutating func judgeLifetime() {
        let longest = [hygiene.keys.longestLifetime, hygiene.longestLifetime].compactMap(\.self).min()
        if let longest, let expiresAt = key.expiresAt,
            expiresAt.milliseconds(since: key.rotatedAt ?? key.createdAt) > longest.milliseconds
        {
            flag(.lifetimeTooLong, "it lives longer than \(longest)", remedies.shorten(to: longest))
        } else if key.expiresAt == nil, let longest = hygiene.keys.longestLifetime {
            flag(
                .lifetimeTooLong, "it never expires, and the policy allows \(longest)", remedies.shorten(to: longest))
        }
    }
}
