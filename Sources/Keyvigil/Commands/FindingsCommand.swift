internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct FindingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "findings", abstract: "List where known keys were seen.",
        discussion: """
            Examples:
                keyvigil findings --key billing
                keyvigil findings dismiss 12 --reason 'a test key'
            """,
        subcommands: [FindingsListCommand.self, FindingsShowCommand.self, FindingsDismissCommand.self],
        defaultSubcommand: FindingsListCommand.self)

    init() {}
}

struct FindingsListCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List findings, oldest first.")

    @Option(help: "Only findings of this key.", completion: KeyCompletion.kind)
    var key: String?
    @Flag(help: "Resolved and dismissed findings too.")
    var all = false
    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        let keyID = try key.map { try workspace.store.key($0).id.text }
        var listing = Listing(FindingPresentation.columns, asJSON: common.json, last: length.last)
        try workspace.store.forEachFinding(keyID: keyID, status: all ? nil : .open, at: Workspace.now) { finding in
            listing.add(
                json: FindingPresentation.json(finding),
                cells: FindingPresentation.cells(finding, issuers: workspace.loaded.issuers))
        }
        listing.finish(empty: "no findings")
        for places in try workspace.store.unlistedPlaces(keyID: keyID) {
            Terminal.print(
                common.json ? FindingPresentation.json(places).line : FindingPresentation.sentence(places))
        }
    }
}

struct FindingsShowCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all that is known of one finding, and what to do about it.")

    @Argument(help: "The number of the finding.")
    var finding: Int64
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        let found = try workspace.store.finding(finding, at: Workspace.now)
        let key = try workspace.store.key(found.keyID)
        let remedy = FindingPresentation.remedy(for: found, key: key, issuers: workspace.loaded.issuers)
        if common.json {
            var line = FindingPresentation.json(found)
            line.add("remedy", remedy)
            Terminal.print(line.line)
            return
        }
        Terminal.print(Style(for: .standardOutput).bold("finding \(found.id)"))
        Terminal.print(
            FindingPresentation.details(found, remedy: remedy, issuers: workspace.loaded.issuers))
    }
}

struct FindingsDismissCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "dismiss", abstract: "Set a finding aside: it raises no alarm any more.")

    @Argument(help: "The number of the finding.")
    var finding: Int64
    @Option(help: "Why, for the audit.")
    var reason: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let reason = try NameRules.checked(reason, what: "reason")
        let workspace = try common.open()
        try workspace.refuseSecrets(in: [("reason", reason)])
        try workspace.ledger.dismissFinding(
            finding, reason: reason, at: Workspace.now, by: common.actor("findings dismiss"))
        if !common.json { Terminal.report("Dismissed the finding \(finding).") }
    }
}
