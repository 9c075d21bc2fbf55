extension IssuerProfile {
    /// Checks the permissions of a key of this issuer.
    ///
    /// - Throws: ``InputError`` for a permission that the issuer does not have, with the nearest one that it has.
    package func checked(_ permissions: PermissionSet) throws(InputError) -> PermissionSet {
        switch vocabulary {
        case .free:
            return permissions
        case .none:
            guard permissions.isAll else {
                throw InputError(
                    "\(title) has no permissions", hint: "leave --permission out: each of its keys may do everything")
            }
            return permissions
        case .closed(let words):
            for permission in permissions.permissions where permission != "*" && !words.contains(permission) {
                throw InputError(
                    "\(title) has no permission '\(permission)'",
                    hint: DisplayText.suggestion(for: permission, among: words)
                        ?? "use any of \(words.joined(separator: ", "))")
            }
            return permissions
        }
    }

    /// - Throws: ``InputError`` if the issuer has no such environment.
    package func check(_ environment: KeyEnvironment) throws(InputError) {
        guard environments.contains(environment) else {
            throw InputError(
                "\(title) has no environment '\(environment.rawValue)'",
                hint: "use \(environments.map(\.rawValue).joined(separator: " or "))")
        }
    }

    /// The role of a key: the requested one, or the only one that the issuer has.
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
            throw InputError(
                "a \(title) key has a lifetime of at most \(longestLifetime)", hint: "give a shorter --expires")
        }
    }

    /// Checks the scopes of a consent.
    ///
    /// - Throws: ``InputError`` for a scope that the issuer does not have, with the nearest one that it has, and for an
    ///   issuer without consents.
    package func checkedScopes(_ scopes: PermissionSet) throws(InputError) -> PermissionSet {
        guard let consents else {
            guard name == Self.externalName else {
                throw InputError(
                    "the profile of \(title) has no consents",
                    hint: "add [consents] to a profile of yours, or write the issuer external")
            }
            return scopes
        }
        for scope in scopes.permissions
        where scope != "*" && !consents.scopes.isEmpty && !consents.scopes.contains(scope) {
            throw InputError(
                "\(title) has no OAuth scope '\(scope)'",
                hint: DisplayText.suggestion(for: scope, among: consents.scopes)
                    ?? "use any of \(consents.scopes.joined(separator: ", "))")
        }
        return scopes
    }

    /// - Throws: ``InputError`` for an overlap that is longer than the issuer allows.
    package func check(overlap: Period) throws(InputError) {
        guard let longestOverlap, overlap > longestOverlap else { return }
        guard longestOverlap > .zero else {
            throw InputError(
                "\(title) allows no overlap: it refuses the old secret at once",
                hint: "leave --overlap out, and deploy the new secret right after the rotation")
        }
        throw InputError(
            "\(title) allows an overlap of at most \(longestOverlap)", hint: "give a shorter --overlap")
    }

    /// - Throws: ``InputError`` if keys of the issuer cannot be changed after creation.
    package func requireEditable(_ key: Key, to verb: String) throws(InputError) {
        guard isEditable else {
            throw InputError(
                "a \(title) key cannot be \(verb): the issuer allows no change after a key is created",
                hint: key.origin == .issued
                    ? "create a new key as it should be, and revoke this one"
                    : "if the record is wrong: keyvigil delete \(key.id), and record it again; owner, rotation period and notes "
                        + "can be changed")
        }
    }
}
