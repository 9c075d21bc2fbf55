/// The password of a login. It has no description. libpq keeps a copy for as long as a connection lasts.
package struct Password: Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    /// - Parameter bytes: UTF-8; a line break at the end is none of it.
    package init(_ bytes: Span<UInt8>) {
        var count = bytes.count
        while count > 0, bytes[count - 1] == UInt8(ascii: "\n") || bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        text = String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self)
    }

    package var description: String { "a password" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
