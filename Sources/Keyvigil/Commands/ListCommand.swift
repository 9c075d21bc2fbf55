internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys; revoked and expired ones stay listed.",
        discussion: """
            Examples:
                keyvigil list --flag rotation_due
                keyvigil list --owner ana --json
            """)

    @Option(help: "Only keys of this status: active, expired, revoked or deleted.")
    var status: String?

    @Option(help: "Only keys of this owner.")
    var owner: String?

    @Option(help: "Only keys of this issuer.")
    var issuer: String?

    @Option(name: [.customLong("environment"), .customLong("env")], help: "Only keys of this environment.")
    var environment: String?

    @Option(help: "Only keys that are issued here, or held from another issuer: issued or held.")
    var origin: String?

    @Option(help: "Only credentials of this kind: api_key or oauth_consent.")
    var kind: String?

    @Option(help: "Only keys with this flag, such as rotation_due or expiring.")
    var flag: String?

    @Flag(help: "Deleted keys too.")
    var all = false

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        var filter = KeyFilter()
        filter.status = try status.map { try InputError.word($0, "status", KeyStatus.self) }
        let flag = try flag.map { try InputError.word($0, "flag", HygieneFlag.self) }
        filter.owner = owner
        filter.issuer = issuer
        filter.environment = try environment.map { try Keys.Environment(parsing: $0) }
        filter.origin = try origin.map { try InputError.word($0, "origin", KeyOrigin.self) }
        filter.kind = try kind.map { try InputError.word($0, "kind of credential", KeyKind.self) }
        filter.includesDeleted = all
        let workspace = try common.open(at: now)
        let presentation = KeyPresentation(workspace, now: now)
        var table = TextTable(
            [
                "ID", "NAME", "OWNER", "ORIGIN", "ISSUER", "ENV", "PREFIX", "SCOPE", "ACTIONS", "STATUS", "EXPIRES",
                "FLAGS",
            ], style: Style(for: .standardOutput))
        try workspace.store.forEachKey(filter, at: now) { key in
            if let flag, !presentation.verdicts(on: key).contains(where: { $0.flag == flag }) { return }
            if common.json {
                Terminal.print(presentation.json(key).line)
            } else {
                table.add([
                    key.id.text, key.name, key.owner ?? "-", key.origin.rawValue, key.issuer, key.environment.rawValue,
                    key.prefix, key.resources.summary, key.permissions.permissions.joined(separator: " "),
                    presentation.statusWords(key), key.expiresAt?.description ?? "never",
                    presentation.verdicts(on: key).map(\.flag.rawValue).joined(separator: " "),
                ])
            }
        }
        if !common.json, !table.finish() { Terminal.say("no keys") }
    }
}
