internal import ArgumentParser
internal import KeyStore
internal import Keys

struct ReleaseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Accept keys again that are on hold since the store was rolled back.",
        discussion: """
            A key is on hold where the store was replaced by an older one, in which it lives though it had been revoked, deleted \
            or rotated since, or its secret had leaked. Its secret is accepted here from now on. To end it instead: keyvigil revoke. \
            What the issuer of a held key accepts does not change.

            Examples:
                keyvigil release billing
            """)

    @OptionGroup var selected: KeyArguments
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        try selected.forEach(in: workspace.store) { held in
            let key = try workspace.ledger.release(held.id.text, at: now, by: common.actor("release"))
            common.report(
                key, workspace, at: now,
                "Released the key \(DisplayText.quoted(key.name)); "
                    + (key.origin == .issued
                        ? "its secret is accepted from now on."
                        : "it counts as active by the record. This changes nothing at "
                            + "\(workspace.loaded.issuers.title(of: key.issuer))."))
            if key.openLeaks > 0 { Terminal.note(key.leakNote(workspace.loaded.issuers)) }
        }
    }
}

extension Key {
    /// That a key which is valid again has a secret that has leaked.
    func leakNote(_ issuers: IssuerCatalog) -> String {
        "keyvigil: note: a secret of it that has leaked works again: keyvigil findings --key \(id); make it worthless: "
            + KeyRemedies(for: self, issuers: issuers).rotate
    }
}
