package import ArgumentParser
internal import KeyStore
internal import Keys

package struct RotateCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give a key a new secret and show it, once.",
        discussion: """
            Id, name, permissions, resources and owner stay. The old secret is refused at once, or after the overlap; an \
            overlap never outlives the key's expiry, and a secret that has leaked gets none.
            """)

    @OptionGroup package var selected: KeyArgument
    @Option(help: "How long the old secret stays valid, such as 24h (default: the configuration's).")
    package var overlap: String?
    @Option(help: "A new expiry: 90d, 2027-01-31 or never (default: it stays).")
    package var expires: String?
    @Option(
        help: "A name for this request: asked again with it, nothing is done and the same is told, without the secret.")
    package var idempotencyKey: String?
    @Flag(help: "Record a rotation made at the issuer: the new secret is read from standard input, and not shown.")
    package var secretStdin = false
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        var rotation = Rotation()
        let asked = try overlap.map { try Period(parsing: $0) }
        rotation.expiresAt = try expires.map { try ExpiryRequest(parsing: $0).resolved(at: now) }
        rotation.idempotencyKey = try idempotencyKey.map { try NameRules.checked($0, what: "idempotency key") }
        let workspace = try common.open(at: now)
        rotation.overlap = asked ?? workspace.configuration.keys.overlap
        let before = try workspace.store.key(selected.key)
        let profile = try workspace.loaded.issuers.profile(before.issuer)
        if let expiresAt = rotation.expiresAt { try profile.check(expiresAt: expiresAt, at: now) }
        let presentation = KeyPresentation(workspace, now: now)
        if secretStdin {
            let value = try SecretInput.ask("New secret: ", limit: Secret.longest, what: "the new secret")
            let secret = Authorization.secret(in: value)
            let prefixLength = try secret.withBytes { (bytes) throws(InputError) in
                try profile.shape.prefixLength(of: bytes)
            }
            let key = try workspace.store.rotate(
                before.id.text, rotation, to: secret, prefixLength: prefixLength, at: now, by: common.actor("rotate"))
            common.report(key, workspace, at: now, heading(key, overlap: rotation.overlap))
            return
        }
        var generator = SystemRandom()
        let outcome = try workspace.store.rotate(
            before.id.text, rotation, shape: profile.shape, using: &generator, at: now, by: common.actor("rotate"))
        switch consume outcome {
        case .made(let issued):
            try presentation.print(issued, asJSON: common.json, heading: heading(issued.key, overlap: rotation.overlap))
        case .repeated(let key):
            if common.json {
                var line = presentation.json(key)
                line.add("secret", String?.none)
                line.add("repeated", true)
                Terminal.print(line.line)
            } else {
                Terminal.print("This rotation was made before; its secret was shown then and is not shown again.")
                Terminal.print(presentation.details(key))
            }
        }
    }

    private func heading(_ key: Key, overlap: Period) -> String {
        let name = DisplayText.escaped(key.name)
        if let end = key.retiresAt { return "Rotated the key '\(name)'. The old secret is valid until \(end)." }
        let why = overlap > .zero ? " It had leaked or expired, so it has no overlap." : ""
        return "Rotated the key '\(name)'. The old secret is refused from now on.\(why)"
    }
}
