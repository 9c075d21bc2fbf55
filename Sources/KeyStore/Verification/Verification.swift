package import Keys

/// The store's answer to a credential, for the operator. An outside caller gets ``VerdictCode/httpStatus`` only.
package struct Verification: Sendable {
    package let code: VerdictCode
    /// The key that the secret belongs to, whatever the code; nil where the secret is not known.
    package let key: SecretHolder?
    /// The state of the secret, where it is known.
    package let secret: SecretGrade?
}

/// What a verification tells of the key that a secret belongs to.
package struct SecretHolder: Hashable, Sendable {
    package let id: KeyID
    package let name: String
    package let owner: String?
    /// The visible prefix of the secret that was presented.
    package let prefix: String
    package let lastUsedAt: Instant?
    /// When the use of a retired secret was last reported.
    package let reuseToldAt: Instant?
    /// What the key may do, where, and how it is presented.
    package let grant: AccessGrant
    package let origin: KeyOrigin
    /// Who last recorded what became of the key.
    package let attestation: Attestation?
    /// What is known of the secret from asking its issuer.
    package let check: CheckRecord
    /// The open incident of the secret; nil where it has not leaked.
    package let exposure: Exposure?

    /// A leak of the secret that is not resolved.
    package struct Exposure: Hashable, Sendable {
        /// The number of the incident.
        package let incident: Int64
        /// When a use of the secret was last reported.
        package let useReportedAt: Instant?
    }
}
