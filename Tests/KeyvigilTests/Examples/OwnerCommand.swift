import ArgumentParser
import KeyStore
import Keys

@testable import Keyvigil

/// A verb: `keyvigil owner KEY` prints who is responsible for a key.
struct OwnerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "owner", abstract: "Print who is responsible for a key.")

    @OptionGroup var selected: KeyArgument
    @OptionGroup var common: CommonOptions

    func run() throws {
        let key = try common.open().store.key(selected.key)
        Terminal.print(text(for: key))
    }

    /// One line: JSON, or text for people, in which text from outside is escaped.
    func text(for key: Key) -> String {
        guard common.json else { return key.owner.map { DisplayText.escaped($0) } ?? "-" }
        var line = JSONLine()
        line.add("id", key.id.text)
        line.add("owner", key.owner)
        return line.line
    }
}
