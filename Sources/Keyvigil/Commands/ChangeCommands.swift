package import ArgumentParser
internal import KeyStore
internal import Keys

package struct RenameCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(commandName: "rename", abstract: "Give a key another name.")

    @OptionGroup package var selected: KeyArgument
    @Argument(help: "The new name.")
    package var newName: String
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        let name = try NameRules.checked(newName, what: "name")
        let workspace = try common.open(at: now)
        try workspace.requireEditable(selected.key, to: "renamed")
        let key = try workspace.store.rename(selected.key, to: name, at: now, by: common.actor("rename"))
        common.report(key, workspace, at: now, "The key \(key.id) is named '\(DisplayText.escaped(key.name))' now.")
    }
}

package struct EditCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change what a key may do, where, whose it is and until when.",
        discussion: "It takes effect with the next verification; the secret stays.")

    @OptionGroup package var selected: KeyArgument
    @OptionGroup package var properties: KeyProperties
    @Flag(help: "Take the owner away.")
    package var noOwner = false
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        var edit = KeyEdit()
        edit.permissions = try properties.permissionSet()
        edit.resources = try properties.resourceScope()
        if let owner = try properties.ownerName() { edit.owner = owner }
        if noOwner { edit.owner = .some(nil) }
        if let expires = properties.expires {
            edit.expiresAt = .some(try ExpiryRequest(parsing: expires).resolved(at: now))
        }
        if let period = try properties.rotationPeriod() { edit.rotateEvery = period }
        guard !edit.isEmpty else {
            throw InputError("there is nothing to change", hint: "see keyvigil edit --help for what can be changed")
        }
        let workspace = try common.open(at: now)
        let profile = try workspace.requireEditable(selected.key, to: "edited")
        if let permissions = edit.permissions { edit.permissions = try profile?.checked(permissions) ?? permissions }
        if let expiresAt = edit.expiresAt { try profile?.check(expiresAt: expiresAt, at: now) }
        let key = try workspace.store.edit(selected.key, edit, at: now, by: common.actor("edit"))
        common.report(key, workspace, at: now, "Changed the key '\(DisplayText.escaped(key.name))'.", withDetails: true)
    }
}

package struct RevokeCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a key at once and for good; it stays listed.")

    @OptionGroup package var selected: KeyArgument
    @Option(help: "Why, for the audit.")
    package var reason: String?
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        let reason = try reason.map { try NameRules.checked($0, what: "reason") }
        let workspace = try common.open(at: now)
        let key = try workspace.store.revoke(selected.key, reason: reason, at: now, by: common.actor("revoke"))
        common.report(
            key, workspace, at: now,
            "Revoked the key '\(DisplayText.escaped(key.name))'; its secret is refused from now on.")
    }
}

package struct DeleteCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Take a key away for good. It cannot be undone.")

    @OptionGroup package var selected: KeyArgument
    @Flag(help: "Do not ask.")
    package var yes = false
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        let key = try workspace.store.key(selected.key)
        if !yes { try Confirmation.ask("Delete the key '\(DisplayText.escaped(key.name))' (\(key.prefix)) for good?") }
        let deleted = try workspace.store.delete(key.id.text, at: now, by: common.actor("delete"))
        common.report(
            deleted, workspace, at: now,
            "Deleted the key '\(DisplayText.escaped(key.name))'. A later leak of it is still recognised.")
    }
}

extension Workspace {
    /// The profile of a key's issuer, if there is one.
    ///
    /// - Throws: ``InputError`` where the issuer lets no key be changed.
    @discardableResult
    func requireEditable(_ selector: String, to verb: String) throws -> IssuerProfile? {
        let profile = loaded.issuers[try store.key(selector).issuer]
        try profile?.requireEditable(to: verb)
        return profile
    }
}

extension CommonOptions {
    /// Tells of a key that was changed.
    func report(_ key: Key, _ workspace: Workspace, at now: Instant, _ sentence: String, withDetails: Bool = false) {
        let presentation = KeyPresentation(workspace, now: now)
        if json {
            Terminal.print(presentation.json(key).line)
        } else {
            Terminal.print(sentence)
            if withDetails { Terminal.print(presentation.details(key)) }
        }
    }
}
