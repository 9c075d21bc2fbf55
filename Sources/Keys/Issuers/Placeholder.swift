/// Tells what people and their documents write in the place of a secret from what a generator has made.
enum Placeholder {
    /// Whether a text, from an index on, is no random one: it has a word that says so, or goes up letter by letter.
    ///
    /// Each word has five letters or more: of a million random texts of 64 characters at most two have one.
    static func isOne(_ text: borrowing Span<UInt8>, from start: Int) -> Bool {
        let bytes = (start..<text.count).map { text[$0] }
        let letters = bytes.map(lowercase)
        return words.contains { letters.span.contains($0.span) } || isSequence(bytes)
    }

    private static let words = [
        "example", "dummy", "sample", "placeholder", "replace", "changeme", "insert", "please", "secret", "token",
        "apikey",
        "testing", "redacted", "goeshere", "notreal",
    ].map { Array($0.utf8) }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Of random digits one in sixteen follows the one before it, or fewer.
    private static func isSequence(_ bytes: [UInt8]) -> Bool {
        zip(bytes, bytes.dropFirst()).count { $1 == $0 &+ 1 } * 2 >= bytes.count
    }
}
