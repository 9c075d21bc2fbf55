internal import CLinux
internal import Keys
internal import SystemPackage

/// Asks a person before something that cannot be undone.
enum Confirmation {
    /// - Throws: ``InputError`` where the answer is not yes, or where nobody can be asked.
    static func ask(_ question: String) throws {
        guard isatty(FileDescriptor.standardInput.rawValue) == 1 else {
            throw InputError("this cannot be undone and nobody can be asked", hint: "give --yes if you are sure")
        }
        Terminal.say("\(question) [y/N] ", terminator: "")
        let answer = readLine() ?? ""
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw InputError("nothing was changed", hint: "answer y, or give --yes")
        }
    }
}
