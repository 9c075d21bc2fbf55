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
}
