/// When the owner of a key is told what. Values from the configuration, the same for all keys.
package struct LifecyclePolicy: Hashable, Sendable {
    /// How long before a key's expiry notices are sent, longest first. Each is sent once.
    package var expiryNotices: [Period]
    /// How long after a rotation fell due it counts as overdue.
    package var overdueAfter: Period
    /// A key that expires, and has no rotation period of its own, is due at this share (in thousandths) of its
    /// lifetime, if that is at least ``shortestRotatedLifetime``. Zero: never. (cert-manager renews at 2/3.)
    package var lifetimeShare: Int
    /// Lifetimes below this are too short to rotate within.
    package var shortestRotatedLifetime: Period
    /// How long a key that was used may lie unused before its owner is told. Nil: never told.
    package var unusedAfter: Period?

    package static let standard = LifecyclePolicy(
        expiryNotices: [.days(60), .days(30), .days(7), .days(1)], overdueAfter: .days(14), lifetimeShare: 670,
        shortestRotatedLifetime: .days(7), unusedAfter: .days(90))

    package init(
        expiryNotices: [Period], overdueAfter: Period, lifetimeShare: Int, shortestRotatedLifetime: Period,
        unusedAfter: Period?
    ) {
        self.expiryNotices = expiryNotices.sorted(by: >)
        self.overdueAfter = overdueAfter
        self.lifetimeShare = lifetimeShare
        self.shortestRotatedLifetime = shortestRotatedLifetime
        self.unusedAfter = unusedAfter
    }

    /// A text that differs whenever the policy does. The store keeps it, to know when due dates must be made anew.
    package var fingerprint: String {
        let notices = expiryNotices.map(\.description).joined(separator: ",")
        let unused = unusedAfter?.description ?? "never"
        return
            "v1 notices=\(notices) overdue=\(overdueAfter) share=\(lifetimeShare)/\(shortestRotatedLifetime) unused=\(unused)"
    }
}
