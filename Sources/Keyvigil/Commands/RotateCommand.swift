package import ArgumentParser
internal import KeyStore
internal import Keys

package struct RotateCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give a key a new secret and show it, once.",
        discussion: """
            Id, name, permissions, resources and owner stay. The old secret is refused at once, or after the overlap; an \
            overlap never outlives the key's expiry, and a secret that has leaked gets none. A secret that is valid still from an \
            earlier rotation keeps the time that was promised then, unless --end-overlaps is given.
            """)

    @OptionGroup package var selected: KeyArgument
    @Option(help: "How long the old secret stays valid, such as 24h (default: the configuration's).")
    package var overlap: String?
    @Flag(help: "Refuse at once what is valid still from earlier rotations.")
    package var endOverlaps = false
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
        rotation.endsOverlaps = endOverlaps
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
            let recorded = try workspace.store.rotate(
                before.id.text, rotation, to: secret, prefixLength: prefixLength, at: now, by: common.actor("rotate"))
            switch recorded {
            case .made(let key):
                common.report(key, workspace, at: now, heading(key, from: before, overlap: rotation.overlap, at: now))
            case .repeated(let repeated): report(repeated, presentation)
            }
            return
        }
        var generator = SystemRandom()
        let outcome = try workspace.store.rotate(
            before.id.text, rotation, shape: profile.shape, using: &generator, at: now, by: common.actor("rotate"))
        switch consume outcome {
        case .made(let issued):
            try presentation.print(
                issued, asJSON: common.json,
                heading: heading(issued.key, from: before, overlap: rotation.overlap, at: now))
        case .repeated(let repeated): report(repeated, presentation)
        }
    }

    /// Tells what the rotation of that name had made, whatever has become of the key since.
    private func report(_ repeated: RepeatedRotation, _ presentation: KeyPresentation) {
        var made = repeated.key
        made.generation = repeated.generation
        made.prefix = repeated.prefix
        made.rotatedAt = repeated.madeAt
        if common.json {
            var line = presentation.json(made)
            line.add("secret", String?.none)
            line.add("repeated", true)
            line.add("current_generation", repeated.key.generation)
            Terminal.print(line.line)
            return
        }
        Terminal.print("This rotation was made before; its secret was shown then and is not shown again.")
        if repeated.key.generation > repeated.generation {
            Terminal.print(
                "It made secret \(repeated.generation); the key has been rotated since, and has secret \(repeated.key.generation)."
            )
        }
        Terminal.print(presentation.details(made))
    }

    private func heading(_ key: Key, from before: Key, overlap: Period, at now: Instant) -> String {
        var text = "Rotated the key '\(DisplayText.escaped(key.name))'."
        let hasOverlap = overlap > .zero && before.status(at: now) == .active && before.openLeaks == 0
        if hasOverlap, let end = key.retiresAt {
            let own = now.advanced(by: overlap)
            text += " The old secret is valid until \(min(end, own))."
        } else {
            text += " The old secret is refused from now on."
            if overlap > .zero { text += " It had leaked or expired, so it has no overlap." }
        }
        if let promised = before.retiresAt, promised > now, !endOverlaps {
            text +=
                " One of an earlier rotation stays valid until \(promised), as promised then; to end that too: "
                + "keyvigil rotate \(key.id) --end-overlaps"
        }
        return text
    }
}
