/// Who makes a key, and by which rules. Read from `config/issuers/NAME.toml`; a person may add more.
package struct IssuerProfile: Sendable, Equatable {
    /// How callers present a secret.
    package enum AuthorizationForm: String, CaseIterable, Sendable {
        /// `Authorization: Bearer SECRET` (RFC 6750).
        case bearer
        /// `Authorization: SECRET`.
        case bare
        /// `Authorization: SIGN-IN:SECRET`, without Base64.
        case signIn = "sign-in"
    }

    /// Which permissions there are.
    package enum Vocabulary: Sendable, Equatable {
        /// Any name, and `*`.
        case free
        /// These only; `*` means all of them.
        case closed([String])
        /// The issuer knows no permissions: every key may do everything.
        case none
    }

    package var name: String
    /// The name for people.
    package var title: String
    package var shape: SecretShape
    package var authorization: AuthorizationForm
    package var vocabulary: Vocabulary
    /// Whether a key's name, permissions and scope can be changed after it was made.
    package var isEditable: Bool
    package var environments: [Environment]
    /// The only role there is; nil: any.
    package var fixedRole: String?
    /// The lifetime of a key for which none is asked; nil: the configuration's.
    package var defaultExpiry: ExpiryRequest?
    package var longestLifetime: Period?
    /// The rotation period of a key for which none is asked; nil: none.
    package var rotateEvery: Period?
    /// What a person does to rotate a key there; nil: the tool does it.
    package var rotateSteps: String?
    package var revokeSteps: String?

    package init(
        name: String, title: String, shape: SecretShape, authorization: AuthorizationForm,
        vocabulary: Vocabulary = .free,
        isEditable: Bool = true, environments: [Environment] = Environment.allCases, fixedRole: String? = nil,
        defaultExpiry: ExpiryRequest? = nil, longestLifetime: Period? = nil, rotateEvery: Period? = nil,
        rotateSteps: String? = nil, revokeSteps: String? = nil
    ) {
        self.name = name
        self.title = title
        self.shape = shape
        self.authorization = authorization
        self.vocabulary = vocabulary
        self.isEditable = isEditable
        self.environments = environments
        self.fixedRole = fixedRole
        self.defaultExpiry = defaultExpiry
        self.longestLifetime = longestLifetime
        self.rotateEvery = rotateEvery
        self.rotateSteps = rotateSteps
        self.revokeSteps = revokeSteps
    }

    /// The issuer that this store itself is.
    package static let ownName = "keyvigil"

    package static func own(brand: String) -> IssuerProfile {
        IssuerProfile(name: ownName, title: "Keyvigil", shape: .own(brand: brand), authorization: .bearer)
    }
}

// MARK: - Rules

extension IssuerProfile {
    /// The permissions of a key of this issuer.
    ///
    /// - Throws: ``InputError`` for a permission that the issuer does not know, with the nearest one that it does.
    package func checked(_ permissions: PermissionSet) throws(InputError) -> PermissionSet {
        switch vocabulary {
        case .free:
            return permissions
        case .none:
            guard permissions.isAll else {
                throw InputError(
                    "\(title) knows no permissions", hint: "leave --permission out: a key of it may do everything")
            }
            return permissions
        case .closed(let words):
            for permission in permissions.permissions where permission != "*" && !words.contains(permission) {
                throw InputError(
                    "\(title) knows no permission '\(permission)'",
                    hint: DisplayText.nearest(to: permission, among: words).map { "did you mean \($0)?" }
                        ?? "use some of \(words.joined(separator: ", "))")
            }
            return permissions
        }
    }

    /// - Throws: ``InputError`` where the issuer has no such environment.
    package func check(_ environment: Environment) throws(InputError) {
        guard environments.contains(environment) else {
            throw InputError(
                "\(title) has no environment '\(environment.rawValue)'",
                hint: "use \(environments.map(\.rawValue).joined(separator: " or "))")
        }
    }

    /// The role of a key: the one asked for, or the only one there is.
    package func checkedRole(_ role: String?) throws(InputError) -> String {
        guard let fixedRole else { return role ?? "member" }
        guard role == nil || role == fixedRole else {
            throw InputError("the role of every \(title) key is '\(fixedRole)'", hint: "leave --role out")
        }
        return fixedRole
    }

    /// - Throws: ``InputError`` for a lifetime that is longer than the issuer allows.
    package func check(expiresAt: Instant?, at now: Instant) throws(InputError) {
        guard let longestLifetime else { return }
        guard let expiresAt, expiresAt.milliseconds(since: now) <= longestLifetime.milliseconds else {
            throw InputError("a \(title) key lives \(longestLifetime) at the most", hint: "give a shorter --expires")
        }
    }

    /// - Throws: ``InputError`` where keys of the issuer cannot be changed once they are made.
    package func requireEditable(to verb: String) throws(InputError) {
        guard isEditable else {
            throw InputError(
                "a \(title) key cannot be \(verb): the issuer allows no change after a key is made",
                hint: "create a new key as it should be, and revoke this one")
        }
    }
}

/// The profiles that are known, and what to tell people of each.
package struct IssuerCatalog: Sendable, Equatable {
    private var profiles: [String: IssuerProfile]

    /// A catalogue that knows our own keys.
    package init(brand: String) {
        profiles = [IssuerProfile.ownName: .own(brand: brand)]
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
            hint: DisplayText.nearest(to: name, among: names).map { "did you mean \($0)?" }
                ?? "known are \(names.joined(separator: ", ")); add a profile for another: issuers/NAME.toml")
    }

    /// What a person does to give a key a new secret.
    package func rotateRemedy(for key: Key) -> String {
        guard let steps = profiles[key.issuer]?.rotateSteps else { return "keyvigil rotate \(key.id)" }
        return "\(steps); then keyvigil rotate \(key.id) --secret-stdin"
    }

    /// What a person does to end a key.
    package func revokeRemedy(for key: Key) -> String {
        guard let steps = profiles[key.issuer]?.revokeSteps else { return "keyvigil revoke \(key.id)" }
        return "\(steps); then keyvigil revoke \(key.id)"
    }
}
