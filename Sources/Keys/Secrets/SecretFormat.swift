/// The format of the secrets that this store issues: `BRAND_ENVIRONMENT_ID_BODY`.
///
/// `ID` is 8 base62 characters which name the secret, `BODY` is 30 random base62 characters (178 bits) and 6 characters
/// of a CRC-32 over everything before it. The CRC covers brand, environment and id, so that a body under another prefix
/// is not well-formed. The visible prefix is everything before the body, including the last `_`.
package struct SecretFormat: Sendable {
    package static let idLength = 8
    package static let randomLength = 30
    package static let checksumLength = 6
    package static var bodyLength: Int { randomLength + checksumLength }

    /// The first part of the secrets: 2 to 20 lowercase letters and digits, the first a letter.
    package let brand: String

    /// - Throws: ``InputError`` for a brand that is too short, too long or has other characters.
    package init(brand: String) throws(InputError) {
        let bytes = Array(brand.utf8)
        let lowercase = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (2...20).contains(bytes.count), lowercase.contains(bytes[0]),
            bytes.allSatisfy({ lowercase.contains($0) || digits.contains($0) })
        else {
            throw InputError(
                "the brand \(DisplayText.quoted(brand, limit: 32)) cannot begin a secret",
                hint: "use 2 to 20 lowercase letters and digits, the first a letter")
        }
        self.brand = brand
    }

    /// A new visible prefix, such as `kv_live_Ab3dE6gH_`.
    package func randomPrefix(environment: KeyEnvironment, using generator: inout some RandomNumberGenerator) -> String
    {
        "\(brand)_\(environment.rawValue)_\(Base62.randomText(count: Self.idLength, using: &generator))_"
    }

    /// A new secret under a prefix. The generator must be cryptographically secure outside tests.
    package func makeSecret(prefix: String, using generator: inout some RandomNumberGenerator) -> Secret {
        var secret = Secret(capacity: prefix.utf8.count + Self.bodyLength)
        var checksum = CRC32()
        for byte in prefix.utf8 {
            secret.append(byte)
            checksum.update(byte)
        }
        for _ in 0..<Self.randomLength {
            let byte = Base62.randomByte(using: &generator)
            secret.append(byte)
            checksum.update(byte)
        }
        secret.append(contentsOf: checksum.digits)
        return secret
    }

    /// What the text of a credential shows before a look-up.
    package enum Form: Equatable, Sendable {
        /// Of this format, with a correct checksum. The associated value is the length of the visible prefix in bytes.
        case wellFormed(prefixLength: Int)
        /// Begins like this format, but is truncated, mistyped or made up.
        case malformed
        /// Not of this brand.
        case foreign
    }

    /// Determines the form of a secret.
    package func form(of secret: borrowing Span<UInt8>) -> Form {
        let brandBytes = Array("\(brand)_".utf8)
        guard secret.count >= brandBytes.count, brandBytes.indices.allSatisfy({ secret[$0] == brandBytes[$0] }) else {
            return .foreign
        }
        let prefixLength = secret.count - Self.bodyLength
        guard let environmentLength = environmentLength(in: secret, from: brandBytes.count),
            prefixLength == brandBytes.count + environmentLength + 1 + Self.idLength + 1,
            secret[prefixLength - 1] == UInt8(ascii: "_")
        else { return .malformed }
        var checksum = CRC32()
        for index in 0..<secret.count - Self.checksumLength { checksum.update(secret[index]) }
        let digits = checksum.digits
        for index in digits.indices where secret[secret.count - Self.checksumLength + index] != digits[index] {
            return .malformed
        }
        return .wellFormed(prefixLength: prefixLength)
    }

    private func environmentLength(in secret: borrowing Span<UInt8>, from start: Int) -> Int? {
        for environment in KeyEnvironment.allCases {
            let bytes = Array("\(environment.rawValue)_".utf8)
            if start + bytes.count <= secret.count, bytes.indices.allSatisfy({ secret[start + $0] == bytes[$0] }) {
                return bytes.count - 1
            }
        }
        return nil
    }
}
