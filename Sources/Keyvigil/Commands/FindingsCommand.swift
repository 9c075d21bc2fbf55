package import ArgumentParser
internal import KeyStore
internal import Keys

package struct FindingsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "findings", abstract: "List where known keys were seen.",
        subcommands: [FindingsListCommand.self, FindingsDismissCommand.self],
        defaultSubcommand: FindingsListCommand.self)

    package init() {}
}

package struct FindingsListCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List findings, oldest first.")

    @Option(help: "Only findings of this key.")
    package var key: String?
    @Flag(help: "Resolved and dismissed findings too.")
    package var all = false
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let workspace = try common.open()
        let keyID = try key.map { try workspace.store.key($0).id.text }
        var isEmpty = true
        try workspace.store.forEachFinding(keyID: keyID, status: all ? nil : .open) { finding in
            isEmpty = false
            Terminal.print(common.json ? FindingPresentation.json(finding).line : FindingPresentation.sentence(finding))
        }
        if isEmpty, !common.json { Terminal.say("no findings") }
    }
}

package struct FindingsDismissCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "dismiss", abstract: "Set a finding aside: it raises no alarm any more.")

    @Argument(help: "The number of the finding.")
    package var finding: Int64
    @Option(help: "Why, for the audit.")
    package var reason: String
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let reason = try NameRules.checked(reason, what: "reason")
        let workspace = try common.open()
        try workspace.store.dismissFinding(
            finding, reason: reason, at: Workspace.now, by: common.actor("findings dismiss"))
        if !common.json { Terminal.print("Dismissed the finding \(finding).") }
    }
}
