internal import HTTP
internal import Keys
internal import Synchronization

/// Asks the daemon what a hook has to know. After the first question that is not answered, it asks no further ones.
final class HookQuestions: Sendable {
    /// Why the daemon has not answered.
    struct Unanswered: Error {
        let reason: String
    }

    /// What the daemon says of a secret.
    struct Answer: Sendable {
        /// Of the visible prefix, in bytes.
        let prefixLength: Int
        let keyName: String
        let state: SecretGrade
    }

    private struct State {
        let client: HTTPClient
        var failure: Unanswered?
        /// What was asked; nil: it is no secret of the store.
        var answers: [SecretHash: Answer?] = [:]
    }

    /// More answers are not kept at once.
    private static let mostAnswers = 4096

    private let state: Mutex<State>

    /// - Parameter patience: how long an answer may take.
    init(socket path: String, patience: Period) {
        state = Mutex(State(client: HTTPClient(socket: path, milliseconds: Int(patience.milliseconds))))
    }

    /// The starts of prefixes, as a list for hooks has them, with the key of the digests and without any secret.
    func starts() throws(Unanswered) -> String {
        try state.withLock { (state) throws(Unanswered) in try Self.ask(state.client, "GET") }
    }

    /// Whether a digest is that of a secret of the store.
    func answer(_ hash: SecretHash) -> Answer? {
        state.withLock { state in
            if let known = state.answers[hash] { return known }
            guard state.failure == nil else { return nil }
            do throws(Unanswered) {
                let question = Array((Hexadecimal.text(hash.bytes[...]) + "\n").utf8)
                let verdict = try Self.parse(try Self.ask(state.client, "POST", body: question))
                if state.answers.count >= Self.mostAnswers { state.answers.removeAll(keepingCapacity: true) }
                state.answers[hash] = .some(verdict)
                return verdict
            } catch {
                state.failure = error
                return nil
            }
        }
    }

    private static func ask(
        _ client: HTTPClient, _ method: String, body: [UInt8] = []
    ) throws(Unanswered) -> String {
        let answer: HTTPClient.Answer
        do { answer = try client.ask(method, "/hook", body: body) } catch { throw Unanswered(reason: "\(error)") }
        guard answer.status == 200 else {
            throw Unanswered(reason: DisplayText.escaped("the daemon says: \(answer.text)", limit: 200))
        }
        return answer.text
    }

    /// Throws what kept a question from being answered: the answers since then are none.
    func check() throws(Unanswered) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private static func parse(_ line: String) throws(Unanswered) -> Answer? {
        let words = line.split(whereSeparator: \.isWhitespace)
        if words == ["-"] { return nil }
        guard words.count == 3, let length = Int(words[0]), let state = SecretGrade(rawValue: String(words[1])),
            let name = HTTPHeaderText.decoded(words[2])
        else { throw Unanswered(reason: "the daemon's answer is not understood") }
        return Answer(prefixLength: length, keyName: name, state: state)
    }
}
