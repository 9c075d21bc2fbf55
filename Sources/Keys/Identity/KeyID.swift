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
}
