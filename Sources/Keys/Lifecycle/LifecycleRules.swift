/// An action that is due for a key. A pure function of facts, an instant and a policy.
package enum LifecycleAction: Hashable, Sendable {
    /// Records that the key has expired.
    case expire(at: Instant)
    /// Reports that the key expires; `notice` is the notice that is due.
    case noticeExpiry(at: Instant, notice: Period)
    /// Reports that a rotation is due.
    case noticeRotationDue(since: Instant)
    /// Reports that a rotation is overdue.
    case noticeRotationOverdue(since: Instant)
    /// Looks whether a retiring secret is still where its successor should be; `notice` is the notice that is due.
    case noticeRetirement(at: Instant, notice: Period)
    /// Records that the overlap of a retiring secret has ended.
    case retire(at: Instant)
    /// Reports that a key is unused.
    case noticeUnused(since: Instant)

    /// The instant at which it is due, or from which that is counted.
    package var dueAt: Instant {
        switch self {
        case .expire(let at), .retire(let at): at
        case .noticeExpiry(let at, let notice), .noticeRetirement(let at, let notice): at.preceded(by: notice)
        case .noticeRotationDue(let since), .noticeRotationOverdue(let since), .noticeUnused(let since): since
        }
    }
}

package enum LifecycleRules {
    /// Smaller steps of the clock are ignored.
    package static let clockTolerance = Period.seconds(1)

    /// The actions that are due at `now`.
    ///
    /// If several notices of one kind became due while the daemon was down, only the most urgent is sent.
    package static func actions(
        for facts: LifecycleFacts, at now: Instant, policy: LifecyclePolicy
    ) -> [LifecycleAction] {
        guard facts.status == .active else { return [] }
        if let expiresAt = facts.expiresAt, expiresAt <= now { return [.expire(at: expiresAt)] }
        let sent = CurrentNotices(facts, policy: policy)
        var actions: [LifecycleAction] = []
        if let retiresAt = facts.retiresAt {
            if retiresAt <= now {
                actions.append(.retire(at: retiresAt))
            } else if let notice = facts.retirementNoticeDue(at: now), sent.retirement.map({ notice < $0 }) ?? true {
                actions.append(.noticeRetirement(at: retiresAt, notice: notice))
            }
        }
        if let expiresAt = facts.expiresAt, let notice = facts.expiryNoticeDue(at: now, policy: policy),
            sent.expiry.map({ notice < $0 }) ?? true
        {
            actions.append(.noticeExpiry(at: expiresAt, notice: notice))
        }
        if let due = facts.rotationDueAt(policy: policy), due <= now {
            if due.advanced(by: policy.overdueAfter) <= now {
                if sent.rotation != .overdue { actions.append(.noticeRotationOverdue(since: due)) }
            } else if sent.rotation == .none {
                actions.append(.noticeRotationDue(since: due))
            }
        }
        if !sent.unused, let idle = facts.idleAt(policy: policy), idle <= now, let since = facts.lastUsedAt {
            actions.append(.noticeUnused(since: since))
        }
        return actions
    }

    /// The next instant after `now` at which ``actions(for:at:policy:)`` returns a new action, or nil.
    ///
    /// The facts must already include all actions that were due at `now`.
    package static func nextDue(for facts: LifecycleFacts, after now: Instant, policy: LifecyclePolicy) -> Instant? {
        guard facts.status == .active else { return nil }
        let sent = CurrentNotices(facts, policy: policy)
        var candidates: [Instant] = []
        if let expiresAt = facts.expiresAt {
            candidates.append(expiresAt)
            for notice in policy.expiryNotices where sent.expiry.map({ notice < $0 }) ?? true {
                candidates.append(expiresAt.preceded(by: notice))
            }
        }
        if let retiresAt = facts.retiresAt {
            candidates.append(retiresAt)
            for notice in LifecyclePolicy.retirementNotices where sent.retirement.map({ notice < $0 }) ?? true {
                candidates.append(retiresAt.preceded(by: notice))
            }
        }
        if let due = facts.rotationDueAt(policy: policy) {
            if sent.rotation == .none { candidates.append(due) }
            if sent.rotation != .overdue { candidates.append(due.advanced(by: policy.overdueAfter)) }
        }
        if !sent.unused, let idle = facts.idleAt(policy: policy) { candidates.append(idle) }
        // An instant in the past is due at once: the next sweep handles it.
        return candidates.min().map { max($0, now) }
    }

    /// The shortest notice whose time had already come when the expiry was set; it and the longer ones are skipped.
    /// Someone who sets an expiry a week ahead needs no notice that it is within 60 days.
    package static func noticePassedOver(expiresAt: Instant?, at now: Instant, policy: LifecyclePolicy) -> Period? {
        guard let expiresAt else { return nil }
        return policy.expiryNotices.last { expiresAt.preceded(by: $0) <= now }
    }

    /// The same for the end of an overlap.
    package static func noticePassedOver(retiresAt: Instant?, at now: Instant) -> Period? {
        guard let retiresAt else { return nil }
        return LifecyclePolicy.retirementNotices.last { retiresAt.preceded(by: $0) <= now }
    }
}
