/// The other keys with the same visible prefix: a mention of it may refer to any of them.
package struct SharedPrefix: Hashable, Sendable {
    /// A key as it is named in a sentence.
    package struct Candidate: Hashable, Sendable {
        package let id: String
        package let name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// The first few of them.
    package private(set) var keys: [Candidate] = []
    /// The number of further ones.
    package private(set) var more = 0

    private static let named = 5

    package init() {}

    package mutating func add(_ key: Candidate) {
        if keys.count < Self.named { keys.append(key) } else { more += 1 }
    }

    /// The continuation of a sentence that names one key: ` or 'b' (key_…) or 3 more`, or empty.
    package var alternatives: String {
        keys.map { " or \(DisplayText.quoted($0.name, limit: 64)) (\($0.id))" }.joined()
            + (more > 0 ? " or \(more) more" : "")
    }
}
