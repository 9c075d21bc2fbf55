internal import Keys

/// Looks at the headers of tables before the parser does: toml++ ends the program, by an assertion of its own, at a header
/// whose name begins with a character that no key begins with, such as `[#a]`. A daemon must survive a reload with one.
///
/// Every line that begins with a bracket is held to be a header, within a text of several lines too: whether one is open can
/// be told for certain only by the parser itself.
enum TableHeaders {
    /// - Throws: ``InputError`` with file and line.
    static func check(_ text: String, file: String) throws(InputError) {
        var line = 1
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            let content = rest.prefix { !isLineBreak($0) }
            if let name = header(content), !(name.first.map(isKeyStart) ?? false) {
                throw InputError(
                    "\(file):\(line): '[' is not followed by the name of a table",
                    hint: "write [scan], or [\"a name\"] for one with other characters")
            }
            rest = rest.dropFirst(content.count)
            if let end = rest.popFirst(), end == "\n" { line += 1 }
        }
    }

    /// What stands behind the bracket or the two brackets of a header, or nil for a line that is none.
    private static func header(_ line: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
        var line = line.drop(while: isSpace)
        guard line.popFirst() == "[" else { return nil }
        if line.first == "[" { line.removeFirst() }
        return line.drop(while: isSpace)
    }

    /// Bare keys, and the delimiters of quoted ones (TOML 1.0, "Keys").
    private static func isKeyStart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "\"", "'": true
        default: false
        }
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar == "\u{FEFF}"
    }

    private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }
}
