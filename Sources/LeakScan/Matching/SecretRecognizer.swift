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

    /// A number for what has a shape, if it is a secret of it that is in no inventory; else nil. Another number than the id of
    /// any secret.
    ///
    /// - Parameters:
    ///   - shape: the ``TokenShape/id``.
    ///   - candidate: the bytes, brand included; borrowed for the call.
    func recognize(shape: Int64, candidate: Span<UInt8>) -> Int64?

    /// What replaces a candidate in text that is shown or stored: the same for the same candidate, in any scan, and
    /// nothing that helps to guess it. Nil where the candidate may be shown.
    ///
    /// - Parameters:
    ///   - candidate: prefix included; of one that is no known secret, the prefix and the run of token characters behind it.
    ///   - secret: what ``recognize(term:candidate:)`` said of it.
    func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String?
}

extension SecretRecognizer {
    package func recognize(shape: Int64, candidate: Span<UInt8>) -> Int64? { nil }

    package func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String? { secret.map { "\($0)" } }
}

/// A recognizer that knows no secret: every hit is a mention.
package struct NoSecretsKnown: SecretRecognizer {
    package init() {}
    package func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { nil }
}
