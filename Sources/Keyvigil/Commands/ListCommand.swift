internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct ListCommand: ReadVerb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys; revoked and expired ones stay listed.",
        discussion: """
            Examples:
                keyvigil list --flag rotation_due
                keyvigil list --owner ana --json
            """)

    @Option(
        help: "Only keys of this status: active, expired, revoked or deleted.",
        completion: .list(KeyStatus.allCases.map(\.rawValue)))
    var status: String?

    @Option(help: "Only keys of this owner.")
    var owner: String?

    @Option(help: "Only keys of this issuer.")
    var issuer: String?

    @Option(name: [.customLong("environment"), .customLong("env")], help: "Only keys of this environment.")
    var environment: String?

    @Option(
        help: "Only keys that are issued here, or held from another issuer: issued or held.",
        completion: .list(["issued", "held"]))
    var origin: String?

    @Option(help: "Only credentials of this kind: api_key or oauth_consent.")
    var kind: String?

    @Option(
        help: "Only keys with this flag, such as rotation_due or expiring.",
        completion: .list(HygieneFlag.allCases.map(\.rawValue)))
    var flag: String?

    @Flag(help: "Deleted keys too.")
    var all = false

    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func show() throws {
        let now = Workspace.now
        var filter = KeyFilter()
        filter.status = try status.map { try InputError.word($0, "status", KeyStatus.self) }
        let flag = try flag.map { try InputError.word($0, "flag", HygieneFlag.self) }
        filter.owner = owner
        filter.issuer = issuer
        filter.environment = try environment.map { try KeyEnvironment(parsing: $0) }
        filter.origin = try origin.map { try InputError.word($0, "origin", KeyOrigin.self) }
        filter.kind = try kind.map { try InputError.word($0, "kind of credential", KeyKind.self) }
        filter.includesDeleted = all
        let workspace = try common.open(at: now)
        let presentation = KeyPresentation(workspace, now: now)
        var listing = Listing(Self.columns, asJSON: common.json, last: length.last)
        if let issuer { try require(issuer, in: workspace, at: now) }
        try workspace.store.forEachKey(filter, at: now) { key in
            if let flag, !presentation.verdicts(on: key).contains(where: { $0.flag == flag }) { return }
            listing.add(json: presentation.json(key), cells: cells(key, presentation, now))
        }
        listing.finish(empty: "no keys")
    }

    /// Refuses an issuer that neither a profile nor a key has.
    private func require(_ issuer: String, in workspace: Workspace, at now: Instant) throws {
        guard workspace.loaded.issuers[issuer] == nil else { return }
        var filter = KeyFilter()
        filter.issuer = issuer
        filter.includesDeleted = true
        var isKnown = false
        try workspace.store.forEachKey(filter, at: now) { _ in isKnown = true }
        if !isKnown { _ = try workspace.loaded.issuers.profile(issuer) }
    }

    /// In the order of a wide table; the narrower the terminal, the fewer are shown.
    private static let columns: [TextTable.Column] = [
        .init("ID", rank: 4), .init("NAME", isCut: true), .init("OWNER", rank: 2, isCut: true),
        .init("ORIGIN", rank: 8),
        .init("ISSUER", rank: 5), .init("ENV", rank: 6), .init("PREFIX", rank: 3), .init("SCOPE", rank: 9, isCut: true),
        .init("ACTIONS", rank: 7, isCut: true), .init("STATUS", isCut: true), .init("EXPIRES"),
        .init("FLAGS", rank: 1, isCut: true),
    ]

    private func cells(_ key: Key, _ presentation: KeyPresentation, _ now: Instant) -> [String] {
        [
            key.id.text, key.name, key.owner ?? "-", key.origin.rawValue, key.issuer, key.environment.rawValue,
            key.prefix, key.resources.summary, key.permissions.permissions.joined(separator: " "),
            presentation.statusWords(key), expiry(key, now),
            presentation.verdicts(on: key).map(\.flag.rawValue).joined(separator: " "),
        ]
    }

    private func expiry(_ key: Key, _ now: Instant) -> String {
        guard let at = key.expiresAt else { return "never" }
        return common.utc ? "\(at)" : DateText.distance(to: at, from: now)
    }
}
