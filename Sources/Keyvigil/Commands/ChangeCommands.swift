internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys

struct RenameCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a key another name.",
        discussion: """
            Examples:
                keyvigil rename billing invoices
            """)

    @OptionGroup var selected: KeyArgument
    @Argument(help: "The new name.")
    var newName: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let name = try NameRules.checked(newName, what: "name")
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: [("name", name)])
        let before = try workspace.store.key(selected.key)
        try workspace.loaded.issuers[before.issuer]?.requireEditable(before, to: "renamed")
        let key = try workspace.ledger.rename(before.id.text, to: name, at: now, by: common.actor("rename"))
        common.report(key, workspace, at: now, "The key \(key.id) is named \(DisplayText.quoted(key.name)) now.")
    }
}

struct EditCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change what keys may do, where, whose they are and until when.",
        discussion: """
            It takes effect with the next verification; the secret stays. Owner, rotation period and notes are facts of the inventory \
            and can be changed for every key that has not ended. Permissions, resources and expiry of a held key are its issuer's: what is recorded here \
            changes nothing there.

            Examples:
                keyvigil edit billing --owner ben --permission invoices:read
                keyvigil edit billing webshop --expires 2027-01-31
            """)

    @OptionGroup var selected: KeyArguments
    @OptionGroup var properties: KeyProperties
    @Flag(help: "Take the owner away.")
    var noOwner = false
    @Flag(help: "Take the notes away.")
    var noNotes = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        guard properties.owner == nil || !noOwner, properties.notes == nil || !noNotes else {
            let what = properties.owner != nil && noOwner ? "owner" : "notes"
            throw InputError("--\(what) and --no-\(what) exclude each other", hint: "give one of them")
        }
        var edit = KeyEdit()
        edit.permissions = try properties.permissionSet()
        edit.resources = try properties.resourceScope()
        if let owner = try properties.ownerName() { edit.owner = owner }
        if noOwner { edit.owner = .some(nil) }
        if let expires = properties.expires {
            edit.expiresAt = .some(try ExpiryRequest(parsing: expires).resolved(at: now))
        }
        if let period = try properties.rotationPeriod() { edit.rotateEvery = period }
        if let notes = try properties.notesText() { edit.notes = notes }
        if noNotes { edit.notes = .some(nil) }
        guard !edit.isEmpty else {
            throw InputError("there is nothing to change", hint: "see keyvigil edit --help for what can be changed")
        }
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: properties.recordedTexts)
        // All are checked before the first is changed.
        var edits: [KeyID: KeyEdit] = [:]
        for key in try selected.found(in: workspace.store) {
            var own = edit
            try check(&own, of: key, workspace, at: now)
            edits[key.id] = own
        }
        try selected.forEach(in: workspace.store) { key in
            guard let own = edits[key.id] else { return }
            try self.edit(key, own, workspace, at: now)
        }
    }

    private func edit(_ before: Key, _ edit: KeyEdit, _ workspace: Workspace, at now: Instant) throws {
        let key = try workspace.ledger.edit(before.id.text, edit, at: now, by: common.actor("edit"))
        let name = DisplayText.betweenQuotes(key.name)
        let title = workspace.loaded.issuers.title(of: key.issuer)
        let isHeld = key.origin == .held && edit.changesIssuersFacts
        common.report(
            key, workspace, at: now,
            isHeld
                ? "Changed the record of the key '\(name)'; it changes nothing at \(title)."
                : "Changed the key '\(name)'.",
            withDetails: true)
        if key.openLeaks > before.openLeaks {
            Terminal.note(key.leakNote(workspace.loaded.issuers))
        }
    }

    /// Holds a change against the rules of the issuer and of the policy.
    private func check(_ edit: inout KeyEdit, of key: Key, _ workspace: Workspace, at now: Instant) throws {
        let profile = workspace.loaded.issuers[key.issuer]
        let policy = workspace.configuration.hygiene.keys
        if edit.changesIssuersFacts { try profile?.requireEditable(key, to: "edited") }
        if let permissions = edit.permissions, let profile {
            edit.permissions =
                key.kind == .apiKey ? try profile.checked(permissions) : try profile.checkedScopes(permissions)
        }
        if let expiresAt = edit.expiresAt {
            if key.kind == .apiKey { try profile?.check(expiresAt: expiresAt, at: now) }
            try policy.check(expiresAt: expiresAt, from: key.rotatedAt ?? key.createdAt)
        }
        if let owner = edit.owner { try policy.check(owner: owner) }
        if key.kind == .oauthConsent, let period = edit.rotateEvery, period != nil {
            throw InputError("a consent has no secret to rotate", hint: "leave --rotate-every out")
        }
    }
}

struct RevokeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End keys at once and for good, or record that their issuers ended them; they stay listed.",
        discussion: """
            An issued key is refused from then on; on a terminal you are asked first. A held key can be revoked only by its issuer: the steps are shown, and whether they \
            were done is asked; --done answers yes in scripts.

            In a fleet the other hosts refuse it as soon as they hear of it, and one that is cut off refuses everything after \
            max_staleness: the time is printed. With --wait the verb ends when all hosts refuse the key, or after a while, and \
            prints on which hosts it is refused; exit status 1: not on all yet.

            Examples:
                keyvigil revoke billing webshop --reason 'contract ended'
                keyvigil revoke billing --wait=30s
            """)

    @OptionGroup var selected: KeyArguments
    @Option(help: "Why, for the audit.")
    var reason: String?
    @Flag(help: "Of a held key: it was revoked at its issuer. Do not ask.")
    var done = false
    @Flag(name: .shortAndLong, help: "Of an issued key: do not ask.")
    var yes = false
    @Option(
        help: .init(
            "In a fleet, wait until all hosts refuse the keys, this long at most (\(Self.patience) without =TIME).",
            valueName: "time"))
    var wait: String?
    @OptionGroup var common: CommonOptions

    /// How long `--wait` waits.
    static let patience = "10s"

    init() {}

    func run() throws {
        let now = Workspace.now
        let patience = try wait.map { try Period(parsing: $0) }
        let reason = try reason.map { try NameRules.checked($0, what: "reason") }
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: [("reason", reason)])
        let outcome = Result { () throws in
            try selected.forEach(in: workspace.store) { try revoke($0, reason: reason, workspace, at: now) }
        }
        if case .success = outcome { try reportSpread(workspace.store, patience) }
        try outcome.get()
    }

    private func reportSpread(_ store: Store, _ patience: Period?) throws {
        guard let report = try SpreadReport(of: store) else { return }
        do {
            guard let patience else {
                if !common.json, let bound = try report.bound() { Terminal.report(bound) }
                return
            }
            let spread = try report.wait(for: patience)
            if common.json {
                Terminal.print(SpreadReport.line(spread).line)
            } else {
                Terminal.report(SpreadReport.words(for: spread))
            }
            guard spread.isComplete else { throw ExitCode(1) }
        } catch let error as StoreError {
            Terminal.say("keyvigil: warning: it is done, but which hosts know of it cannot be asked: \(error.message)")
            if patience != nil { throw ExitCode(1) }
        }
    }

    private func revoke(_ before: Key, reason: String?, _ workspace: Workspace, at now: Instant) throws {
        let name = DisplayText.betweenQuotes(before.name)
        let title = workspace.loaded.issuers.title(of: before.issuer)
        guard before.origin == .held else {
            guard !done else {
                throw InputError(
                    "the key '\(name)' is issued here", hint: "leave --done out: keyvigil revoke \(before.id)")
            }
            // A script has decided already.
            if SecretInput.isTerminal, !yes, before.status(at: now) == .active {
                try Confirmation.ask(
                    "Revoke the key '\(name)' (\(before.prefix)) for good? Its secret is refused at once.")
            }
            let key = try workspace.ledger.revoke(before.id.text, reason: reason, at: now, by: common.actor("revoke"))
            common.report(key, workspace, at: now, "Revoked the key '\(name)'; its secret is refused from now on.")
            return
        }
        if !done { try askWhetherDone(before, title, KeyRemedies(for: before, issuers: workspace.loaded.issuers)) }
        let key = try workspace.ledger.revoke(before.id.text, reason: reason, at: now, by: common.actor("revoke"))
        let refusal = Key.refusalWords(
            key.check, issuer: title, command: KeyRemedies(for: key, issuers: workspace.loaded.issuers).check)
        common.report(
            key, workspace, at: now,
            "Recorded that the key '\(name)' is \(key.statusWords(issuer: title, at: now)); \(refusal)")
    }

    private func askWhetherDone(_ key: Key, _ title: String, _ remedies: KeyRemedies) throws {
        let refusal = InputError(
            "only \(title) can revoke the key \(DisplayText.quoted(key.name))", hint: remedies.revoke)
        if SecretInput.isTerminal { Terminal.say("Only \(title) can revoke it: \(remedies.revokeSteps).") }
        try Confirmation.ask("Was it revoked there?", option: "--done", refusal: refusal)
    }
}

struct DeleteCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Take keys away for good. It cannot be undone.",
        discussion: """
            An issued key is refused from then on. Of a held key only the record goes: that revokes nothing at \
            its issuer.

            Examples:
                keyvigil delete billing
            """
    )

    @OptionGroup var selected: KeyArguments
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        try selected.forEach(in: workspace.store) { try delete($0, workspace, at: now) }
    }

    private func delete(_ key: Key, _ workspace: Workspace, at now: Instant) throws {
        let name = DisplayText.betweenQuotes(key.name)
        let title = workspace.loaded.issuers.title(of: key.issuer)
        let revokesNothing = key.origin == .held && key.recordedStatus != .revoked
        if !yes {
            let consequence = revokesNothing ? " This revokes nothing at \(title)." : ""
            try Confirmation.ask("Delete the key '\(name)' (\(key.prefix)) for good?\(consequence)")
        }
        let deleted = try workspace.ledger.delete(key.id.text, at: now, by: common.actor("delete"))
        let remedies = KeyRemedies(for: key, issuers: workspace.loaded.issuers)
        common.report(
            deleted, workspace, at: now,
            key.origin == .issued
                ? "Deleted the key '\(name)'. A later leak of it is still recognised."
                : "Deleted the key '\(name)' from the inventory. This revokes nothing at \(title)"
                    + (revokesNothing ? "; to end the key: \(remedies.revokeSteps)" : "")
                    + ". A later leak of it is still recognised.")
    }
}

extension CommonOptions {
    /// Tells of a key that was changed.
    func report(_ key: Key, _ workspace: Workspace, at now: Instant, _ sentence: String, withDetails: Bool = false) {
        let presentation = KeyPresentation(workspace, now: now)
        if json {
            Terminal.print(presentation.json(key).line)
        } else {
            Terminal.report(sentence)
            if withDetails { Terminal.report(presentation.details(key)) }
        }
    }
}
