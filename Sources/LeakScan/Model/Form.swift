/// The encoding in which a key is written.
package enum Form: UInt8, Sendable, Hashable, CaseIterable {
    /// Without an encoding.
    case plain
    /// RFC 4648, with the standard or the URL alphabet, at any of the three alignments, on one line or several.
    case base64
    /// Base64 of base64, as in a Kubernetes Secret that contains an HTTP header.
    case base64Twice
    case hexadecimal
    /// UTF-16, either byte order.
    case utf16
    /// RFC 3986: `%3A` for `:`.
    case urlEncoded
    /// With the escapes of JSON and similar formats: `\u003a`, `\/`.
    case escaped

    /// The name in output and JSON.
    package var name: String {
        switch self {
        case .plain: "plain"
        case .base64: "base64"
        case .base64Twice: "base64-twice"
        case .hexadecimal: "hex"
        case .utf16: "utf-16"
        case .urlEncoded: "url-encoded"
        case .escaped: "escaped"
        }
    }
}
