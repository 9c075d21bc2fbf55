package import Errors

/// An error for a value from a person or a file that is not acceptable.
package struct InputError: ExplainedError, Equatable {
    package let message: String
    package let hint: String?
    package let origin: ErrorOrigin?

    package init(_ message: String, hint: String? = nil, file: StaticString = #fileID, line: UInt = #line) {
        self.message = message
        self.hint = hint
        origin = ErrorOrigin(file: file, line: line)
    }

    /// An error in other words, made where the original was.
    package init(_ message: String, hint: String?, origin: ErrorOrigin?) {
        self.message = message
        self.hint = hint
        self.origin = origin
    }
}
