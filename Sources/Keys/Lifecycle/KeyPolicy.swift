/// The rules for every key of the store, whoever issues it. New keys and changes that violate them are refused;
/// existing keys are flagged.
package struct KeyPolicy: Hashable, Sendable {
    /// Whether every key needs an owner.
    package var requiresOwner: Bool
    /// The longest lifetime of a secret; nil allows any, including no expiry.
    package var longestLifetime: Period?
    /// The longest time for which a replaced secret may stay valid; nil allows any.
    package var longestOverlap: Period?

    package static let standard = KeyPolicy(requiresOwner: false, longestLifetime: nil, longestOverlap: nil)

    package init(requiresOwner: Bool, longestLifetime: Period?, longestOverlap: Period?) {
        self.requiresOwner = requiresOwner
        self.longestLifetime = longestLifetime
        self.longestOverlap = longestOverlap
    }

    /// - Parameter other: nil: any.
    /// - Returns: the rules with a longest lifetime that is no longer than another one.
    package func withLifetime(upTo other: Period?) -> KeyPolicy {
        var policy = self
        policy.longestLifetime = [longestLifetime, other].compactMap(\.self).min()
        return policy
    }

    /// A default as far as it is allowed: a period is no longer than the longest lifetime.
    package func bounded(_ expiry: ExpiryRequest) -> ExpiryRequest {
        guard let longestLifetime else { return expiry }
        switch expiry {
        case .after(let period): return .after(min(period, longestLifetime))
        case .never: return .after(longestLifetime)
        case .at: return expiry
        }
    }

    /// - Throws: ``InputError`` if an owner is required and there is none.
    package func check(owner: String?) throws(InputError) {
        guard requiresOwner, owner == nil else { return }
        throw InputError(
            "the policy requires an owner",
            hint: "name the person who is responsible for the key: --owner NAME, or the field owner")
    }

    /// - Parameter start: when the lifetime of the secret begins.
    /// - Throws: ``InputError`` for a lifetime that is longer than the policy allows.
    package func check(expiresAt: Instant?, from start: Instant) throws(InputError) {
        guard let longestLifetime else { return }
        guard let expiresAt else {
            throw InputError(
                "the policy allows a lifetime of at most \(longestLifetime), and the key never expires",
                hint: "give an expiry: --expires \(longestLifetime), or the field expires_at")
        }
        guard expiresAt.milliseconds(since: start) <= longestLifetime.milliseconds else {
            throw InputError(
                "the policy allows a lifetime of at most \(longestLifetime)",
                hint: "give an expiry until \(start.advanced(by: longestLifetime))")
        }
    }

    /// - Throws: ``InputError`` for an overlap that is longer than the policy allows.
    package func check(overlap: Period) throws(InputError) {
        guard let longestOverlap, overlap > longestOverlap else { return }
        throw InputError(
            "the policy allows an overlap of at most \(longestOverlap)", hint: "give a shorter --overlap")
    }
}
