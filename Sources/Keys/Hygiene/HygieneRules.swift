/// Determines the flags of one key.
package struct HygieneRules {
    private let key: Key
    private let now: Instant
    private let lifecycle: LifecyclePolicy
    private let hygiene: HygienePolicy
    private let profile: IssuerProfile?
    private let title: String
    private let remedies: KeyRemedies
    private var verdicts: [HygieneVerdict] = []

    /// The verdicts on a key at an instant, most urgent first. A revoked or deleted key is flagged only for a leak of a
    /// secret that may still work.
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
        if status != .revoked, status != .deleted { judgeRecord() }
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
                .expired, reason,
                "if it is still needed: \(remedies.renew); otherwise delete it:  keyvigil delete \(key.id)")
        case .active:
            judgeHold()
            judgeCheck()
            judgeDates()
            judgeUse()
            judgeShape()
        }
    }

    private mutating func judgeRecord() {
        guard key.isTampered else { return }
        flag(
            .tampered, "its record was changed by something other than Keyvigil, and it is refused",
            "find out who can write to the store, and end it: keyvigil revoke \(key.id)")
    }

    private mutating func judgeLeaks(_ status: KeyStatus) {
        guard key.openLeaks > 0 else { return }
        let places = key.openLeaks == 1 ? "1 place" : "\(key.openLeaks) places"
        let check = remedies.check.map { "; see whether \(title) accepts what is there: \($0)" } ?? ""
        if status == .active {
            flag(.leaked, "one of its secrets is in \(places)", "rotate it now: \(remedies.rotate)\(check)")
        } else if key.origin == .held {
            let condition = key.condition(at: now)
            guard condition.danger != .live else {
                return flag(
                    .leaked, "one of its secrets is in \(places); its last one is \(condition.words(issuer: title))",
                    "end it there: \(remedies.revoke); the places: keyvigil findings --key \(key.id)")
            }
            let last =
                condition.danger == .none
                ? "only its last one is known to be refused by \(title)" : "whether \(title) refuses it was not checked"
            flag(
                .leaked, "one of its secrets is in \(places), and \(last)",
                (remedies.check.map { "check it: \($0)" } ?? "make sure at \(title) that it is refused")
                    + "; the places: keyvigil findings --key \(key.id)")
        }
    }

    private mutating func judgeHold() {
        guard let hold = key.hold else { return }
        flag(
            .onHold,
            "\(key.origin == .issued ? "it is refused" : "it is recorded as refused") since \(hold.since): the store was rolled "
                + "back, and before that \(hold.reason.sentence)",
            hold.reason == .rotated
                ? "to give it a new secret: \(remedies.rotate); to keep it refused, revoke it: \(remedies.revoke); "
                    + "to accept the secret that was replaced again: keyvigil release \(key.id)"
                : "to keep it refused, revoke it: \(remedies.revoke); to allow it again: keyvigil release \(key.id)")
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
                "rotate it: \(remedies.rotateOnSchedule)")
        }
        if let end = key.retiresAt, end > now, let longest = longestOverlap, let start = key.rotatedAt,
            end.milliseconds(since: start) > longest.milliseconds
        {
            flag(
                .overlapTooLong, "its old secret is valid until \(end), longer than \(longest) beside the new one",
                "rotate it once more without an overlap when the new one is in use: \(remedies.endOverlaps)")
        }
    }

    private var longestOverlap: Period? {
        [hygiene.keys.longestOverlap, profile?.longestOverlap].compactMap(\.self).min()
    }

    /// Uses of a key that is verified elsewhere are not known here.
    private mutating func judgeUse() {
        let remedy = "if it is not needed, revoke it: \(remedies.revoke)"
        if let lastUsedAt = key.lastUsedAt {
            if let unusedAfter = lifecycle.unusedAfter, lastUsedAt.advanced(by: unusedAfter) <= now {
                flag(.unused, "it was last verified here at \(lastUsedAt), more than \(unusedAfter) ago", remedy)
            }
        } else if key.origin == .issued, let after = hygiene.neverUsedAfter, key.createdAt.advanced(by: after) <= now {
            flag(.neverUsed, "it was never verified here since it was created at \(key.createdAt)", remedy)
        }
    }

    private mutating func judgeShape() {
        if key.owner == nil {
            flag(
                .noOwner, "it has no owner", "name the person who is responsible: keyvigil edit \(key.id) --owner NAME")
        }
        judgeLifetime()
        // If the issuer has no permissions, a key cannot be restricted, and the flag would be noise.
        if key.permissions.isAll, key.expiresAt == nil, key.kind == .apiKey,
            profile?.vocabulary != IssuerProfile.Vocabulary.none
        {
            flag(.unbounded, "it may do everything and never expires", remedies.limit)
        }
        if key.prefix.utf8.count < hygiene.shortestPrefix {
            flag(
                .prefixTooShort, "its prefix of \(key.prefix.utf8.count) bytes is too short to search for",
                "its leaks cannot be found; replace it with a key that has a longer prefix")
        }
    }

    private mutating func judgeLifetime() {
        let longest = [hygiene.keys.longestLifetime, hygiene.longestLifetime].compactMap(\.self).min()
        if let longest, let expiresAt = key.expiresAt,
            expiresAt.milliseconds(since: key.rotatedAt ?? key.createdAt) > longest.milliseconds
        {
            flag(.lifetimeTooLong, "its lifetime is longer than \(longest)", remedies.shorten(to: longest, at: now))
        } else if key.expiresAt == nil, let longest = hygiene.keys.longestLifetime {
            flag(
                .lifetimeTooLong, "it never expires, and the policy allows \(longest)",
                remedies.shorten(to: longest, at: now))
        }
    }
}
