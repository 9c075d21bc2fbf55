/// Words of the program, in which names from outside are quoted.
///
/// The literal parts are the program's own. What is interpolated has to say what it is, so that no name, path or author gets
/// into a sentence as if the program had said it: `"\(name: path) is empty"`. Interpolating a bare `String` does not compile.
package struct Wording: ExpressibleByStringInterpolation, CustomStringConvertible, Hashable, Sendable {
    package private(set) var text: String

    package var description: String { text }

    package init(stringLiteral value: String) { text = value }

    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Text that was worded before: an error's message, a remedy, what the store has kept of an alert.
    package init(words: String) { text = words }

    package static func + (first: Wording, second: Wording) -> Wording { Wording(words: first.text + second.text) }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ words: Wording) { text += words.text }

        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }

        package mutating func appendInterpolation(_ value: some OwnText) { text += value.description }

        /// Text that was worded before.
        package mutating func appendInterpolation(words: String) { text += words }

        /// A path, an author, or another name from outside: in quotes, unless it is one plain word.
        package mutating func appendInterpolation(name: String, limit: Int = 256) {
            text += DisplayText.name(name, limit: limit)
        }

        /// A name that is always in quotes, as those of keys are.
        package mutating func appendInterpolation(quoted name: String, limit: Int = 256) {
            text += DisplayText.quoted(name, limit: limit)
        }

        /// A key's visible prefix.
        package mutating func appendInterpolation(prefix: String) { text += DisplayText.prefix(prefix) }
    }
}

/// A value whose description is made by the program, of nothing from outside.
package protocol OwnText: CustomStringConvertible {}

extension Sequence<Wording> {
    package func joined(separator: String) -> Wording { Wording(words: map(\.text).joined(separator: separator)) }
}
