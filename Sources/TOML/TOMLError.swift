/// Why a text is not TOML 1.0, where, and what to write instead. It quotes names, in a form that no terminal obeys, and
/// never a value.
package struct TOMLError: Error, Sendable, Equatable {
    /// The first byte that cannot be accepted, or the start of what is not closed.
    package let position: TOMLPosition
    /// What is wrong, as part of a sentence: `expected a value`.
    package let reason: String
    /// What to write instead.
    package let hint: String

    init(_ reason: String, at position: TOMLPosition, hint: String) {
        self.position = position
        self.reason = reason
        self.hint = hint
    }
}

extension TOMLError: CustomStringConvertible {
    /// `LINE:COLUMN: REASON; HINT`, ready to follow `FILE:`.
    package var description: String { "\(position.line):\(position.column): \(reason); \(hint)" }
}
