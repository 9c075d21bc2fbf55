/// How to ask an issuer whether it accepts a secret: one HTTP request that changes nothing.
package struct IssuerCheck: Sendable, Equatable {
    /// GET or HEAD.
    package var method: String
    /// The URL for each environment whose keys can be checked; https only.
    package var addresses: [KeyEnvironment: String]
    /// The header field for the bare secret; nil for `Authorization` in the form of the issuer.
    package var header: String?
    /// The HTTP statuses (RFC 9110) that mean the secret is accepted.
    package var accepted: [Int]
    /// The HTTP statuses that mean it is refused.
    package var refused: [Int]
    /// The brands of secrets that the address does not answer, or not truly, such as those of refresh tokens.
    package var uncheckedBrands: [String]
    /// The longest time to wait for the answer.
    package var timeout: Period

    package init(
        method: String, addresses: [KeyEnvironment: String], header: String?, accepted: [Int], refused: [Int],
        uncheckedBrands: [String] = [], timeout: Period
    ) {
        self.method = method
        self.addresses = addresses
        self.header = header
        self.accepted = accepted
        self.refused = refused
        self.uncheckedBrands = uncheckedBrands
        self.timeout = timeout
    }

    /// What an HTTP status means. A redirection is not followed, because it could send the secret to another host.
    package func answer(status: Int) -> IssuerAnswer {
        if accepted.contains(status) { return .accepted }
        if refused.contains(status) { return .refused }
        if (300..<400).contains(status) {
            return .unknown("it answered \(status), a redirection, which is not followed with a secret")
        }
        return .unknown("it answered \(status), which its profile does not list")
    }
}

extension IssuerProfile {
    /// Whether the profile says how to ask about the secrets of a key. The address answers API keys, not consents.
    package func canBeAsked(about key: Key) -> Bool {
        key.kind == .apiKey && check?.addresses[key.environment] != nil
    }
}
