internal import Keys

/// Asks a person before something that cannot be undone.
enum Confirmation {
    /// - Parameters:
    ///   - option: what answers yes in scripts.
    ///   - refusal: the error where there is no terminal to ask at.
    /// - Throws: ``InputError`` where the answer is not yes, or where there is no terminal.
    static func ask(_ question: String, option: String = "--yes", refusal: InputError? = nil) throws {
        guard SecretInput.isTerminal else {
            throw refusal
                ?? InputError(
                    "this cannot be undone, and there is no terminal to ask at", hint: "give \(option) if you are sure")
        }
        Terminal.ask("\(question) [y/N] ")
        let answer = readLine() ?? ""
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw InputError("nothing was changed", hint: "answer y, or give \(option)")
        }
    }
}
