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
    /// With the escapes of JSON, C, shells and similar formats: `\u003a`, `\x3a`, `\072`, `\/`.
    case escaped
    /// UTF-32, either byte order.
    case utf32
    /// Split over string literals or lines: `"abc" + "def"`.
    case split
    /// As a list of octal or decimal numbers, or of characters with blanks between.
    case numbers
    /// With the character references of HTML and XML: `&#58;`.
    case htmlEscaped
    /// RFC 2045: `=3A`.
    case quotedPrintable
    /// In compressed data or an archive that is written as text.
    case packed
    /// RFC 4648, 6, in upper or lower case, at any of the five alignments.
    case base32
    /// Ascii85, RFC 1924 or Z85, at any of the four alignments, on one line or several.
    case base85
    /// Code page 37, 500 or 1047 of mainframes.
    case ebcdic

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
        case .utf32: "utf-32"
        case .split: "split"
        case .numbers: "numbers"
        case .htmlEscaped: "html-escaped"
        case .quotedPrintable: "quoted-printable"
        case .packed: "packed"
        case .base32: "base32"
        case .base85: "base85"
        case .ebcdic: "ebcdic"
        }
    }
}
