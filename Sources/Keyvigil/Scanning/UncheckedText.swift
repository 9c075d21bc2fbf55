/// Text from outside that could not be searched for secrets, because it is not known which there are.
enum UncheckedText {
    /// The replacement of words that are not shown.
    static let mark = "{not shown}"

    /// The text without what may be a secret or a part of one, in whatever form: words of a path or sentence that have something
    /// besides lowercase letters, dots, hyphens and underscores, or are long. Short ones, such as numbers, are shown if they are
    /// few.
    static func shown(_ text: String) -> String {
        let parts = parts(of: text)
        let short = parts.filter(\.isShort).reduce(0) { $0 + $1.text.utf8.count }
        return parts.map { part in
            part.isPlain || part.isShort && short <= mostShort ? part.text : mark
        }.joined()
    }

    /// Whether something of a text is not shown.
    static func isDoubtful(_ text: String) -> Bool { shown(text) != text }

    /// Whether a text has a word as secrets are: long, with letters and digits, or too long for a word of a language.
    static func mayBeSecret(_ text: String) -> Bool {
        text.utf8.split(whereSeparator: { $0 <= 0x20 }).contains { word in
            let letters = word.count { (0x61...0x7a).contains($0 | 0x20) }
            let digits = word.count { (0x30...0x39).contains($0) }
            return word.count >= 16 && letters >= 4 && digits >= 1 || word.count > 2 * longest
        }
    }

    /// Longer words are not shown, whatever is in them.
    private static let longest = 24
    /// A doubtful word that is longer is not shown.
    private static let longestShort = 8
    /// If the short ones are longer together, none is shown: they may be numbers for the bytes of a secret.
    private static let mostShort = 24

    private struct Part {
        var text: String
        var isPlain: Bool
        var isShort: Bool { !isPlain && text.utf8.count <= longestShort }
    }

    /// The words and what is between them. A slash may be a letter of a secret: doubtful words between slashes are one.
    private static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        func add(_ text: Substring, isPlain: Bool) {
            guard !text.isEmpty else { return }
            let count = parts.count
            if !isPlain, count > 1, parts[count - 1].text == "/", !parts[count - 2].isPlain {
                parts.removeLast()
                parts[count - 2].text += "/" + text
            } else {
                parts.append(Part(text: String(text), isPlain: isPlain))
            }
        }
        var rest = text[...]
        while let end = rest.firstIndex(where: isSeparator) {
            add(rest[..<end], isPlain: isPlain(rest[..<end]))
            add(rest[end...end], isPlain: true)
            rest = rest[rest.index(after: end)...]
        }
        add(rest, isPlain: isPlain(rest))
        return parts
    }

    private static func isSeparator(_ character: Character) -> Bool {
        character.isWhitespace || "/'\":;,()[]".contains(character)
    }

    private static func isPlain(_ word: Substring) -> Bool {
        word.utf8.count <= longest
            && word.utf8.allSatisfy { (0x61...0x7a).contains($0) || [0x2e, 0x2d, 0x5f].contains($0) }
    }
}
