/// How sure a finding is. The raw values are what scripts read.
package enum FindingGrade: String, CaseIterable, Hashable, Sendable {
    /// The whole secret is there: its hash is known.
    case confirmed
    /// A known prefix is followed by a whole body of its issuer's shape, and the hash of that key's secret is not known.
    case probable
    /// Only the prefix is there.
    case mention
}
