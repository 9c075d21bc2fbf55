internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct FindingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "findings", abstract: "List where known keys were seen, and secrets that belong to no key.",
        discussion: """
            Without a subcommand it lists them; its options are those of keyvigil findings list --help.

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
    @Flag(help: "Only secrets that belong to no key.")
    var unregistered = false
    @Flag(help: "Resolved and dismissed findings too.")
    var all = false
    @OptionGroup var on: HostOption
    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        guard key == nil || !unregistered else {
            throw InputError("--unregistered and --key exclude each other", hint: "give one of them")
        }
        let workspace = try common.open()
        let keyID = try key.map { try workspace.store.key($0).id.text }
        let host = try on.host(of: workspace.store)
        let columns = FindingPresentation.columns(inFleet: workspace.store.host != .alone)
        var listing = Listing(columns, asJSON: common.json, last: length.last)
        let issuers = workspace.loaded.issuers
        if !unregistered {
            try workspace.store.forEachFinding(
                keyID: keyID, host: host, status: all ? nil : .open, at: Workspace.now
            ) { finding in
                listing.add(
                    json: FindingPresentation.json(finding),
                    cells: FindingPresentation.cells(finding, issuers: issuers))
            }
        }
        if key == nil {
            for finding in try workspace.store.unregisteredFindings(all: all, host: host) {
                listing.add(
                    json: UnregisteredPresentation.json(finding),
                    cells: UnregisteredPresentation.cells(finding, issuers: issuers))
            }
        }
        listing.finish(empty: "no findings")
        guard !unregistered else { return }
        for places in try workspace.store.unlistedPlaces(keyID: keyID, host: host) {
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
    var finding: FindingNumber
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        switch finding {
        case .ofKey(let number): try show(number, workspace)
        case .unregistered(let number): try showUnregistered(number, workspace)
        }
    }

    private func showUnregistered(_ number: Int64, _ workspace: Workspace) throws {
        let found = try workspace.store.unregisteredFinding(number)
        let issuers = workspace.loaded.issuers
        if common.json {
            var line = UnregisteredPresentation.json(found)
            line.add("remedy", UnregisteredPresentation.remedy(for: found, issuers: issuers))
            Terminal.print(line.line)
            return
        }
        Terminal.print(
            Style(for: .standardOutput).bold("finding \(UnregisteredPresentation.number(found.id))"))
        Terminal.print(UnregisteredPresentation.details(found, issuers: issuers))
    }

    private func show(_ number: Int64, _ workspace: Workspace) throws {
        let found = try workspace.store.finding(number, at: Workspace.now)
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
        commandName: "dismiss", abstract: "Set a finding aside: it raises no more alerts.")

    @Argument(help: "The number of the finding.")
    var finding: FindingNumber
    @Option(help: "Why, for the audit.")
    var reason: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let reason = try NameRules.checked(reason, what: "reason")
        let workspace = try common.open()
        try workspace.refuseSecrets(in: [("reason", reason)])
        let actor = common.actor("findings dismiss")
        switch finding {
        case .ofKey(let number):
            try workspace.ledger.dismissFinding(number, reason: reason, at: Workspace.now, by: actor)
        case .unregistered(let number):
            try workspace.ledger.dismissUnregistered(number, reason: reason, at: Workspace.now, by: actor)
        }
        if !common.json { Terminal.report("Dismissed the finding \(finding.text).") }
    }
}

/// The number of a finding: `12` of a key, `U3` of a secret that belongs to none.
enum FindingNumber: ExpressibleByArgument {
    case ofKey(Int64)
    case unregistered(Int64)

    init?(argument: String) {
        if argument.first == "U" || argument.first == "u" {
            guard let number = Int64(argument.dropFirst()) else { return nil }
            self = .unregistered(number)
        } else {
            guard let number = Int64(argument) else { return nil }
            self = .ofKey(number)
        }
    }

    var text: String {
        switch self {
        case .ofKey(let number): "\(number)"
        case .unregistered(let number): UnregisteredPresentation.number(number)
        }
    }
}
