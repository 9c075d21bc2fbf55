/// Who makes and verifies the secrets of a key.
package enum KeyOrigin: String, CaseIterable, Hashable, Sendable {
    /// This store: a secret that it retires, revokes or expires is refused from then on.
    case issued
    /// Another issuer: the key is in the inventory here. What happens to it there, a person records, or a check finds out.
    case held
}

/// What a person said about a key, and when they said it.
package struct Attestation: Hashable, Sendable {
    /// The user who recorded it.
    package let by: String
    package let at: Instant

    package init(by: String, at: Instant) {
        self.by = by
        self.at = at
    }
}
