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

    /// This status as recorded, corrected by the date: a key whose date has passed is expired, and one that was recorded as
    /// expired by a clock that was ahead is active.
    package func decided(by expiresAt: Instant?, at now: Instant) -> KeyStatus {
        switch self {
        case .revoked, .deleted: self
        case .active, .expired: expiresAt.map { $0 <= now ? .expired : .active } ?? self
        }
    }
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
    ///   - retiresAt: when the overlap of a replaced secret ends, where a date ends it; nil for one that was retired at once.
    ///   - now: whether that date has passed decides between retiring and retired, whatever was recorded.
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

    /// Whether the secret still opens a door.
    package var isLive: Bool { self == .current || self == .retiring }
}
