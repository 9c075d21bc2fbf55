/// Decides whether a candidate is a secret that the caller knows, by its keyed hash.
///
/// Called by several scanning threads at once, but only where the data contains a known prefix. The candidate is
/// foreign data and may be a working secret: it must not be kept, printed or put into a finding.
package protocol SecretRecognizer: Sendable {
    /// The id of the secret whose hash is that of `candidate` (including the prefix), or nil.
    ///
    /// - Parameters:
    ///   - term: the ``SearchTerm/id`` of the prefix with which `candidate` starts.
    ///   - candidate: the bytes to hash; borrowed for the call.
    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64?
}

/// A recognizer that knows no secret: every hit is a mention.
package struct NoSecretsKnown: SecretRecognizer {
    package init() {}
    package func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { nil }
}
