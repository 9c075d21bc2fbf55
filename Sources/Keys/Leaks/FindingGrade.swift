/// How certain a finding is. The raw values appear in JSON.
package enum FindingGrade: String, CaseIterable, Hashable, Sendable {
    /// The complete secret is present: its hash is in the store.
    case confirmed
    /// A known prefix is followed by a complete body of its issuer's shape, but the store has no hash of the secret of
    /// that key.
    case probable
    /// Only the prefix is present.
    case mention
}
