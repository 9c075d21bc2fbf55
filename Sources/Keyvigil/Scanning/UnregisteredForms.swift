internal import Keys
internal import LeakScan

/// The forms of secrets by which those are found that are in no inventory: of each issuer whose secrets say enough.
struct UnregisteredForms: Sendable {
    /// What the scanner searches for.
    let shapes: [TokenShape]
    /// Whose secrets have a shape, by its id.
    private let profiles: [Int64: IssuerProfile]
    /// All forms in words: what was searched for the same forms need not be searched again.
    let text: String

    init(_ issuers: IssuerCatalog) {
        var shapes: [TokenShape] = []
        var profiles: [Int64: IssuerProfile] = [:]
        var lines: [String] = []
        for profile in issuers.names.compactMap({ issuers[$0] }) {
            for form in profile.shape.distinctForms {
                // Below 0: the ids of secrets are above it.
                let id = -Int64(shapes.count + 1)
                guard
                    let shape = TokenShape(
                        id: id, brand: form.brand, alphabet: form.alphabet, lengths: form.lengths)
                else { continue }
                shapes.append(shape)
                profiles[id] = profile
                let brand = String(decoding: form.brand, as: UTF8.self)
                let alphabet = String(decoding: form.alphabet, as: UTF8.self)
                lines.append("\(profile.name) \(brand) \(form.lengths) \(alphabet)")
            }
        }
        self.shapes = shapes
        self.profiles = profiles
        text = ([Scanner.search] + lines).joined(separator: "\n")
    }

    /// Whose secrets have a shape.
    func issuer(of shape: Int64) -> IssuerProfile? { profiles[shape] }
}
