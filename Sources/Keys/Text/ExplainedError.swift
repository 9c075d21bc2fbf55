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

/// The place in the sources where an error was made, which debug builds record and print: `Keys/Instant.swift:82`.
///
/// It is no part of what an error says: all origins are equal.
package struct ErrorOrigin: Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(file: StaticString, line: UInt) { description = "\(file):\(line)" }

    package static func == (_: ErrorOrigin, _: ErrorOrigin) -> Bool { true }
}

extension ExplainedError {
    package var origin: ErrorOrigin? { nil }
    package var description: String { hint.map { "\(message) (\($0))" } ?? message }
}

/// An error for a value from a person or a file that is not acceptable.
package struct InputError: ExplainedError, Equatable {
    package let message: String
    package let hint: String?
    package let origin: ErrorOrigin?

    #if DEBUG
    package init(_ message: String, hint: String? = nil, file: StaticString = #fileID, line: UInt = #line) {
        self.message = message
        self.hint = hint
        origin = ErrorOrigin(file: file, line: line)
    }
    #else
    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
        origin = nil
    }
    #endif
}
