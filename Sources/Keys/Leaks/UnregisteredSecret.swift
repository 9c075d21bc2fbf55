/// What has the form of an issuer's secrets and belongs to no key of the store, at a location where the scanner found it.
package struct UnregisteredSecret: Hashable, Sendable {
    /// The name of the issuer whose secrets have the form.
    package let issuer: String
    /// The start that may be shown.
    package let prefix: String
    /// The keyed hash, by which it is known again.
    package let hash: SecretHash
    /// Where it is. It names no secret of the store.
    package let sighting: Sighting

    package init(issuer: String, prefix: String, hash: SecretHash, sighting: Sighting) {
        self.issuer = issuer
        self.prefix = prefix
        self.hash = hash
        self.sighting = sighting
    }
}
