/// An error with a message for a person: what happened, and what to do next.
///
/// Both texts are lowercase, without a full stop, and free of secrets, so that they can be shown as
/// `keyvigil: error: …` and `hint: …` or put into a journal entry.
package protocol ExplainedError: Error, CustomStringConvertible {
    /// What happened.
    var message: String { get }
    /// What to do next, or nil if there is no useful advice.
    var hint: String? { get }
    /// Where it was made, or nil if that is not recorded.
    var origin: ErrorOrigin? { get }
}

extension ExplainedError {
    package var origin: ErrorOrigin? { nil }
    package var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
