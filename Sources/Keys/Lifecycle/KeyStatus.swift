/// What kind of credential a key is.
package enum KeyKind: String, CaseIterable, Hashable, Sendable {
    case apiKey = "api_key"
    /// A consent under OAuth 2.0 (RFC 6749), listed in the inventory with its scopes and expiry.
    case oauthConsent = "oauth_consent"
}

/// The status of a key. The date decides expiry: a key whose date has passed is expired, whether or not the daemon has
/// recorded it.
package enum KeyStatus: String, CaseIterable, Hashable, Sendable {
    case active, expired, revoked, deleted

    /// This recorded status, corrected by the date: a key whose date has passed is expired, and a key that a fast clock
    /// recorded as expired is active.
    package func decided(by expiresAt: Instant?, at now: Instant) -> KeyStatus {
        switch self {
        case .revoked, .deleted: self
        case .active, .expired: expiresAt.map { $0 <= now ? .expired : .active } ?? self
        }
    }
}

/// The position of a secret in the rotation of its key.
package enum SecretState: String, CaseIterable, Hashable, Sendable {
    /// In use.
    case current
    /// Replaced by a rotation, and still valid until its overlap ends.
    case retiring
    /// Replaced, and refused.
    case retired
}

/// The state of a secret as a finding reports it: the status of the key if it has ended, otherwise the state of the
/// secret.
package enum SecretGrade: String, CaseIterable, Hashable, Sendable {
    case current, retiring, retired, expired, revoked, deleted

    /// - Parameters:
    ///   - retiresAt: when the overlap of a replaced secret ends; nil for one that was retired without an overlap.
    ///   - now: decides between retiring and retired by that date, whatever was recorded.
    package init(
        secret: SecretState, retiresAt: Instant?, key: KeyStatus, expiresAt: Instant?, at now: Instant
    ) {
        switch key.decided(by: expiresAt, at: now) {
        case .deleted: self = .deleted
        case .revoked: self = .revoked
        case .expired: self = .expired
        case .active:
            switch secret {
            case .current: self = .current
            case .retiring, .retired: self = retiresAt.map { $0 <= now } ?? (secret == .retired) ? .retired : .retiring
            }
        }
    }

    /// Whether the secret still grants access.
    package var isLive: Bool { self == .current || self == .retiring }
}
