/// What an issuer answers when it is asked whether it accepts a secret.
package enum IssuerAnswer: Hashable, Sendable {
    case accepted
    case refused
    /// There was no answer that decides; the reason is for people.
    case unknown(String)

    /// The word in output: `accepted`, `refused` or `unknown`.
    package var word: String {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused"
        case .unknown: "unknown"
        }
    }
}

/// What is known of a secret from asking its issuer.
package struct CheckRecord: Hashable, Sendable {
    /// An answer that decides.
    package enum Decision: String, CaseIterable, Hashable, Sendable {
        case accepted, refused
    }

    /// The last answer that decides, and when it was given.
    package var decision: Decision?
    package var decidedAt: Instant?
    /// Why the last check gave no answer, and when; nil where the last check decided.
    package var problem: String?
    package var problemAt: Instant?

    package init(
        decision: Decision? = nil, decidedAt: Instant? = nil, problem: String? = nil, problemAt: Instant? = nil
    ) {
        self.decision = decision
        self.decidedAt = decidedAt
        self.problem = problem
        self.problemAt = problemAt
    }

    package static let none = CheckRecord()

    /// The record after one more answer. An answer that does not decide leaves the last one that does.
    package func adding(_ answer: IssuerAnswer, at now: Instant) -> CheckRecord {
        switch answer {
        case .accepted: CheckRecord(decision: .accepted, decidedAt: now)
        case .refused: CheckRecord(decision: .refused, decidedAt: now)
        case .unknown(let why):
            CheckRecord(decision: decision, decidedAt: decidedAt, problem: why, problemAt: now)
        }
    }

    /// When the issuer was last asked.
    package var checkedAt: Instant? { [decidedAt, problemAt].compactMap(\.self).max() }

    /// The word for the outcome: `accepted`, `refused`, `unknown` where no check has decided; nil where none was made.
    package var word: String? { decision?.rawValue ?? (problem == nil ? nil : "unknown") }
}
