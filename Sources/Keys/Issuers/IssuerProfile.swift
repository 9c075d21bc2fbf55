/// An issuer of keys and its rules. Read from `config/issuers/NAME.toml`; administrators can add more.
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

    /// The permissions that an issuer has.
    package enum Vocabulary: Sendable, Equatable {
        /// Any name, and `*`.
        case free
        /// Only these; `*` means all of them.
        case closed([String])
        /// The issuer has no permissions: every key may do everything.
        case none
    }

    package var name: String
    /// The name for people.
    package var title: String
    package var shape: SecretShape
    package var authorization: AuthorizationForm
    package var vocabulary: Vocabulary
    /// Whether the name, permissions and scope of a key can be changed after creation.
    package var isEditable: Bool
    package var environments: [KeyEnvironment]
    /// The only role; nil allows any.
    package var fixedRole: String?
    /// The default lifetime of a key; nil for that of the configuration.
    package var defaultExpiry: ExpiryRequest?
    package var longestLifetime: Period?
    /// The longest time for which a replaced secret may stay valid; nil allows any.
    package var longestOverlap: Period?
    /// The default rotation period of a key; nil for none.
    package var rotateEvery: Period?
    /// The steps that rotate a key at the issuer; nil if the tool does it.
    package var rotateSteps: String?
    package var revokeSteps: String?
    /// How to ask the issuer whether it accepts a secret; nil if it cannot be asked.
    package var check: IssuerCheck?
    /// The consents of the issuer under OAuth 2.0; nil if it has none or none are known.
    package var consents: ConsentRules?
    /// Which endpoints of the issuer accept an API key, and which a consent; for people.
    package var endpoints: EndpointAccess?

    package init(
        name: String, title: String, shape: SecretShape, authorization: AuthorizationForm,
        vocabulary: Vocabulary = .free,
        isEditable: Bool = true, environments: [KeyEnvironment] = KeyEnvironment.allCases, fixedRole: String? = nil,
        defaultExpiry: ExpiryRequest? = nil, longestLifetime: Period? = nil, longestOverlap: Period? = nil,
        rotateEvery: Period? = nil, rotateSteps: String? = nil, revokeSteps: String? = nil
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
        self.longestOverlap = longestOverlap
        self.rotateEvery = rotateEvery
        self.rotateSteps = rotateSteps
        self.revokeSteps = revokeSteps
    }

    /// The name of the issuer for keys that this store issues.
    package static let ownName = "keyvigil"
    /// The name for the issuer of a held key for which there is no profile.
    package static let externalName = "external"

    package static func own(brand: String) -> IssuerProfile {
        IssuerProfile(name: ownName, title: "Keyvigil", shape: .own(brand: brand), authorization: .bearer)
    }

    /// Any issuer without a profile: its secrets and rules are unknown.
    package static let external = IssuerProfile(
        name: externalName, title: "its issuer", shape: .unknown, authorization: .bearer)
}

/// Consents under OAuth 2.0 (RFC 6749) that an issuer's users give to applications.
package struct ConsentRules: Sendable, Equatable {
    /// The scopes; empty allows any.
    package var scopes: [String]
    /// The steps that revoke a consent.
    package var revokeSteps: String?
    /// The steps that renew a consent.
    package var renewSteps: String?

    package init(scopes: [String], revokeSteps: String?, renewSteps: String?) {
        self.scopes = scopes
        self.revokeSteps = revokeSteps
        self.renewSteps = renewSteps
    }
}

/// Which endpoints of an issuer accept which credential, according to its documentation.
package struct EndpointAccess: Sendable, Equatable {
    package var apiKey: [String]
    package var oauth: [String]
    /// Where the issuer documents all of them.
    package var source: String?

    package init(apiKey: [String], oauth: [String], source: String?) {
        self.apiKey = apiKey
        self.oauth = oauth
        self.source = source
    }
}
