/// The identifier of a key, which rotation does not change: `key_` and 16 base62 characters (95 random bits).
package struct KeyID: Hashable, Sendable, OwnText {
    package let text: String

    /// Takes text that the store holds, without checking it.
    package init(stored text: String) { self.text = text }

    /// A new id.
    package static func random(using generator: inout some RandomNumberGenerator) -> KeyID {
        KeyID(stored: "key_" + Base62.randomText(count: 16, using: &generator))
    }

    package var description: String { text }

    private static let start = "key_"
    /// The number of characters of an id that suffice to name a key.
    package static let shortestStart = 8

    /// Whether a text is long enough to be the start of an id, and begins as one.
    package static func isStart(_ text: String) -> Bool {
        text.startsExactly(with: start) && text.utf8.count >= shortestStart
    }

    /// Whether a text begins as an id, and is too short to name a key.
    package static func isTooShort(_ text: String) -> Bool {
        text.startsExactly(with: start) && text.utf8.count < shortestStart
    }

    /// Whether a text begins as an id does. Such a name is refused, because commands and people would take it for an id.
    package static func beginsLike(_ text: String) -> Bool {
        isStart(text)
            && text.utf8.dropFirst(start.utf8.count).prefix(shortestStart - start.utf8.count)
                .allSatisfy(Base62.contains)
    }
}
