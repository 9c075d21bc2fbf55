internal import ArgumentParser
internal import Errors
internal import Keys

/// A command line that cannot be read. The argument parser says what is wrong only in sentences of its own; what they are about
/// is said in ours.
struct UsageError: ExplainedError {
    let message: String
    let hint: String?

    /// - Parameters:
    ///   - sentence: the parser's, such as `Unknown option '--jsno'. Did you mean '--json'?`
    ///   - help: the command that prints the help, such as `keyvigil list --help`.
    ///   - arguments: the command line.
    init(_ sentence: String, help: String, arguments: [String] = []) {
        let seeHelp = "see which there are: \(help)"
        if let found = sentence.wholeMatch(
            of: #/Unknown option '(.*?)'(\. Did you mean '(.*)'\?)?/#.dotMatchesNewlines())
        {
            message = "there is no option '\(found.1)'"
            hint = found.3.map { "did you mean '\($0)'? All of them: \(help)" } ?? seeHelp
        } else if let found = sentence.wholeMatch(of: #/Missing value for '(\S+).*'/#) {
            message = "the option '\(found.1)' needs a value"
            hint = "see which: \(help)"
        } else if let found = sentence.wholeMatch(
            of: #/The option '(.*?)' does not take any value, but '.*' was specified\.?/#.dotMatchesNewlines())
        {
            message = "the option '\(found.1)' takes no value"
            hint = "give it alone; see: \(help)"
        } else if let found = sentence.wholeMatch(
            of: #/(?:Unexpected argument|\d+ unexpected arguments:) ('.*')/#.dotMatchesNewlines())
        {
            message = "there is more than is expected: \(found.1)"
            hint = "see what is expected, and quote what holds blanks: \(help)"
        } else if sentence.hasPrefix("Missing "), let number = arguments.first(where: { $0.contains(#/^-\d/#) }) {
            message = "\(DisplayText.quoted(number)) begins with a hyphen, as options do"
            hint = "see what is expected: \(help)"
        } else if let found = sentence.wholeMatch(of: #/Missing (?:expected argument|one of:) '(.*)'/#) {
            message = "something is missing: \(found.1.replacing("', '", with: " or "))"
            hint = "see what is expected: \(help)"
        } else if let found = sentence.wholeMatch(
            of: #/The value '(.*)' is invalid for '(\S+?)(?: <.*?>)?'(?:\. Please provide one of (.*?)|: .*)?\.?/#
                .dotMatchesNewlines())
        {
            let name = found.2.trimmingPrefix("<")
            message = "'\(found.1)' is no value of '\(name.last == ">" ? name.dropLast() : name)'"
            hint = found.3.map { "give \($0)" } ?? "see what it takes: \(help)"
        } else {
            var text = sentence.split(separator: "\n", maxSplits: 1).first ?? sentence[...]
            while text.last == "." { text.removeLast() }
            message = text.prefix(1).lowercased() + text.dropFirst()
            hint = "see: \(help)"
        }
    }

    /// - Parameter root: the command whose parser has thrown the error.
    init?(_ error: any Error, of root: any ParsableCommand.Type) {
        let sentence = root.message(for: error)
        guard !sentence.isEmpty else { return nil }
        let program = root.configuration.commandName ?? "keyvigil"
        let help = root.fullMessage(for: error).firstMatch(of: #/See '(.* --help)' for more information/#)
        self.init(
            sentence, help: help.map { String($0.1) } ?? "\(program) --help",
            arguments: Array(CommandLine.arguments.dropFirst()))
    }
}
