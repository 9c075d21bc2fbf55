internal import ArgumentParser
internal import Errors
internal import KeyStore
internal import Keys

struct RotateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a key a new secret and show it, once; or record the one that its issuer made.",
        discussion: """
            Id, name, permissions, resources and owner stay. The old secret is refused at once, or after the overlap; an \
            overlap never outlives the key's expiry, and a secret that has leaked gets none. A secret that is valid still from an \
            earlier rotation keeps the time that was promised then, unless --end-overlaps is given. A held key gets its new secret \
            from its issuer: the steps are shown, the secret is asked for and hashed, and not shown.

            With --to the new secret is written into files instead of being shown: in the place of a secret of the key that is \
            there, or as the value of a field, as in --to /etc/shop/env#API_KEY (NAME=value in lines, properties of Java, JSON, TOML, \
            YAML), or into a systemd credential, PATH.cred. All files are checked first, and read again with a secret in its place: \
            if one cannot be written, or would say anything else than before, nothing is changed. They keep owner and permissions, \
            and become expected places of the key.

            Examples:
                keyvigil rotate billing --overlap 24h
                keyvigil rotate billing --to '/etc/shop/env#API_KEY'
            """)

    @OptionGroup var selected: KeyArgument
    @Option(help: "How long the old secret stays valid, such as 24h (default: the configuration's).")
    var overlap: String?
    @Flag(help: "Refuse at once what is valid still from earlier rotations.")
    var endOverlaps = false
    @Option(help: "A new expiry: 90d, 2027-01-31 or never (default: it stays).")
    var expires: String?
    @Option(
        help: """
            A name for this request: a repeat changes nothing and answers as the first did, without the secret. With --to it fails if \
            a file has not got that secret.
            """)
    var idempotencyKey: String?
    @Flag(help: "Record a rotation made at the issuer: the new secret is read from standard input, and not shown.")
    var secretStdin = false
    @Option(help: "Record a rotation of a held key by the visible start of its new secret alone.")
    var prefix: String?
    @Option(
        name: .customLong("to"),
        help: "A file that gets the new secret: PATH, or PATH#FIELD. May be given several times.")
    var targets: [String] = []
    @Option(
        name: .customLong("reload"),
        help: "A systemd unit to reload once the files are written. May be given several times.")
    var units: [String] = []
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        var rotation = Rotation()
        let asked = try overlap.map { try Period(parsing: $0) }
        rotation.expiresAt = try expires.map { try ExpiryRequest(parsing: $0).resolved(at: now) }
        rotation.endsOverlaps = endOverlaps
        rotation.idempotencyKey = try idempotencyKey.map { try NameRules.checked($0, what: "idempotency key") }
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: [("idempotency key", rotation.idempotencyKey)])
        let before = try workspace.store.key(selected.key)
        let isHeld = before.origin == .held
        guard before.kind == .apiKey else {
            throw InputError(
                "an OAuth consent has no secret to rotate",
                hint: KeyRemedies(for: before, issuers: workspace.loaded.issuers).renew)
        }
        // A key whose profile is gone can be recorded all the same.
        let profile =
            isHeld
            ? workspace.loaded.issuers[before.issuer] ?? .external : try workspace.loaded.issuers.profile(before.issuer)
        // How long another issuer accepts the old secret is not for the configuration to say.
        // The default of the configuration is no longer than policy and issuer allow.
        let usual = [
            workspace.configuration.keys.overlap, workspace.configuration.hygiene.keys.longestOverlap,
            profile.longestOverlap,
        ]
        rotation.overlap = asked ?? (isHeld ? .zero : usual.compactMap(\.self).min() ?? .zero)
        try profile.check(overlap: rotation.overlap)
        try workspace.configuration.hygiene.keys.check(overlap: rotation.overlap)
        if let expiresAt = rotation.expiresAt {
            try profile.check(expiresAt: expiresAt, at: now)
            try workspace.configuration.hygiene.keys.check(expiresAt: expiresAt, from: now)
        }
        let presentation = KeyPresentation(workspace, now: now)
        let places = try RotationPlaces(targets, units: units, of: before, in: workspace.store)
        if isHeld || secretStdin || prefix != nil {
            var written: Secret?
            let secret = try recorded(before, profile, workspace, in: places, copy: &written)
            let outcome = try workspace.ledger.rotate(
                before, rotation, to: secret, at: now, by: common.actor("rotate"))
            switch outcome {
            case .made(let key):
                let heading = try heading(key, workspace, from: before, overlap: rotation.overlap, at: now)
                guard let written else { return common.report(key, workspace, at: now, heading) }
                try place(written, of: key, in: places, presentation, workspace, heading: heading)
            case .repeated(let repeated): try report(repeated, in: places, presentation)
            }
            return
        }
        try places.check(profile.shape, of: before)
        var generator = SystemRandom()
        let outcome = try workspace.ledger.rotate(
            before, rotation, shape: profile.shape, using: &generator, at: now, by: common.actor("rotate"))
        switch consume outcome {
        case .made(let issued):
            let heading = try heading(issued.key, workspace, from: before, overlap: rotation.overlap, at: now)
            guard places.isEmpty else {
                return try place(issued.secret, of: issued.key, in: places, presentation, workspace, heading: heading)
            }
            try presentation.print(issued, asJSON: common.json, heading: heading)
        case .repeated(let repeated): try report(repeated, in: places, presentation)
        }
    }

    /// Writes the new secret to where it is needed, and says what came of that.
    private func place(
        _ secret: borrowing Secret, of key: Key, in places: RotationPlaces, _ presentation: KeyPresentation,
        _ workspace: Workspace, heading: String
    ) throws {
        // A scan that sees the new secret there knows that it is meant to be. It is written whether or not that can be recorded:
        // there is no other copy of it.
        let noting = Result { () throws in
            guard !places.readable.isEmpty else { return }
            _ = try workspace.ledger.expect(
                key.id.text, in: places.readable, at: Workspace.now, by: common.actor("rotate"))
        }
        var result = places.write(secret)
        if case .failure(let error) = noting {
            result.failures.append("the files are not recorded as its expected places: \(error)")
            result.remedies.append("keyvigil expect \(key.id) \(arguments: places.readable)")
        }
        if common.json {
            var line = presentation.json(key)
            line.add("secret", String?.none)
            line.add("written_to", result.written)
            line.add("reloaded", result.reloaded)
            line.add("not_running", result.stopped)
            Terminal.print(line.line)
        } else {
            Terminal.report(heading)
            for path in result.written {
                Terminal.report("The new secret is in \(DisplayText.name(path, limit: 1000)).")
            }
            for unit in result.reloaded { Terminal.report("Reloaded \(DisplayText.name(unit)).") }
            for unit in result.stopped {
                Terminal.report("\(DisplayText.name(unit)) does not run; it reads the new secret when it starts.")
            }
            Terminal.report(presentation.details(key))
        }
        guard result.failures.isEmpty else {
            // What is not written is not kept anywhere else: all files get another one.
            let again =
                "keyvigil rotate \(key.id)"
                + (targets.map { " --to \(argument: $0)" }
                + units.map { " --reload \(argument: $0)" }).joined()
            throw InputError(
                "the key \(DisplayText.quoted(key.name)) (\(key.id)) has a new secret, but "
                    + result.failures.joined(separator: "; "),
                hint: result.written.count < targets.count ? again : result.remedies.joined(separator: " && "))
        }
    }

    /// What is known of the secret that the issuer made: asked for, unless its prefix is given.
    ///
    /// - Parameter copy: gets the secret, if it is to be written into files.
    /// - Throws: ``InputError`` also where it cannot be written to all of them.
    private func recorded(
        _ key: Key, _ profile: IssuerProfile, _ workspace: Workspace, in places: RotationPlaces, copy: inout Secret?
    ) throws -> ImportedSecret {
        let remedies = KeyRemedies(for: key, issuers: workspace.loaded.issuers)
        if let prefix {
            guard key.origin == .held else {
                throw InputError(
                    "the secrets of this key are made here", hint: "leave --prefix out: keyvigil rotate \(key.id)")
            }
            guard places.isEmpty else {
                throw InputError(
                    "--to needs the new secret, of which --prefix is only the start", hint: "leave out --prefix")
            }
            return .prefix(try profile.shape.checkedPrefix(prefix))
        }
        if !secretStdin {
            guard SecretInput.isTerminal else {
                throw InputError(
                    "the new secret of a key that \(profile.title) issued comes from there",
                    hint: "\(remedies.rotate); or with --prefix PREFIX, where only the start is known")
            }
            Terminal.say("First: \(remedies.rotateSteps).")
        }
        let value = try SecretInput.ask("New secret: ", limit: Secret.longest, what: "the new secret")
        let secret = Authorization.secret(in: value)
        if !places.isEmpty {
            try places.check(secret)
            copy = secret.slice(0..<secret.count)
        }
        // Of an unknown shape as much may be shown as was before.
        if case .unknown = profile.shape {
            let length = key.prefix.utf8.count
            guard secret.count >= 2 * length else {
                throw InputError(
                    "the new secret is shorter than expected, so nothing tells how much of it may be shown",
                    hint: "record its visible start alone: keyvigil rotate \(key.id) --prefix PREFIX")
            }
            return .whole(secret, prefixLength: length)
        }
        let length = try secret.withBytes { (bytes) throws(InputError) in try profile.shape.prefixLength(of: bytes) }
        return .whole(secret, prefixLength: length)
    }

    /// Says what the rotation of that name has made, whatever has become of the key since.
    ///
    /// - Throws: ``InputError`` where a file has not got its secret.
    private func report(
        _ repeated: RepeatedRotation, in places: RotationPlaces, _ presentation: KeyPresentation
    ) throws {
        let written = try places.written(by: repeated)
        var made = repeated.key
        made.generation = repeated.generation
        made.prefix = repeated.prefix
        made.rotatedAt = repeated.madeAt
        if common.json {
            var line = presentation.json(made)
            line.add("secret", String?.none)
            line.add("repeated", true)
            line.add("current_generation", repeated.key.generation)
            if !places.isEmpty {
                line.add("written_to", written)
                line.add("reloaded", [String]())
            }
            Terminal.print(line.line)
            return
        }
        Terminal.print(
            made.origin == .issued
                ? "This rotation was made before; its secret was given out then, and is not kept."
                : "This rotation was recorded before.")
        for path in written { Terminal.print("Its secret is in \(DisplayText.name(path, limit: 1000)).") }
        if repeated.key.generation > repeated.generation {
            Terminal.print(
                "It made secret \(repeated.generation); the key has been rotated since, and has secret \(repeated.key.generation)."
            )
        }
        Terminal.print(presentation.details(made))
    }

    private func heading(
        _ key: Key, _ workspace: Workspace, from before: Key, overlap: Period, at now: Instant
    ) throws -> String {
        let name = DisplayText.betweenQuotes(key.name)
        guard key.origin == .issued else {
            let title = workspace.loaded.issuers.title(of: key.issuer)
            let old = key.retiresAt.map { "valid there until \($0)" } ?? "replaced there"
            let refusal = Key.refusalWords(
                before.check, issuer: title, command: KeyRemedies(for: key, issuers: workspace.loaded.issuers).check)
            return "Recorded the new secret \(key.prefix)… of the key '\(name)' at \(title); "
                + "the old one is said to be \(old); \(refusal)"
        }
        let overlaps = try workspace.store.overlaps(of: key, at: now)
        var text = "Rotated the key '\(name)'."
        if let old = overlaps.first(where: { $0.generation == before.generation }) {
            text += " The old secret is valid until \(old.end)."
        } else {
            text += " The old secret is refused from now on."
            if overlap > .zero { text += " It had leaked, expired or been on hold, so it has no overlap." }
        }
        let earlier = overlaps.filter { $0.generation < before.generation }
        if let last = earlier.map(\.end).max() {
            let which =
                earlier.count == 1 ? "One of an earlier rotation stays" : "\(earlier.count) of earlier rotations stay"
            let why = key.expiresAt.map { $0 <= last } ?? false ? "when the key expires" : "as promised then"
            text +=
                " \(which) valid until \(last)\(earlier.count == 1 ? "" : " at the latest"), \(why); to end that too: "
                + "keyvigil rotate \(key.id) --end-overlaps"
        }
        return text
    }
}
