internal import Errors

/// Makes text from outside safe to show on a terminal and in the journal.
///
/// ``Wording`` puts such text into sentences, ``escaped(_:limit:)`` into a cell or a row of its own.
package enum DisplayText {
    /// The text with every character escaped that could hide, move or forge other text: controls, line and
    /// paragraph separators, invisible characters, and bidirectional marks, which can make one name look like another
    /// (Unicode Technical Report 36, section 2.4). Escapes are written `\u{202E}`.
    package static func escaped(_ text: String, limit: Int = 256) -> String {
        // Nearly every name is plain ASCII, which shows as itself.
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
        let shown = escaped(text, limit: limit) { $0.isHazardous ? escape($0) : nil }
        return shown.isWhole ? shown.text : shown.text + "…"
    }

    /// The text in quotes, so that nothing in it can be taken for words of the program. A quote or a backslash in it gets a
    /// backslash; a text that is cut ends with an ellipsis behind the quotes.
    package static func quoted(_ text: String, limit: Int = 256) -> String {
        let shown = withEscapedQuotes(text, limit: limit)
        return "'\(shown.text)'" + (shown.isWhole ? "" : "…")
    }

    /// The text for a place between quotes that are already there.
    package static func betweenQuotes(_ text: String, limit: Int = 256) -> String {
        let shown = withEscapedQuotes(text, limit: limit)
        return shown.isWhole ? shown.text : shown.text + "…"
    }

    /// The text as it is if it is one word of ASCII letters, digits and `._/@+=%~!*?-`, as most paths and patterns are; else
    /// in quotes.
    package static func name(_ text: String, limit: Int = 256) -> String {
        isWord(text, besides: "*?") && text.utf8.count <= limit ? text : quoted(text, limit: limit)
    }

    /// A prefix as it is if it is one word; else in quotes. Prefixes of other issuers may end with a colon.
    package static func prefix(_ text: String) -> String {
        isWord(text, besides: ":") ? text : quoted(text, limit: 64)
    }

    /// Whether a scalar is invisible or changes how the text around it is shown.
    package static func isHazardous(_ scalar: Unicode.Scalar) -> Bool { scalar.isHazardous }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }

    private static func withEscapedQuotes(_ text: String, limit: Int) -> (text: String, isWhole: Bool) {
        var isFirst = true
        return escaped(text, limit: limit) { scalar in
            defer { isFirst = false }
            switch scalar {
            case "'", "\\": return "\\" + String(scalar)
            // It would be drawn over the quote.
            case _ where isFirst && scalar.properties.canonicalCombiningClass != .notReordered: return escape(scalar)
            default: return scalar.isHazardous ? escape(scalar) : nil
            }
        }
    }

    /// - Parameter replacement: what a scalar is shown as; nil for itself.
    private static func escaped(
        _ text: String, limit: Int, _ replacement: (Unicode.Scalar) -> String?
    ) -> (text: String, isWhole: Bool) {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit { return (result, false) }
            count += 1
            if let replaced = replacement(scalar) {
                result += replaced
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return (result, true)
    }

    private static func isWord(_ text: String, besides more: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-") else { return false }
        return text.utf8.allSatisfy { Base62.contains($0) || wordSigns.contains($0) || more.utf8.contains($0) }
    }

    private static let wordSigns = Array("._/@+=%~!-".utf8)

    /// A text without the ellipsis, or the three dots, at its end, as behind the visible prefix of a secret.
    package static func withoutEllipsis(_ text: String) -> String {
        for end in ["…", "..."] where text.utf8.reversed().starts(with: end.utf8.reversed()) {
            return String(decoding: text.utf8.dropLast(end.utf8.count), as: UTF8.self)
        }
        return text
    }

    /// The candidate with the smallest edit distance to a word, if it is close enough to be a likely typing error.
    package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(2, word.utf8.count / 3),
            // Of short words every other one is a few letters away.
            best.distance * 2 <= max(word.utf8.count, best.candidate.utf8.count)
        else { return nil }
        return best.candidate
    }

    /// The question whether the nearest candidate was meant, as a hint; nil where none is near.
    package static func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
        nearest(to: word, among: candidates).map { "did you mean \(quoted($0))?" }
    }

    /// Levenshtein's distance, one row at a time.
    private static func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var row = Array(0...second.count)
        for (i, a) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in second.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
