/// The profiles that are known.
package struct IssuerCatalog: Sendable, Equatable {
    private var profiles: [String: IssuerProfile]

    /// A catalogue that knows our own keys, and keys of issuers without a profile.
    package init(brand: String) {
        profiles = [IssuerProfile.ownName: .own(brand: brand), IssuerProfile.externalName: .external]
    }

    /// Adds a profile, or puts it in the place of one of the same name.
    package mutating func add(_ profile: IssuerProfile) { profiles[profile.name] = profile }

    /// The names, sorted.
    package var names: [String] { profiles.keys.sorted() }

    package subscript(name: String) -> IssuerProfile? { profiles[name] }

    /// - Throws: ``InputError`` with the nearest name, where there is no such profile.
    package func profile(_ name: String) throws(InputError) -> IssuerProfile {
        if let profile = profiles[name] { return profile }
        throw InputError(
            "there is no issuer '\(DisplayText.escaped(name, limit: 64))'",
            hint: DisplayText.suggestion(for: name, among: names)
                ?? "known are \(names.joined(separator: ", ")); write external for an issuer without a profile, or add one: issuers/NAME.toml"
        )
    }

    /// The issuer's name for people; that of an issuer without a profile as the store has it.
    package func title(of issuer: String) -> String {
        profiles[issuer]?.title ?? DisplayText.escaped(issuer, limit: 64)
    }

    /// How callers present the secrets of an issuer. Without its profile the visible prefix tells: a sign-in ends with a
    /// colon.
    package func authorization(of issuer: String, prefix: String) -> IssuerProfile.AuthorizationForm {
        profiles[issuer]?.authorization ?? (prefix.hasSuffix(":") ? .signIn : .bearer)
    }
}
