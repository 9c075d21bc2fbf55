package import ArgumentParser
internal import KeyStore
internal import Keys

package struct CreateCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a key and show its secret, once.")

    @Argument(help: "A name that says what the key is for.")
    package var name: String?

    @Option(name: .customLong("name"), help: .hidden)
    package var nameOption: String?

    @Option(name: [.customLong("environment"), .customLong("env")], help: "live, test or sandbox.")
    package var environment: String = "live"

    @Option(help: "Whose rules it follows: keyvigil, blnk, finta, qonto, qubitro, or a profile of yours.")
    package var issuer: String = IssuerProfile.ownName

    @Option(help: "The organisation's sign-in, for issuers that have one.")
    package var signIn: String?

    @Option(help: "The role of its bearer (default: member, or the issuer's only one).")
    package var role: String?

    @OptionGroup package var properties: KeyProperties
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        guard let text = name ?? nameOption, name == nil || nameOption == nil else {
            throw InputError("give the key one name", hint: "keyvigil create NAME")
        }
        let name = try NameRules.checked(text, what: "name")
        let environment = try Keys.Environment(parsing: environment)
        let owner = try properties.ownerName()
        let permissions = try properties.permissionSet() ?? .all
        let resources = try properties.resourceScope() ?? .all
        let period = try properties.rotationPeriod()
        let expiry = try properties.expires.map { try ExpiryRequest(parsing: $0) }
        let loaded = try common.load()
        let profile = try loaded.issuers.profile(issuer)
        try profile.check(environment)
        let asked = expiry ?? profile.defaultExpiry ?? loaded.configuration.keys.defaultExpiry
        let expiresAt = try asked.resolved(at: now)
        try profile.check(expiresAt: expiresAt, at: now)
        let new = NewKey(
            name: name, owner: owner, issuer: profile.name, environment: environment,
            permissions: try profile.checked(permissions), resources: resources,
            role: try profile.checkedRole(try role.map { try NameRules.checked($0, what: "role") }),
            expiresAt: expiresAt, rotateEvery: period ?? profile.rotateEvery)
        let workspace = try common.open(create: true, at: now)
        var generator = SystemRandom()
        let issued = try workspace.store.create(
            new, shape: profile.shape, signIn: signIn, using: &generator, at: now, by: common.actor("create"))
        let presentation = KeyPresentation(workspace, now: now)
        try presentation.print(
            issued, asJSON: common.json, heading: "Created the key '\(DisplayText.escaped(issued.key.name))'.")
    }
}
