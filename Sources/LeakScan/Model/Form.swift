/// How a key is written down.
package enum Form: UInt8, Sendable, Hashable, CaseIterable {
    /// As it is.
    case plain
    /// RFC 4648, standard or URL alphabet, at any of the three alignments, also wrapped over lines.
    case base64
    /// Base64 of base64, as a secret of Kubernetes that holds a header does.
    case base64Twice
    case hexadecimal
    /// UTF-16, either byte order.
    case utf16
    /// RFC 3986: `%3A` for `:`.
    case urlEncoded
    /// With the escapes of JSON and its like: `\u003a`, `\/`.
    case escaped

    /// The form's name in output.
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
