/// What a person does about a key: commands of the tool for an issued key; for a held one the issuer's steps first, then
/// the command that records them.
package struct KeyRemedies {
    private let key: Key
    private let profile: IssuerProfile?
    private let title: String

    package init(for key: Key, issuers: IssuerCatalog) {
        self.key = key
        profile = issuers[key.issuer]
        title = issuers.title(of: key.issuer)
    }

    private var isHeld: Bool { key.origin == .held }

    /// Gives the key a new secret.
    package var rotate: String { rotate(options: "") }

    private func rotate(options: String) -> String {
        guard isHeld else { return "keyvigil rotate \(key.id)\(options)" }
        guard key.kind == .apiKey else { return renewConsent }
        return "\(rotateSteps); then keyvigil rotate \(key.id) --secret-stdin\(options)"
    }

    /// What is done at the issuer to give a held key a new secret.
    package var rotateSteps: String { profile?.rotateSteps ?? "make a new secret at \(title)" }

    /// What is done at the issuer to end a held key.
    package var revokeSteps: String {
        let steps = key.kind == .apiKey ? profile?.revokeSteps : profile?.consents?.revokeSteps
        return steps ?? "revoke it at \(title)"
    }

    /// Ends the key.
    package var revoke: String {
        isHeld ? "\(revokeSteps); then keyvigil revoke \(key.id) --done" : "keyvigil revoke \(key.id)"
    }

    /// Gives an expired key, or one that is about to expire, a successor.
    package var renew: String {
        isHeld && key.kind == .oauthConsent ? renewConsent : rotate(options: " --expires 90d")
    }

    private var renewConsent: String {
        "\(profile?.consents?.renewSteps ?? "renew the consent at \(title)"); then keyvigil edit \(key.id) --expires 90d"
    }

    /// Moves the expiry of a key.
    package var extend: String {
        isHeld ? renew : isEditable ? "keyvigil edit \(key.id) --expires 90d, or replace it before then" : renew
    }

    /// Makes the lifetime of a key shorter.
    package func shorten(to longest: Period) -> String {
        if isHeld { return "replace it by one that lives shorter: \(rotate(options: " --expires \(longest)"))" }
        return isEditable
            ? "shorten it: keyvigil edit \(key.id) --expires \(longest)"
            : "replace it by one that lives shorter: \(rotate(options: " --expires \(longest)"))"
    }

    /// Limits what a key may do.
    package var limit: String {
        if isHeld {
            return
                "replace it at \(title) by one that may do less; then record it: keyvigil rotate \(key.id) --secret-stdin"
        }
        return isEditable
            ? "limit it: keyvigil edit \(key.id) --permission read --expires 90d"
            : "create one that may do less, and revoke this one: keyvigil revoke \(key.id)"
    }

    private var isEditable: Bool { profile?.isEditable ?? true }

    /// Asks the issuer whether it accepts a secret; nil where it cannot be asked.
    package var check: String? {
        guard isHeld, profile?.check?.addresses[key.environment] != nil else { return nil }
        return "keyvigil check \(key.id)"
    }
}
