/// A prefix to search for, and how to extract the secret that may follow it.
package struct SearchTerm: Sendable, Hashable {
    /// The caller's id of the prefix, which the scanner only returns.
    package let id: Int64

    /// The visible, non-secret start of a secret, e.g. `kv_live_Ab3dE6gH_` or a sign-in `pied-piper-7132:`.
    /// At least one byte; an empty prefix is refused by ``SearchTerms``.
    package let prefix: [UInt8]

    /// The total lengths in bytes, prefix included, of the secrets known under this prefix. Empty if unknown: then the
    /// candidate is the prefix and the longest run of token characters (`A-Z a-z 0-9 - . _ ~ + / =`, from RFC 6750 and
    /// the base64 of RFC 7617) that follows, up to ``SearchTerms/longestUnknownRun`` bytes, with and without trailing
    /// punctuation.
    package let secretLengths: [Int]

    /// Set for a name, such as a login, whose secret is found elsewhere in the same text; see ``Partner``.
    package let partner: Partner?

    package init(id: Int64, prefix: [UInt8], secretLengths: [Int] = [], partner: Partner? = nil) {
        self.id = id
        self.prefix = prefix
        self.secretLengths = secretLengths
        self.partner = partner
    }
}

/// The secret part of a credential whose two parts are stored separately: a login in one variable, its secret in
/// another. The candidate is the name, the separator, and a run of exactly ``length`` characters of the alphabet
/// anywhere in the same file or object.
package struct Partner: Sendable, Hashable {
    /// The separator between the parts when they are joined.
    package let separator: UInt8
    package let alphabet: Set<UInt8>
    /// The length of the secret part in bytes.
    package let length: Int

    package init(separator: UInt8, alphabet: [UInt8], length: Int) {
        self.separator = separator
        self.alphabet = Set(alphabet)
        self.length = length
    }
}
