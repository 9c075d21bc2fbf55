/// The answer of an issuer to the question whether it accepts a secret.
package enum IssuerAnswer: Hashable, Sendable {
    case accepted
    case refused
    /// The issuer did not answer, or its answer decides nothing. The reason is text for people.
    case unknown(String)

    /// The word in output and JSON: `accepted`, `refused` or `unknown`.
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
    /// A conclusive answer.
    package enum Decision: String, CaseIterable, Hashable, Sendable {
        case accepted, refused
    }

    /// The last conclusive answer, and when it was given.
    package var decision: Decision?
    package var decidedAt: Instant?
    /// Why the last check was inconclusive, and when it was made; nil if it was conclusive.
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

    /// The record after another answer. An inconclusive answer keeps the last conclusive one.
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

    /// The word for the outcome: `accepted`, `refused`, `unknown` if no check was conclusive; nil if none was made.
    package var word: String? { decision?.rawValue ?? (problem == nil ? nil : "unknown") }
}
