/// Which secrets can be distinguished from other text without knowing any of them.
extension SecretShape {
    /// What the secrets with one brand look like.
    package struct DistinctForm: Sendable, Equatable {
        package let brand: [UInt8]
        package let alphabet: [UInt8]
        /// The number of characters after the brand, the checksum included.
        package let lengths: ClosedRange<Int>
    }

    /// The shortest brand, in bytes.
    private static let shortestBrand = 3
    /// The fewest random bits that a secret without a checksum has. Nothing that a person writes is like that.
    private static let fewestBits = 95

    /// The forms that say enough to recognise a secret of this shape in any text: those with a brand, and with a checksum or a long
    /// random part. Empty for sign-ins and unknown shapes.
    package var distinctForms: [DistinctForm] {
        switch self {
        case .own(let brand):
            let length = SecretFormat.idLength + 1 + SecretFormat.bodyLength
            return KeyEnvironment.allCases.map { environment in
                let start = "\(brand)_\(environment.rawValue)_"
                return DistinctForm(
                    brand: Array(start.utf8), alphabet: Base62.alphabet + [UInt8(ascii: "_")],
                    lengths: length...length)
            }
        case .branded(let shapes):
            return shapes.flatMap { shape in
                shape.brands.filter { $0.utf8.count >= Self.shortestBrand && shape.isDistinct }.map {
                    DistinctForm(brand: Array($0.utf8), alphabet: shape.wholeAlphabet, lengths: shape.wholeLengths)
                }
            }
        case .signIn, .unknown: return []
        }
    }

    /// The length of the visible prefix of a candidate, if it is a complete secret of this shape and looks random; else nil. A
    /// placeholder such as `ghp_xxxxxxxx` does not. An example of a provider's documentation is none either.
    package func prefixLength(ofUnregistered candidate: borrowing Span<UInt8>) -> Int? {
        let (start, hasChecksum) = randomPart(of: candidate)
        guard let length = try? prefixLength(of: candidate), looksRandom(candidate, from: start),
            hasChecksum || !Placeholder.isOne(candidate, from: start), !PublicExample.isOne(candidate)
        else { return nil }
        return length
    }

    /// Where the random part of a candidate begins, and whether a checksum shows that it is one.
    private func randomPart(of candidate: borrowing Span<UInt8>) -> (start: Int, hasChecksum: Bool) {
        guard case .branded(let shapes) = self, let match = BrandedShape.match(candidate, in: shapes) else {
            return (0, false)
        }
        return (match.brandLength, match.shape.checksum != .none)
    }

    /// Whether the random part has characters of two kinds, if its alphabet has more than one, and enough different ones. Of a
    /// million random secrets at most a few do not.
    private func looksRandom(_ candidate: borrowing Span<UInt8>, from start: Int) -> Bool {
        var seen = Set<UInt8>()
        for index in start..<candidate.count { seen.insert(candidate[index]) }
        let found = Self.kinds.filter { kind in seen.contains(where: kind.contains) }.count
        return found >= 2 && seen.count >= Self.fewestDifferent
    }

    private static let kinds = [
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"),
    ]
    private static let fewestDifferent = 8

    /// Whether there are enough random characters to recognise a secret by their number.
    fileprivate static func isLong(_ alphabet: [UInt8], _ count: Int) -> Bool {
        // An alphabet of one kind of characters has words, too.
        guard kinds.filter({ kind in alphabet.contains(where: kind.contains) }).count > 1 else { return false }
        let bitsOfEach = Int.bitWidth - 1 - alphabet.count.leadingZeroBitCount
        return bitsOfEach * count >= fewestBits
    }
}

extension BrandedShape {
    fileprivate var isDistinct: Bool {
        checksum != .none || SecretShape.isLong(alphabet, lengths.lowerBound)
    }
}
