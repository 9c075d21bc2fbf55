/// Makes text from outside safe to show on a terminal and in the journal.
package enum DisplayText {
    /// The text with every character escaped that could hide, move or forge other text: controls, line and
    /// paragraph separators, and bidirectional marks, which can make one name look like another
    /// (Unicode Technical Report 36, section 2.4). Escapes are written `\u{202E}`.
    package static func escaped(_ text: String, limit: Int = 256) -> String {
        // Nearly every name is plain ASCII, which shows as itself.
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit { return result + "…" }
            count += 1
            if isHazardous(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Whether a scalar is invisible or changes how the text around it is shown.
    package static func isHazardous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return true
        default:
            return false
        }
    }

    /// The candidate with the smallest edit distance to a word, if it is close enough to be a likely typing error.
    package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(2, word.utf8.count / 3) else { return nil }
        return best.candidate
    }

    /// The question whether the nearest candidate was meant, as a hint; nil where none is near.
    package static func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
        nearest(to: word, among: candidates).map { "did you mean '\(escaped($0))'?" }
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
