/// When notices about a key are sent. The values come from the configuration and are the same for all keys.
package struct LifecyclePolicy: Hashable, Sendable {
    /// How long before the expiry of a key notices are sent, longest first. Each is sent once.
    package var expiryNotices: [Period]
    /// How long after its due date a rotation counts as overdue.
    package var overdueAfter: Period
    /// The share of its lifetime, in thousandths, after which a key with an expiry and without a rotation period is due
    /// for rotation, if the lifetime is at least ``shortestRotatedLifetime``. Zero means never. (cert-manager renews at
    /// 2/3.)
    package var lifetimeShare: Int
    /// The shortest lifetime within which a rotation is due.
    package var shortestRotatedLifetime: Period
    /// How long a key that was used may stay unused before a notice is sent. Nil means never.
    package var unusedAfter: Period?

    /// How long before the end of an overlap it is looked whether the old secret is still in use, longest first.
    package static let retirementNotices: [Period] = [.days(1), .seconds(3600)]

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

    /// A text that differs whenever the policy does. The store keeps it, to detect that due dates have to be computed
    /// again.
    package var fingerprint: String {
        let notices = expiryNotices.map(\.description).joined(separator: ",")
        let unused = unusedAfter?.description ?? "never"
        return
            "v1 notices=\(notices) overdue=\(overdueAfter) share=\(lifetimeShare)/\(shortestRotatedLifetime) unused=\(unused)"
    }

    /// The policy that has a fingerprint.
    ///
    /// - Returns: nil for a text that is none of this version.
    package init?(fingerprint: String) {
        let parts = fingerprint.split(separator: " ")
        guard parts.count == 5, parts[0] == "v1" else { return nil }
        func value(_ index: Int, _ name: String) -> Substring? {
            guard parts[index].hasPrefix(name + "=") else { return nil }
            return parts[index].dropFirst(name.count + 1)
        }
        func period(_ text: Substring?) -> Period? { text.flatMap { try? Period(parsing: String($0)) } }
        guard let notices = value(1, "notices"), let overdue = period(value(2, "overdue")),
            let share = value(3, "share")?.split(separator: "/"), share.count == 2, let thousandths = Int(share[0]),
            let shortest = period(share[1]), let unused = value(4, "unused")
        else { return nil }
        self.init(
            expiryNotices: notices.split(separator: ",").compactMap { period($0) }, overdueAfter: overdue,
            lifetimeShare: thousandths, shortestRotatedLifetime: shortest, unusedAfter: period(unused))
        guard self.fingerprint == fingerprint else { return nil }
    }
}
