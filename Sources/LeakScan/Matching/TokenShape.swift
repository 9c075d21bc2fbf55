/// What all secrets of one kind look like: a brand, and a number of characters of an alphabet. It finds secrets of which no
/// prefix is known.
package struct TokenShape: Sendable, Hashable {
    /// The caller's id of the shape, which the scanner only returns. Another one than those of the terms.
    package let id: Int64
    /// The start of the secrets, such as `ghp_`.
    package let brand: [UInt8]
    /// What follows the brand.
    package let alphabet: Set<UInt8>
    /// The number of characters after the brand.
    package let lengths: ClosedRange<Int>

    /// Nil for a shape that would be found everywhere, or that cannot be searched for: the brand has at least ``shortestBrand``
    /// bytes, the whole secret ``shortest``, and both consist of letters, digits, `_`, `-` and `.`.
    package init?(id: Int64, brand: [UInt8], alphabet: [UInt8], lengths: ClosedRange<Int>) {
        guard brand.count >= Self.shortestBrand, brand.count + lengths.lowerBound >= Self.shortest,
            brand.count + lengths.upperBound <= SearchTerms.longestSecret,
            (brand + alphabet).allSatisfy(TokenSearch.isToken), TokenSearch.isAlphanumeric(brand[0])
        else { return nil }
        self.id = id
        self.brand = brand
        self.alphabet = Set(alphabet)
        self.lengths = lengths
    }

    /// The minimum length of a brand, and of a secret with its brand, in bytes.
    package static let shortestBrand = 3
    package static let shortest = 24
}
