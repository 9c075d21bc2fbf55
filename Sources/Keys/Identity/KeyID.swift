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

    /// Whether a text has the form of an id. A name of this form is refused, because commands would take it for an id.
    package static func looksLike(_ text: String) -> Bool {
        text.hasPrefix("key_") && text.utf8.count == 20
            && text.utf8.dropFirst(4).allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
    }
}
