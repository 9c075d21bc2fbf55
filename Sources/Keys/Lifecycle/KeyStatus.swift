/// What kind of credential a key is.
package enum KeyKind: String, CaseIterable, Hashable, Sendable {
    case apiKey = "api_key"
    /// A consent under OAuth 2.0 (RFC 6749), kept in the inventory with its scopes and expiry.
    case oauthConsent = "oauth_consent"
}

/// What has become of a key. A date decides expiry, so a key whose date has passed is expired whether or not the
/// daemon has recorded it yet.
package enum KeyStatus: String, CaseIterable, Hashable, Sendable {
    case active, expired, revoked, deleted
}

/// Which of a key's secrets one is.
package enum SecretState: String, CaseIterable, Hashable, Sendable {
    /// The one that is in use.
    case current
    /// Replaced by a rotation, and still valid until its overlap ends.
    case retiring
    /// Replaced, and refused.
    case retired
}

/// The state of a secret as a finding tells it: the key's fate first, else the secret's.
package enum SecretGrade: String, CaseIterable, Hashable, Sendable {
    case current, retiring, retired, expired, revoked, deleted

    /// - Parameters:
    ///   - retiresAt: when a retiring secret's overlap ends.
    ///   - now: a retiring secret whose overlap has ended counts as retired, recorded or not.
    package init(
        secret: SecretState, retiresAt: Instant?, key: KeyStatus, expiresAt: Instant?, at now: Instant
    ) {
        switch key {
        case .deleted: self = .deleted
        case .revoked: self = .revoked
        case .expired: self = .expired
        case .active:
            if let expiresAt, expiresAt <= now {
                self = .expired
            } else {
                switch secret {
                case .current: self = .current
                case .retiring: self = retiresAt.map { $0 <= now } ?? false ? .retired : .retiring
                case .retired: self = .retired
                }
            }
        }
    }

    /// Whether the secret still opens a door.
    package var isLive: Bool { self == .current || self == .retiring }
}
