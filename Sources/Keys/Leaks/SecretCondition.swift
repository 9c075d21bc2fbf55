/// What is known of a secret: its recorded state, its origin, and what its issuer answered.
package struct SecretCondition: Hashable, Sendable {
    package let origin: KeyOrigin
    /// The recorded state.
    package let grade: SecretGrade
    /// When the recorded state began; nil if it is not recorded.
    package let since: Instant?
    package let check: CheckRecord

    package init(origin: KeyOrigin, grade: SecretGrade, since: Instant?, check: CheckRecord) {
        self.origin = origin
        self.grade = grade
        self.since = since
        self.check = check
    }

    /// How dangerous it is that someone else has the secret.
    package enum Danger: Int, Hashable, Comparable, Sendable {
        /// It no longer works: the store refuses it, or its issuer answered that it does.
        case none
        /// A person recorded that it ended. Whether its issuer refuses it was not checked since.
        case unconfirmed
        /// It works, as far as is known.
        case live

        package static func < (first: Danger, second: Danger) -> Bool { first.rawValue < second.rawValue }
    }

    /// The record decides for an issued secret. A held secret counts as harmless only when its issuer has refused it: a
    /// record that it ended is a person's statement, and an earlier acceptance says nothing about the time since.
    package var danger: Danger {
        guard origin == .held else { return grade.isLive ? .live : .none }
        switch check.decision {
        case .refused: return .none
        case .accepted where isCheckNewer: return .live
        case .accepted, nil: return grade.isLive ? .live : .unconfirmed
        }
    }

    /// Whether the last conclusive check is not older than the recorded state.
    private var isCheckNewer: Bool {
        guard let decidedAt = check.decidedAt else { return false }
        return since.map { decidedAt >= $0 } ?? true
    }

    /// What is known, as the end of a sentence: `current`, `said to be revoked at Qonto on 2026-11-28T10:00:00Z; not
    /// checked since`.
    ///
    /// - Parameter issuer: the issuer's title.
    package func words(issuer: String) -> String {
        guard origin == .held else { return grade.rawValue }
        switch check.decision {
        case .refused: return "refused by \(issuer) at \(check.decidedAt?.description ?? "an unknown time")"
        case .accepted where isCheckNewer:
            return "accepted by \(issuer) at \(check.decidedAt?.description ?? "an unknown time")"
        case .accepted, nil: break
        }
        let on = since.map { " on \($0)" } ?? ""
        let checked = check.checkedAt == nil ? "not checked" : "not checked since"
        return switch grade {
        case .current:
            "current by the record; \(check.checkedAt == nil ? "not checked" : "the last check gave no answer")"
        case .retiring: "being replaced, by the record; \(checked)"
        case .retired: "said to be replaced at \(issuer)\(on); \(checked)"
        case .revoked: "said to be revoked at \(issuer)\(on); \(checked)"
        case .expired: "past its recorded expiry\(since.map { " of \($0)" } ?? ""); \(checked)"
        case .deleted: "deleted from the inventory\(on), which revokes nothing at \(issuer); \(checked)"
        }
    }
}

extension Key {
    /// What is known of the current secret, or of the last one of a key that has ended.
    package func condition(at now: Instant) -> SecretCondition {
        let grade: SecretGrade =
            switch status(at: now) {
            case .active: .current
            case .expired: .expired
            case .revoked: .revoked
            case .deleted: .deleted
            }
        return SecretCondition(origin: origin, grade: grade, since: endedAt(at: now), check: check)
    }
}
