/// The alerts about the store itself.
extension Alert {
    /// The alert for a record that does not fit its seal.
    ///
    /// - Parameter prefix: of the secret whose record it is; nil for the record of the key.
    package init(
        tamperedKey id: KeyID, name: String, owner: String?, issuer: String, origin: String, prefix: String?
    ) {
        var fields: [Field: String] = [
            .keyID: id.text, .keyName: name, .issuer: issuer, .origin: origin,
            .reason: "the record of \(prefix == nil ? "the key" : "a secret of the key") does not fit its seal",
            .remedy: "keyvigil audit --key \(id); then end it: keyvigil revoke \(id)",
        ]
        fields[.prefix] = prefix
        fields[.owner] = owner
        let record: Wording = if let prefix { "the secret \(prefix: prefix)… of key" } else { "the key" }
        self.init(
            kind: .storeTampered, priority: .critical,
            message:
                """
                the record of \(record) \(quoted: name) (\(id)) was changed by something other than Keyvigil; it is refused: \
                keyvigil revoke \(id), and find out who can write to the store
                """,
            fields: fields)
    }

    /// The alert for keys of an import that other hosts were faster with.
    ///
    /// - Parameter refusals: the name of each, and what another key has: name, secret or sign-in.
    package init(refusedImports refusals: [(name: String, taken: String)]) {
        let shown = refusals.prefix(20).map { "\(DisplayText.quoted($0.name, limit: 64)) (\($0.taken))" }
        let rest = refusals.count > 20 ? ", and \(refusals.count - 20) more" : ""
        let names = shown.joined(separator: ", ") + rest
        let subject = refusals.count == 1 ? "1 key of an import is" : "\(refusals.count) keys of an import are"
        self.init(
            kind: .importRefused, priority: .warning,
            message:
                "\(words: subject) not in the store, since another host has made keys with the same name, secret or sign-in: \(words: names)",
            fields: [
                .reason: names,
                .remedy:
                    "look at the keys that are there; import those that are missing under other names: keyvigil import",
            ])
    }

    /// The alert for secrets that came with a merged store and cannot be recognised.
    ///
    /// - Parameters:
    ///   - reason: which pepper is missing, as a sentence.
    ///   - remedy: the command that puts it back.
    package init(missingPepper reason: String, remedy: String) {
        self.init(
            kind: .storePepperMissing, priority: .error,
            message:
                "secrets of a merged store are not recognised, and no other secret is refused as unknown: \(words: reason)",
            fields: [.reason: reason, .remedy: remedy])
    }
}
