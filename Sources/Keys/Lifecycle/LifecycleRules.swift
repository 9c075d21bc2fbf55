/// What has to happen to a key at an instant. Pure: facts, an instant and a policy in, actions out.
package enum LifecycleAction: Hashable, Sendable {
    /// Record that the key's date has passed.
    case expire(at: Instant)
    /// Tell that the key expires; `notice` is the notice that is due.
    case noticeExpiry(at: Instant, notice: Period)
    /// Tell that a rotation has fallen due.
    case noticeRotationDue(since: Instant)
    /// Tell that a rotation is overdue.
    case noticeRotationOverdue(since: Instant)
    /// Record that a retiring secret's overlap has ended.
    case retire(at: Instant)
    /// Tell that a key has lain unused.
    case noticeUnused(since: Instant)
}

package enum LifecycleRules {
    /// Steps of the clock that are smaller than this mean nothing.
    package static let clockTolerance = Period.seconds(1)

    /// The actions that are due at `now`.
    ///
    /// Where several notices of one kind fell due unseen (the daemon was down), only the most urgent is sent:
    /// the others would repeat it.
    package static func actions(
        for facts: LifecycleFacts, at now: Instant, policy: LifecyclePolicy
    ) -> [LifecycleAction] {
        guard facts.status == .active else { return [] }
        if let expiresAt = facts.expiresAt, expiresAt <= now { return [.expire(at: expiresAt)] }
        let sent = StandingNotices(facts, policy: policy)
        var actions: [LifecycleAction] = []
        if let retiresAt = facts.retiresAt, retiresAt <= now { actions.append(.retire(at: retiresAt)) }
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

    /// The next instant after `now` at which ``actions(for:at:policy:)`` will have something new, or nil.
    ///
    /// The facts must already tell of everything that was due at `now`.
    package static func nextDue(for facts: LifecycleFacts, after now: Instant, policy: LifecyclePolicy) -> Instant? {
        guard facts.status == .active else { return nil }
        let sent = StandingNotices(facts, policy: policy)
        var candidates: [Instant] = []
        if let expiresAt = facts.expiresAt {
            candidates.append(expiresAt)
            for notice in policy.expiryNotices where sent.expiry.map({ notice < $0 }) ?? true {
                candidates.append(expiresAt.preceded(by: notice))
            }
        }
        if let retiresAt = facts.retiresAt { candidates.append(retiresAt) }
        if let due = facts.rotationDueAt(policy: policy) {
            if sent.rotation == .none { candidates.append(due) }
            if sent.rotation != .overdue { candidates.append(due.advanced(by: policy.overdueAfter)) }
        }
        if !sent.unused, let idle = facts.idleAt(policy: policy) { candidates.append(idle) }
        // An instant that has passed is due at once: the sweep asks again.
        return candidates.min().map { max($0, now) }
    }

    /// Notices whose time had already come when the expiry was set are passed over: who sets an expiry of
    /// a week ahead need not be told that it comes within 60 days.
    package static func noticePassedOver(expiresAt: Instant?, at now: Instant, policy: LifecyclePolicy) -> Period? {
        guard let expiresAt else { return nil }
        return policy.expiryNotices.last { expiresAt.preceded(by: $0) <= now }
    }
}
