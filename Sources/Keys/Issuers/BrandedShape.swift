/// One of several brands, then random characters of an alphabet, of which the first `visible` may be shown, then
/// optionally a checksum.
package struct BrandedShape: Sendable, Equatable {
    /// What follows the random characters.
    package enum Checksum: String, CaseIterable, Sendable {
        case none
        /// Six base62 digits, a CRC-32 of the brand and the random characters.
        case crc32
        /// Six base62 digits, a CRC-32 of the random characters alone.
        case crc32Random = "crc32-random"
    }

    /// The starts of secrets, at least one; one may be empty. A new secret has the first that fits its environment.
    package let brands: [String]
    package let alphabet: [UInt8]
    /// The numbers of random characters that a secret may have. A new secret has the smallest.
    package let lengths: ClosedRange<Int>
    /// The number of random characters that belong to the visible prefix.
    package let visible: Int
    package let checksum: Checksum

    package init(brands: [String], alphabet: [UInt8], lengths: ClosedRange<Int>, visible: Int, checksum: Checksum) {
        self.brands = brands
        self.alphabet = alphabet
        self.lengths = lengths
        self.visible = visible
        self.checksum = checksum
    }

    /// Brands as a person reads them: `'sk_live_' or 'sk_test_'`.
    static func brands(of shapes: [BrandedShape]) -> String {
        let all = shapes.flatMap(\.brands).map { "'\($0)'" }
        return all.count == 1 ? all[0] : "\(all.dropLast().joined(separator: ", ")) or \(all[all.count - 1])"
    }

    /// The shape with the longest brand that `bytes` begin with, and the length of that brand.
    static func match(
        _ bytes: borrowing Span<UInt8>, in shapes: [BrandedShape]
    ) -> (shape: BrandedShape, brandLength: Int)? {
        var longest: (shape: BrandedShape, brandLength: Int)?
        for shape in shapes {
            for brand in shape.brands {
                let brand = Array(brand.utf8)
                guard brand.count >= longest.map({ $0.brandLength + 1 }) ?? 0, brand.count <= bytes.count,
                    brand.indices.allSatisfy({ brand[$0] == bytes[$0] })
                else { continue }
                longest = (shape, brand.count)
            }
        }
        return longest
    }

    // MARK: - New secrets

    /// - Throws: ``InputError`` if brands name environments, as `sk_test_` does, and none names this one.
    func randomPrefix(
        environment: KeyEnvironment, using generator: inout some RandomNumberGenerator
    ) throws(InputError) -> String {
        guard
            let brand = brands.first(where: { Self.environment(of: $0) == environment })
                ?? brands.first(where: { Self.environment(of: $0) == nil })
        else {
            let named = KeyEnvironment.allCases.filter { one in brands.contains { Self.environment(of: $0) == one } }
            throw InputError(
                "no secret of this issuer is for the environment '\(environment.rawValue)'",
                hint: "use \(named.map(\.rawValue).joined(separator: " or "))")
        }
        var bytes = Array(brand.utf8)
        for _ in 0..<visible { bytes.append(alphabet.randomByte(using: &generator)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The environment that a brand names as one of its words.
    private static func environment(of brand: String) -> KeyEnvironment? {
        let words = brand.split { "_-.".contains($0) }
        return KeyEnvironment.allCases.first { words.contains($0.rawValue[...]) }
    }

    /// A secret under a prefix of ``randomPrefix(environment:using:)``.
    func makeSecret(prefix: String, using generator: inout some RandomNumberGenerator) -> Secret {
        let brandLength = prefix.utf8.count - visible
        var secret = Secret(capacity: brandLength + lengths.lowerBound + checksumLength)
        secret.append(contentsOf: prefix.utf8)
        for _ in visible..<lengths.lowerBound { secret.append(alphabet.randomByte(using: &generator)) }
        if let start = checksumStart(brandLength: brandLength) {
            let digits = secret.withBytes { CRC32.digits(of: $0, in: start..<$0.count) }
            secret.append(contentsOf: digits)
        }
        return secret
    }

    // MARK: - Secrets from elsewhere

    /// The length in bytes of the visible prefix of a secret that begins with a brand of that length.
    ///
    /// - Throws: ``InputError`` that says how the rest of the secret differs from the shape, without revealing any of it.
    func prefixLength(of secret: borrowing Span<UInt8>, brandLength: Int) throws(InputError) -> Int {
        let shortest = lengths.lowerBound + checksumLength
        try SecretShape.check(count: secret.count - brandLength, shortest...lengths.upperBound + checksumLength)
        let end = secret.count - checksumLength
        try SecretShape.check(secret, in: brandLength..<end, alphabet: alphabet)
        if let start = checksumStart(brandLength: brandLength) {
            let digits = CRC32.digits(of: secret, in: start..<end)
            for index in digits.indices where secret[end + index] != digits[index] {
                throw InputError(
                    "the secret is truncated or mistyped: its checksum is wrong", hint: "copy it again, whole")
            }
        }
        return brandLength + visible
    }

    /// What follows the brand, the checksum included.
    var wholeAlphabet: [UInt8] { checksum == .none ? alphabet : Array(Set(alphabet + Base62.alphabet)).sorted() }

    /// The number of characters after the brand, the checksum included.
    var wholeLengths: ClosedRange<Int> { lengths.lowerBound + checksumLength...lengths.upperBound + checksumLength }

    private var checksumLength: Int { checksum == .none ? 0 : SecretFormat.checksumLength }

    /// Where the characters begin that the checksum covers; nil without a checksum.
    private func checksumStart(brandLength: Int) -> Int? {
        switch checksum {
        case .none: nil
        case .crc32: 0
        case .crc32Random: brandLength
        }
    }
}

extension CRC32 {
    /// The checksum of some bytes, as six base62 digits.
    fileprivate static func digits(of bytes: borrowing Span<UInt8>, in range: Range<Int>) -> [UInt8] {
        var checksum = CRC32()
        for index in range { checksum.update(bytes[index]) }
        return checksum.digits
    }
}
