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
    /// The longest time for which a replaced secret may stay valid; nil: any.
    package var longestOverlap: Period?
    /// The rotation period of a key for which none is asked; nil: none.
    package var rotateEvery: Period?
    /// What a person does to rotate a key there; nil: the tool does it.
    package var rotateSteps: String?
    package var revokeSteps: String?
    /// How to ask the issuer whether it accepts a secret; nil: it cannot be asked.
    package var check: IssuerCheck?
    /// The issuer's consents under OAuth 2.0; nil: it has none, or none are known.
    package var consents: ConsentRules?
    /// Which of the issuer's endpoints take an API key, and which a consent; for people.
    package var endpoints: EndpointAccess?

    package init(
        name: String, title: String, shape: SecretShape, authorization: AuthorizationForm,
        vocabulary: Vocabulary = .free,
        isEditable: Bool = true, environments: [Environment] = Environment.allCases, fixedRole: String? = nil,
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

    /// The issuer that this store itself is.
    package static let ownName = "keyvigil"
    /// The name for the issuer of a held key for which there is no profile.
    package static let externalName = "external"

    package static func own(brand: String) -> IssuerProfile {
        IssuerProfile(name: ownName, title: "Keyvigil", shape: .own(brand: brand), authorization: .bearer)
    }

    /// Any issuer: nothing is known of its secrets and its rules.
    package static let external = IssuerProfile(
        name: externalName, title: "its issuer", shape: .unknown, authorization: .bearer)
}

/// Consents under OAuth 2.0 (RFC 6749) that an issuer's users give to applications.
package struct ConsentRules: Sendable, Equatable {
    /// The scopes that there are; empty: any.
    package var scopes: [String]
    /// What a person does to revoke one.
    package var revokeSteps: String?
    /// What a person does to renew one.
    package var renewSteps: String?

    package init(scopes: [String], revokeSteps: String?, renewSteps: String?) {
        self.scopes = scopes
        self.revokeSteps = revokeSteps
        self.renewSteps = renewSteps
    }
}

/// Which endpoints of an issuer take which credential, as its documentation says.
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
