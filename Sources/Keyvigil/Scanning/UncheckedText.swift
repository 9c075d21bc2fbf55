/// Text from outside that could not be searched for secrets, because it is not known which there are.
enum UncheckedText {
    /// What stands for words that are not shown.
    static let mark = "{not shown}"

    /// The text without what may be a secret or a part of one, in whatever form: words of a path or sentence that have something
    /// besides lowercase letters, dots, hyphens and underscores, or are long. Numbers and short words are shown.
    static func shown(_ text: String) -> String {
        var result = ""
        var word = ""
        for character in text {
            guard character.isWhitespace || "'\":;,()[]".contains(character) else {
                word.append(character)
                continue
            }
            result += shown(word: word) + String(character)
            word = ""
        }
        return result + shown(word: word)
    }

    /// Whether something of a text is not shown.
    static func isDoubtful(_ text: String) -> Bool { shown(text) != text }

    /// Longer words are not shown, whatever is in them.
    private static let longest = 24
    /// A run of doubtful words that is shorter is shown.
    private static let shortestHidden = 8
    /// No longer number is a setting or a line.
    private static let longestNumber = 10

    /// A slash may be a letter of a secret: doubtful words between slashes are one.
    private static func shown(word: String) -> String {
        var parts: [String] = []
        var doubtful: [String] = []
        func end() {
            let run = doubtful.joined(separator: "/")
            if !doubtful.isEmpty { parts.append(run.count < shortestHidden ? run : mark) }
            doubtful = []
        }
        for part in word.split(separator: "/", omittingEmptySubsequences: false).map(String.init) {
            if isPlain(part) {
                end()
                parts.append(part)
            } else {
                doubtful.append(part)
            }
        }
        end()
        return parts.joined(separator: "/")
    }

    private static func isPlain(_ word: String) -> Bool {
        if word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return word.utf8.count <= longestNumber }
        return word.utf8.count <= longest
            && word.utf8.allSatisfy { (0x61...0x7a).contains($0) || [0x2e, 0x2d, 0x5f].contains($0) }
    }
}
