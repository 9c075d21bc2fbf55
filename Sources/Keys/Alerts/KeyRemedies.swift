internal import Errors

/// What a person does about a key. For an issued key this is a command of the tool; for a held key, the steps at the
/// issuer and then the command that records them.
package struct KeyRemedies {
    private let key: Key
    private let profile: IssuerProfile?
    private let title: String
    private let policy: KeyPolicy

    package init(for key: Key, issuers: IssuerCatalog) {
        self.key = key
        profile = issuers[key.issuer]
        title = issuers.title(of: key.issuer)
        policy = issuers.policy.withLifetime(upTo: profile?.longestLifetime)
    }

    /// The lifetime that is proposed for a new secret.
    private var lifetime: Period { policy.withLifetime(upTo: .days(90)).longestLifetime ?? .days(90) }

    /// The latest expiry that the present secret may have; nil for any.
    private var latestExpiry: Instant? {
        policy.longestLifetime.map { (key.rotatedAt ?? key.createdAt).advanced(by: $0) }
    }

    private var withExpiry: String { " --expires \(lifetime)" }

    private var isHeld: Bool { key.origin == .held }

    /// Whether the record says that the key was ended: it gets no other secret, and is not ended once more.
    private var isEnded: Bool { [.revoked, .deleted].contains(key.recordedStatus) }

    /// Makes sure at the issuer that a key has ended, whose record says so already.
    private var endAtIssuer: String {
        check.map { "\(revokeSteps); then see whether it is refused: \($0)" } ?? revokeSteps
    }

    /// Gives the key a new secret; of one that has ended, makes the secrets worthless that are still accepted.
    package var rotate: String {
        if isHeld && isEnded { return endAtIssuer }
        // It had ended before the store was rolled back, and gets no new secret.
        if let reason = key.hold?.reason, reason == .revoked || reason == .deleted { return revoke }
        return rotate(options: "")
    }

    private func rotate(options: String) -> String {
        guard isHeld else { return "keyvigil rotate \(key.id)\(command: options)" }
        guard key.kind == .apiKey else { return renewConsent }
        return "\(rotateSteps); then keyvigil rotate \(key.id) --secret-stdin\(command: options)"
    }

    /// Gives the key a new secret on schedule: the old one stays valid for a day, if the issuer allows that, so that no service has to
    /// change at the same moment.
    package var rotateOnSchedule: String {
        let overlap = min(.days(1), policy.longestOverlap ?? .days(1))
        guard !isHeld, overlap > .zero, profile.map({ (try? $0.check(overlap: overlap)) != nil }) ?? true else {
            return rotate
        }
        return rotate(options: " --overlap \(overlap == .days(1) ? "24h" : "\(overlap)")")
    }

    /// Gives the key a new secret and ends those before it at once.
    package var endOverlaps: String {
        isHeld && isEnded ? endAtIssuer : rotate(options: " --overlap 0s --end-overlaps")
    }

    /// The steps at the issuer that give a held key a new secret.
    package var rotateSteps: String { profile?.rotateSteps ?? "make a new secret at \(title)" }

    /// The steps at the issuer that end a held key.
    package var revokeSteps: String {
        let steps = key.kind == .apiKey ? profile?.revokeSteps : profile?.consents?.revokeSteps
        return steps ?? "revoke it at \(title)"
    }

    /// Ends the key.
    package var revoke: String {
        guard isHeld else { return "keyvigil revoke \(key.id)" }
        return isEnded ? endAtIssuer : "\(revokeSteps); then keyvigil revoke \(key.id) --done"
    }

    /// Replaces a key that has expired or is about to expire.
    package var renew: String {
        isHeld && key.kind == .oauthConsent ? renewConsent : rotate(options: withExpiry)
    }

    private var renewConsent: String {
        "\(profile?.consents?.renewSteps ?? "renew the consent at \(title)"); then keyvigil edit \(key.id)\(command: withExpiry)"
    }

    /// Extends the expiry of a key, as far as that is allowed.
    package var extend: String {
        guard !isHeld, isEditable else { return renew }
        guard let latestExpiry else {
            return "keyvigil edit \(key.id)\(command: withExpiry), or replace it before then"
        }
        guard let expiresAt = key.expiresAt, expiresAt < latestExpiry else { return "replace it before then: \(renew)" }
        return "keyvigil edit \(key.id) --expires \(argument: "\(latestExpiry)"), or replace it before then"
    }

    /// Shortens the lifetime of a key.
    package func shorten(to longest: Period, at now: Instant) -> String {
        // The lifetime begins with the secret.
        let end = (key.rotatedAt ?? key.createdAt).advanced(by: longest)
        guard !isHeld, isEditable, end > now else {
            return "replace it with one that has a shorter lifetime: \(rotate(options: " --expires \(longest)"))"
        }
        return "shorten it: keyvigil edit \(key.id) --expires \(argument: "\(end)")"
    }

    /// Restricts what a key may do.
    package var limit: String {
        if isHeld {
            let replacing = "replace it at \(title) with one that may do less"
            return "if it may do less there, record what: keyvigil edit \(key.id) --permission NAME; else " + replacing
                + ", and record both: keyvigil rotate \(key.id) --secret-stdin && keyvigil edit \(key.id) --permission NAME"
        }
        return isEditable
            ? "limit it: keyvigil edit \(key.id) --permission read\(command: withExpiry)"
            : "create one that may do less, and revoke this one: keyvigil revoke \(key.id)"
    }

    private var isEditable: Bool { profile?.isEditable ?? true }

    /// Asks the issuer whether it accepts a secret; nil if it cannot be asked.
    package var check: String? {
        guard isHeld, profile?.canBeAsked(about: key) ?? false else { return nil }
        return "keyvigil check \(key.id)"
    }
}
