/// Who makes and verifies the secrets of a key.
package enum KeyOrigin: String, CaseIterable, Hashable, Sendable {
    /// This store. A secret that it retires, revokes or expires is refused.
    case issued
    /// Another issuer. The key is in the inventory only; a person records what happens to it at its issuer, or a check
    /// finds out.
    case held
}

/// A statement of a person about a key.
package struct Attestation: Hashable, Sendable {
    /// The user who recorded it.
    package let by: String
    package let at: Instant

    package init(by: String, at: Instant) {
        self.by = by
        self.at = at
    }
}
