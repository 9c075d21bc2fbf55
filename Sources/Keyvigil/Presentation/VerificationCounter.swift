internal import Keys
internal import Synchronization

/// Counts the answers to verifications, in memory: since the start of the process, and of no key or caller apart.
final class VerificationCounter: Sendable {
    /// An answer: a code, or why there is none.
    enum Answer: Hashable, Sendable {
        case code(VerdictCode)
        /// The request cannot be answered, by a mistake in how the proxy asks.
        case malformed
        /// The store cannot be read.
        case unavailable

        static let all = VerdictCode.allCases.map(Answer.code) + [.malformed, .unavailable]

        /// The value of the label.
        var word: String {
            switch self {
            case .code(let code): code.rawValue.lowercased()
            case .malformed: "malformed"
            case .unavailable: "unavailable"
            }
        }
    }

    private let counts = Mutex<[Answer: Int]>([:])

    func note(_ answer: Answer) { counts.withLock { $0[answer, default: 0] += 1 } }

    /// The number of each answer.
    var snapshot: [Answer: Int] { counts.withLock { $0 } }
}
