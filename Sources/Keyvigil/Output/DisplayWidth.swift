internal import CLinux
internal import Keys

/// How many columns of a terminal a text takes: none for a combining mark, two for a character of East Asia and for an emoji
/// (wcwidth(3)).
enum DisplayWidth {
    static func columns(of text: String) -> Int {
        // Nearly everything is plain ASCII.
        if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
    }

    /// The start of a text that takes at most `limit` columns, with an ellipsis where it is cut.
    static func fitted(_ text: String, to limit: Int) -> String {
        guard columns(of: text) > limit else { return text }
        var result = ""
        var width = 0
        for scalar in text.unicodeScalars {
            let next = columns(of: scalar)
            if width + next > limit - 1 { break }
            width += next
            result.unicodeScalars.append(scalar)
        }
        return result + "…"
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int { Int(keyvigil_display_columns(scalar.value)) }
}
