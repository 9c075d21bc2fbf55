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

    @Option(help: "Who issues it.")
    package var issuer: String = "keyvigil"

    @Option(help: "The role of its bearer.")
    package var role: String = "member"

    @OptionGroup package var properties: KeyProperties
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        guard let text = name ?? nameOption, name == nil || nameOption == nil else {
            throw InputError("give the key one name", hint: "keyvigil create NAME")
        }
        guard issuer == "keyvigil" else {
            throw InputError(
                "secrets of the issuer '\(DisplayText.escaped(issuer, limit: 64))' are not made here",
                hint: "create the key there")
        }
        var new = NewKey(
            name: try NameRules.checked(text, what: "name"), owner: try properties.ownerName(), issuer: issuer,
            environment: try Keys.Environment(parsing: environment), role: try NameRules.checked(role, what: "role"))
        if let permissions = try properties.permissionSet() { new.permissions = permissions }
        if let resources = try properties.resourceScope() { new.resources = resources }
        if let period = try properties.rotationPeriod() { new.rotateEvery = period }
        let expiry = try properties.expires.map { try ExpiryRequest(parsing: $0) }
        let workspace = try common.open(create: true, at: now)
        let settings = workspace.configuration.keys
        new.expiresAt = try (expiry ?? settings.defaultExpiry).resolved(at: now)
        var generator = SystemRandomNumberGenerator()
        let issued = try workspace.store.create(
            new, format: try SecretFormat(brand: settings.brand), using: &generator, at: now, by: common.actor("create")
        )
        let presentation = KeyPresentation(configuration: workspace.configuration, now: now)
        try presentation.print(
            issued, asJSON: common.json, heading: "Created the key '\(DisplayText.escaped(issued.key.name))'.")
    }
}
