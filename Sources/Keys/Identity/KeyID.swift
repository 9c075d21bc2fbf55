/// The name that a key keeps through every rotation: `key_` and 16 base62 characters (95 random bits).
package struct KeyID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Text that came from the store.
    package init(stored text: String) { self.text = text }

    /// A new id.
    package static func random(using generator: inout some RandomNumberGenerator) -> KeyID {
        KeyID(stored: "key_" + Base62.randomText(count: 16, using: &generator))
    }

    package var description: String { text }

    /// Whether a text has the form of an id: a name that has would be taken for one.
    package static func looksLike(_ text: String) -> Bool {
        text.hasPrefix("key_") && text.utf8.count == 20
            && text.utf8.dropFirst(4).allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
    }
}
