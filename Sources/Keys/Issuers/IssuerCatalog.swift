/// The known issuer profiles.
package struct IssuerCatalog: Sendable, Equatable {
    private var profiles: [String: IssuerProfile]
    /// What the configuration allows of keys of any issuer: what is proposed for a key keeps to it.
    package var policy = KeyPolicy.standard

    /// A catalogue with the profiles for keys of this store and for keys of issuers without a profile.
    package init(brand: String) {
        profiles = [IssuerProfile.ownName: .own(brand: brand), IssuerProfile.externalName: .external]
    }

    /// Adds a profile, or replaces the one with the same name.
    package mutating func add(_ profile: IssuerProfile) { profiles[profile.name] = profile }

    /// The names, sorted.
    package var names: [String] { profiles.keys.sorted() }

    package subscript(name: String) -> IssuerProfile? { profiles[name] }

    /// - Throws: ``InputError`` with the nearest name, if there is no such profile.
    package func profile(_ name: String) throws(InputError) -> IssuerProfile {
        if let profile = profiles[name] { return profile }
        throw InputError(
            "there is no issuer \(DisplayText.quoted(name, limit: 64))",
            hint: DisplayText.suggestion(for: name, among: names)
                ?? "known are \(names.joined(separator: ", ")); write external for an issuer without a profile, or add one: issuers/NAME.toml"
        )
    }

    /// The title of an issuer, or its name in the store if it has no profile.
    package func title(of issuer: String) -> String {
        profiles[issuer]?.title ?? DisplayText.escaped(issuer, limit: 64)
    }

    /// How callers present the secrets of a kind of key of an issuer: a consent's access token as a bearer token (RFC 6750). Without a
    /// profile the visible prefix decides: a sign-in ends with a colon.
    package func authorization(
        of issuer: String, kind: KeyKind, prefix: String
    ) -> IssuerProfile.AuthorizationForm {
        guard kind == .apiKey else { return .bearer }
        return profiles[issuer]?.authorization ?? (prefix.hasSuffix(":") ? .signIn : .bearer)
    }
}
