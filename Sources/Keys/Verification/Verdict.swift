/// The result of verifying a credential, as the operator sees it.
package enum VerdictCode: String, CaseIterable, Hashable, Sendable {
    case valid = "VALID"
    case notFound = "NOT_FOUND"
    case expired = "EXPIRED"
    case revoked = "REVOKED"
    /// The key is for another environment than the requested one.
    case wrongEnvironment = "WRONG_ENVIRONMENT"
    /// The header is not in the form that the issuer of the key accepts.
    case wrongForm = "WRONG_FORM"
    /// The key is on hold: ``KeyHold``.
    case onHold = "ON_HOLD"
    /// The record of the key, or of the secret, was changed by something other than Keyvigil.
    case tampered = "TAMPERED"
    case insufficientPermissions = "INSUFFICIENT_PERMISSIONS"
    case resourceNotFound = "RESOURCE_NOT_FOUND"

    /// The HTTP status (RFC 9110) for an outside caller. All causes of 401 look the same, and a resource outside the
    /// scope looks like one that does not exist.
    package var httpStatus: Int {
        switch self {
        case .valid: 200
        case .notFound, .expired, .revoked, .wrongEnvironment, .wrongForm, .onHold, .tampered: 401
        case .insufficientPermissions: 403
        case .resourceNotFound: 404
        }
    }
}

/// What a caller requests with a credential.
package struct AccessRequest: Sendable {
    /// The required permission, or nil if none is required.
    package var permission: String?
    /// The requested resource, or nil if there is none.
    package var resource: String?
    /// The requested environment; nil accepts any.
    package var environment: KeyEnvironment?
    /// Whether the credential came with the scheme `Bearer`.
    package var hasBearer: Bool

    package init(
        permission: String? = nil, resource: String? = nil, environment: KeyEnvironment? = nil, hasBearer: Bool = false
    ) {
        self.permission = permission
        self.resource = resource
        self.environment = environment
        self.hasBearer = hasBearer
    }
}

/// What a key that was found by its secret may do, and how its secret is presented.
package struct AccessGrant: Hashable, Sendable {
    package let environment: KeyEnvironment
    package let permissions: PermissionSet
    package let resources: ResourceScope
    package let form: IssuerProfile.AuthorizationForm
    /// Whether the key is refused until a person decides: ``KeyHold``.
    package let isOnHold: Bool

    package init(
        environment: KeyEnvironment, permissions: PermissionSet, resources: ResourceScope,
        form: IssuerProfile.AuthorizationForm, isOnHold: Bool = false
    ) {
        self.isOnHold = isOnHold
        self.environment = environment
        self.permissions = permissions
        self.resources = resources
        self.form = form
    }
}

/// The decision on a key that was found by its secret. The order of the checks is fixed: status, form, environment,
/// resource, permission, so that a caller who may not see a resource does not learn from a 403 that it exists.
package enum VerdictRules {
    package static func code(secret: SecretGrade, grant: AccessGrant, request: AccessRequest) -> VerdictCode {
        switch secret {
        case .revoked: return .revoked
        case .expired: return .expired
        case .retired, .deleted: return .notFound
        case .current, .retiring: break
        }
        if grant.isOnHold { return .onHold }
        // A bearer secret is accepted without its scheme, because people omit it; a scheme before a sign-in or a bare
        // secret is an error.
        if request.hasBearer, grant.form != .bearer { return .wrongForm }
        if let environment = request.environment, environment != grant.environment { return .wrongEnvironment }
        if let resource = request.resource, !grant.resources.includes(resource) { return .resourceNotFound }
        if let permission = request.permission, !grant.permissions.allows(permission) {
            return .insufficientPermissions
        }
        return .valid
    }
}
