/// A text that equals another only where each byte of it does: a path, a place, a permission, a resource.
///
/// Two strings of Swift are equal also where one is another spelling of the other (Unicode, canonical equivalence): `é` and `e` with
/// an accent, `K` and the Kelvin sign. To the kernel and to whoever grants access those are two. Names of keys, on the other hand,
/// are for people, to whom they are one (``NameRules``).
package struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    package static func == (first: Self, second: Self) -> Bool { first.text.isExactly(second.text) }

    /// In the order of the bytes.
    package static func < (first: Self, second: Self) -> Bool {
        first.text.utf8.lexicographicallyPrecedes(second.text.utf8)
    }

    /// Equivalent spellings have one hash, which is allowed.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension StringProtocol {
    /// Whether each byte is the other's.
    package func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether the text begins with the bytes of another.
    package func startsExactly(with other: some StringProtocol) -> Bool { utf8.starts(with: other.utf8) }
}

extension Sequence<String> {
    /// In the order of the bytes, each text once.
    package var distinctByBytes: [String] { Set(map { ExactText($0) }).sorted().map(\.text) }
}

extension Dictionary where Key == ExactText {
    /// The value of a text.
    package subscript(text: String) -> Value? {
        get { self[ExactText(text)] }
        set { self[ExactText(text)] = newValue }
    }
}

extension Set where Element == ExactText {
    /// Whether it holds a text.
    package func contains(_ text: String) -> Bool { contains(ExactText(text)) }
}
