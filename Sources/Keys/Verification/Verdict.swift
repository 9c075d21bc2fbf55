/// The answer to a credential, as the operator sees it.
package enum VerdictCode: String, CaseIterable, Hashable, Sendable {
    case valid = "VALID"
    case notFound = "NOT_FOUND"
    case expired = "EXPIRED"
    case revoked = "REVOKED"
    /// The key is on hold: ``KeyHold``.
    case held = "HELD"
    case insufficientPermissions = "INSUFFICIENT_PERMISSIONS"
    case resourceNotFound = "RESOURCE_NOT_FOUND"

    /// The status of HTTP (RFC 9110) that an outside caller is given. All causes of 401 look the same there, and
    /// a resource outside the scope looks like one that does not exist.
    package var httpStatus: Int {
        switch self {
        case .valid: 200
        case .notFound, .expired, .revoked, .held: 401
        case .insufficientPermissions: 403
        case .resourceNotFound: 404
        }
    }
}

/// The decision on a key that was found by its secret. The order of the checks is fixed: status, resource,
/// permission, so that who may not see a resource does not learn from 403 that it exists.
package enum VerdictRules {
    /// - Parameters:
    ///   - isHeld: whether the key is on hold.
    ///   - permissions: the key's; looked at only where one is needed.
    ///   - resources: the key's; looked at only where one is asked for.
    package static func code(
        secret: SecretGrade, isHeld: Bool = false, permissions: @autoclosure () -> PermissionSet,
        resources: @autoclosure () -> ResourceScope,
        permission: String?, resource: String?
    ) -> VerdictCode {
        switch secret {
        case .revoked: return .revoked
        case .expired: return .expired
        case .retired, .deleted: return .notFound
        case .current, .retiring: break
        }
        if isHeld { return .held }
        if let resource, !resources().includes(resource) { return .resourceNotFound }
        if let permission, !permissions().allows(permission) { return .insufficientPermissions }
        return .valid
    }
}
