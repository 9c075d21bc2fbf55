/// Says whether a candidate is a secret that the caller knows, by its keyed hash.
///
/// Called from several scanning threads at once, seldom: only where a registered prefix stands in the data.
/// The candidate is foreign data and may be a live secret: it is never kept, printed or put into a finding.
package protocol SecretRecognizer: Sendable {
    /// The id of the secret generation that `candidate` (prefix included) hashes to, or nil.
    ///
    /// - Parameters:
    ///   - term: ``SearchTerm/id`` of the prefix that `candidate` starts with.
    ///   - candidate: the bytes to hash; borrowed for the call.
    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64?

    /// What stands for a candidate in text that is shown or stored: the same for the same candidate, in any scan, and
    /// nothing that helps to guess it. Nil where the candidate may be shown.
    ///
    /// - Parameters:
    ///   - candidate: prefix included; of one that is no known secret, the prefix and the run of token characters behind it.
    ///   - secret: what ``recognize(term:candidate:)`` said of it.
    func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String?
}

extension SecretRecognizer {
    package func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String? { secret.map { "\($0)" } }
}

/// Knows no secret: every hit is a mention.
package struct NoSecretsKnown: SecretRecognizer {
    package init() {}
    package func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { nil }
}
