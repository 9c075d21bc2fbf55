package import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

package struct ShowCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one key, what is not clean about it, and where it was seen.")

    @OptionGroup package var selected: KeyArgument
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        let key = try workspace.store.key(selected.key)
        let presentation = KeyPresentation(workspace, now: now)
        if common.json {
            Terminal.print(presentation.json(key).line)
            return
        }
        let style = Style(for: .standardOutput)
        Terminal.print(style.bold("key '\(DisplayText.escaped(key.name))'"))
        Terminal.print(presentation.details(key))
        let hygiene = presentation.hygiene(key, style: style)
        if !hygiene.isEmpty { Terminal.print(style.bold("to do") + "\n" + hygiene) }
        var isFirst = true
        try workspace.store.forEachFinding(keyID: key.id.text) { finding in
            if isFirst { Terminal.print(style.bold("seen")) }
            isFirst = false
            Terminal.print("  " + FindingPresentation.sentence(finding))
        }
    }
}
