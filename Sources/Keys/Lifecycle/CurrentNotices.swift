/// The notices that were sent and still apply: those for the present dates of the key. When a date is changed, the
/// notices for the old date no longer apply.
package struct CurrentNotices {
    /// The shortest expiry notice that was sent.
    package let expiry: Period?
    package let rotation: LifecycleFacts.RotationNotice
    package let unused: Bool
    /// The shortest notice of the end of an overlap that was sent.
    package let retirement: Period?

    /// - Parameter clock: the present time, if an earlier clock may have been fast: notices that are not due by it do
    ///   not apply. Nil if no clock was wrong.
    package init(_ facts: LifecycleFacts, policy: LifecyclePolicy, clock: Instant? = nil) {
        // Clocks are corrected by fractions of a second all the time.
        let clock = clock?.advanced(by: LifecycleRules.clockTolerance)
        func hasCome(_ date: Instant) -> Bool { clock.map { date <= $0 } ?? true }
        func holds(_ noticed: Instant?, about date: Instant?) -> Bool { noticed == nil || noticed == date }

        let expiresAt = facts.expiresAt
        let isExpiryHeld = holds(facts.expiryNoticeFor, about: expiresAt)
        expiry = facts.expiryNoticeSent.flatMap { sent in
            isExpiryHeld && hasCome(expiresAt?.preceded(by: sent) ?? .earliest) ? sent : nil
        }
        let due = facts.rotationDueAt(policy: policy)
        if holds(facts.rotationNoticeFor, about: due), hasCome(due ?? .earliest) {
            let isEarly = !hasCome(due?.advanced(by: policy.overdueAfter) ?? .earliest)
            rotation = facts.rotationNotice == .overdue && isEarly ? .due : facts.rotationNotice
        } else {
            rotation = .none
        }
        let retiresAt = facts.retiresAt
        let isRetirementHeld = holds(facts.retirementNoticeFor, about: retiresAt)
        retirement = facts.retirementNoticeSent.flatMap { sent in
            isRetirementHeld && hasCome(retiresAt?.preceded(by: sent) ?? .earliest) ? sent : nil
        }
        let idle = facts.idleAt(policy: policy)
        unused = facts.unusedNoticeSent && holds(facts.unusedNoticeFor, about: idle) && hasCome(idle ?? .earliest)
    }
}
