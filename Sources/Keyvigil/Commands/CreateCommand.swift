internal import ArgumentParser
internal import KeyStore
internal import Keys

struct CreateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a key and show its secret, once; or record one that another issuer made.",
        discussion: """
            Without --held the secret is made here and verified here, in the shape and by the rules of the issuer's profile: no other \
            issuer knows it. With --held a key that another issuer made is recorded: its secret is read from standard input or a \
            prompt and hashed, or its visible prefix alone is kept.

            Examples:
                keyvigil create billing --owner ana --permission read --expires 90d
                keyvigil create bank --held --issuer qonto --owner ana
            """)

    @Argument(help: "A name that says what the key is for.")
    var name: String?

    @Option(name: .customLong("name"), help: .hidden)
    var nameOption: String?

    @Option(
        name: [.customLong("environment"), .customLong("env")], help: "live, test or sandbox.",
        completion: .list(["live", "test", "sandbox"]))
    var environment: String = "live"

    @Option(
        help:
            "Whose rules it follows, or with --held who made it: keyvigil, a provider such as github or aws, external, or a profile of yours (default: keyvigil)."
    )
    var issuer: String?

    @Option(help: "The organisation's sign-in, for issuers that have one.")
    var signIn: String?

    @Option(help: "The role of its bearer (default: member, or the issuer's only one).")
    var role: String?

    @Flag(help: "Record a key that another issuer made.")
    var held = false

    @Option(
        help:
            "With --held: the visible start of the secret, as the issuer's list shows it; without it the secret is read."
    )
    var prefix: String?

    @Flag(help: "With --held: read the secret from standard input, also where that is a terminal.")
    var secretStdin = false

    @Option(help: "With --held: api_key or oauth_consent.")
    var kind: String?

    @Option(help: "With --held: the OAuth client of a consent.")
    var client: String?

    @Option(help: "With --held: when the issuer made it, such as 2026-01-31.")
    var created: String?

    @Option(
        help: "A file in which it is meant to be, by its whole path. May be given several times; see keyvigil expect.")
    var expected: [String] = []

    @OptionGroup var properties: KeyProperties
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        guard let text = name ?? nameOption, name == nil || nameOption == nil else {
            throw InputError("give the key one name", hint: "keyvigil create NAME")
        }
        let name = try NameRules.checked(text, what: "name")
        guard !held else {
            try record(name, at: now)
            return
        }
        guard prefix == nil, !secretStdin, kind == nil, client == nil, created == nil else {
            throw InputError(
                "--prefix, --secret-stdin, --kind, --client and --created are for keys that another issuer made",
                hint: "give --held too, or leave them out")
        }
        let environment = try KeyEnvironment(parsing: environment)
        let owner = try properties.ownerName()
        let permissions = try properties.permissionSet() ?? .all
        let resources = try properties.resourceScope() ?? .all
        let period = try properties.rotationPeriod()
        let expiry = try properties.expires.map { try ExpiryRequest(parsing: $0) }
        let loaded = try common.load()
        let profile = try loaded.issuers.profile(issuer ?? IssuerProfile.ownName)
        try profile.check(environment)
        let policy = loaded.configuration.hygiene.keys
        let asked = expiry ?? policy.bounded(profile.defaultExpiry ?? loaded.configuration.keys.defaultExpiry)
        let expiresAt = try asked.resolved(at: now)
        try profile.check(expiresAt: expiresAt, at: now)
        try policy.check(owner: owner)
        try policy.check(expiresAt: expiresAt, from: now)
        let rotateEvery = profile.rotateEvery ?? (expiresAt == nil ? loaded.configuration.keys.rotateEvery : nil)
        let new = NewKey(
            name: name, owner: owner, issuer: profile.name, environment: environment,
            permissions: try profile.checked(permissions), resources: resources,
            role: try profile.checkedRole(try role.map { try NameRules.checked($0, what: "role") }),
            expiresAt: expiresAt, rotateEvery: period ?? rotateEvery,
            notes: try properties.notesText(), expected: try ExpectedPath.checked(expected))
        let workspace = try common.open(loaded, create: true, at: now)
        try workspace.refuseSecrets(
            in: [("name", new.name), ("role", new.role)] + properties.recordedTexts + expected.map { ("path", $0) })
        var generator = SystemRandom()
        let issued = try workspace.ledger.create(
            new, shape: profile.shape, signIn: signIn, using: &generator, at: now, by: common.actor("create"))
        if profile.name != IssuerProfile.ownName, profile.rotateSteps != nil || profile.check != nil {
            Terminal.note(
                "keyvigil: note: this secret is made and verified here; \(profile.title) does not know it. A key that "
                    + "\(profile.title) made is recorded with --held")
        }
        let presentation = KeyPresentation(workspace, now: now)
        if issued.key.permissions == .all, issued.key.resources == .all {
            Terminal.note(
                "keyvigil: note: this key may do everything, everywhere; to limit it: keyvigil edit \(issued.key.id) "
                    + "--permission NAME")
        }
        try presentation.print(
            issued, asJSON: common.json, heading: "Created the key \(DisplayText.quoted(issued.key.name)).")
    }

    /// Records a key that another issuer made, by the same rules as an import.
    private func record(_ name: String, at now: Instant) throws {
        guard let issuer else {
            throw InputError(
                "the issuer is missing",
                hint: "name who made the key: --issuer NAME, or --issuer external without a profile")
        }
        var fields = ImportLine()
        func add(_ field: ImportLine.Field, _ text: String?) throws(InputError) {
            guard let text else { return }
            var value = Secret(capacity: text.utf8.count)
            value.append(contentsOf: text.utf8)
            try fields.set(field, value)
        }
        try add(.name, name)
        try add(.issuer, issuer)
        try add(.origin, KeyOrigin.held.rawValue)
        try add(.environment, environment)
        try add(.owner, properties.owner)
        for permission in properties.permissions { try add(.permissions, permission) }
        for resource in properties.resources { try add(.resources, resource.replacing(",", with: ";")) }
        for path in expected { try add(.expected, path) }
        try add(.role, role)
        try add(.expiresAt, try expiryText(at: now))
        try add(.rotateEvery, properties.rotateEvery)
        try add(.createdAt, created)
        try add(.notes, properties.notes)
        try add(.kind, kind)
        try add(.client, client)
        try add(.prefix, prefix ?? signIn)
        let workspace = try common.open(create: true, at: now)
        try workspace.refuseSecrets(
            in: [("name", name), ("role", role), ("client", client)] + properties.recordedTexts
                + expected.map { ("path", $0) })
        let rules = KeyRecordRules(workspace.loaded, defaultIssuer: nil, now: now)
        // A mistake is refused before a person types the secret.
        let new = try rules.key(fields)
        if let secret = try readSecret() { try fields.set(.secret, secret) }
        var generator = SystemRandom()
        let key = try workspace.ledger.record(
            new, try rules.secret(&fields), using: &generator, at: now, by: common.actor("create"))
        let title = workspace.loaded.issuers.title(of: new.issuer)
        common.report(
            key, workspace, at: now,
            "Recorded the key \(DisplayText.quoted(name)), which \(title) made.", withDetails: true)
    }

    /// A secret unless a prefix is enough.
    private func readSecret() throws -> Secret? {
        guard secretStdin || prefix == nil && kind != KeyKind.oauthConsent.rawValue else { return nil }
        let value = try SecretInput.ask("Secret: ", limit: Secret.longest, what: "the secret")
        return Authorization.secret(in: value)
    }

    private func expiryText(at now: Instant) throws -> String? {
        guard let text = properties.expires, text != "never" else { return nil }
        if let period = try? Period(parsing: text) { return now.advanced(by: period).description }
        return text
    }
}
