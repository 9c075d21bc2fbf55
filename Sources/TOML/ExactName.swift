/// A name that equals another only when their code points are the same. Two strings of Swift are equal also when one is a
/// decomposed form of the other; TOML takes those for two names.
struct ExactName: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (first: Self, second: Self) -> Bool { first.text.utf8.elementsEqual(second.text.utf8) }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
