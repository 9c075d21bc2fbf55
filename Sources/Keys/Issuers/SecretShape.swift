/// The format of the secrets of an issuer.
package enum SecretShape: Sendable, Equatable {
    /// The format of this store; see ``SecretFormat``.
    case own(brand: String)
    /// A brand, then random characters, the first of which are visible.
    case branded(BrandedShape)
    /// `SIGN-IN:SECRET`; the sign-in names the organisation and is visible.
    case signIn(alphabet: [UInt8], length: Int)
    /// Unknown.
    case unknown
}

/// A brand, then `length` random characters of an alphabet, of which the first `visible` may be shown, then optionally
/// a checksum.
package struct BrandedShape: Sendable, Equatable {
    /// The start of each secret; may be empty.
    package let brand: String
    package let alphabet: [UInt8]
    /// The number of random characters.
    package let length: Int
    /// The number of random characters that belong to the visible prefix.
    package let visible: Int
    /// Whether six base62 characters follow, a CRC-32 of everything before them.
    package let hasChecksum: Bool

    package init(brand: String, alphabet: [UInt8], length: Int, visible: Int, hasChecksum: Bool) {
        self.brand = brand
        self.alphabet = alphabet
        self.length = length
        self.visible = visible
        self.hasChecksum = hasChecksum
    }
}

extension SecretShape {
    /// Whether each secret has a visible prefix of its own. All secrets of an organisation share a sign-in.
    package var hasUniquePrefixes: Bool {
        if case .signIn = self { return false }
        return true
    }

    /// A visible prefix for a new secret.
    ///
    /// - Parameter signIn: required if the shape has one, otherwise refused.
    package func randomPrefix(
        environment: Environment, signIn: String?, using generator: inout some RandomNumberGenerator
    ) throws(InputError) -> String {
        switch self {
        case .own(let brand):
            try Self.refuse(signIn)
            return try SecretFormat(brand: brand).randomPrefix(environment: environment, using: &generator)
        case .branded(let shape):
            try Self.refuse(signIn)
            var bytes = Array(shape.brand.utf8)
            for _ in 0..<shape.visible { bytes.append(Self.random(shape.alphabet, &generator)) }
            return String(decoding: bytes, as: UTF8.self)
        case .signIn:
            guard let signIn else {
                throw InputError(
                    "a key of this issuer needs a sign-in", hint: "give the organisation's: --sign-in NAME")
            }
            return try Self.checkedSignIn(signIn) + ":"
        case .unknown: throw Self.cannotMake()
        }
    }

    private static func cannotMake() -> InputError {
        InputError(
            "no secret can be generated for an issuer whose secret format is unknown",
            hint: "record what it has issued: keyvigil create NAME --held --issuer external --prefix PREFIX")
    }

    /// A new secret under a prefix. The generator must be cryptographically secure outside tests.
    package func makeSecret(prefix: String, using generator: inout some RandomNumberGenerator) throws(InputError)
        -> Secret
    {
        switch self {
        case .own(let brand):
            return try SecretFormat(brand: brand).makeSecret(prefix: prefix, using: &generator)
        case .branded(let shape):
            let checksumLength = shape.hasChecksum ? SecretFormat.checksumLength : 0
            var secret = Secret(capacity: shape.brand.utf8.count + shape.length + checksumLength)
            secret.append(contentsOf: prefix.utf8)
            for _ in 0..<shape.length - shape.visible { secret.append(Self.random(shape.alphabet, &generator)) }
            if shape.hasChecksum {
                let digits = secret.withBytes { CRC32.digits(of: $0, count: $0.count) }
                secret.append(contentsOf: digits)
            }
            return secret
        case .signIn(let alphabet, let length):
            var secret = Secret(capacity: prefix.utf8.count + length)
            secret.append(contentsOf: prefix.utf8)
            for _ in 0..<length { secret.append(Self.random(alphabet, &generator)) }
            return secret
        case .unknown: throw Self.cannotMake()
        }
    }

    /// The length in bytes of the visible prefix of a secret of this shape.
    ///
    /// - Throws: ``InputError`` that says how the secret differs from the shape, without revealing any of it.
    package func prefixLength(of secret: borrowing Span<UInt8>) throws(InputError) -> Int {
        switch self {
        case .own(let brand):
            switch try SecretFormat(brand: brand).form(of: secret) {
            case .wellFormed(let length): return length
            case .malformed:
                throw InputError(
                    "the secret is truncated or mistyped: its checksum is wrong", hint: "copy it again, whole")
            case .foreign:
                throw InputError(
                    "the secret does not begin with '\(brand)_'", hint: "name its issuer, or the right brand")
            }
        case .branded(let shape):
            return try shape.prefixLength(of: secret)
        case .signIn(let alphabet, let length):
            guard let colon = secret.indices.first(where: { secret[$0] == UInt8(ascii: ":") }) else {
                throw InputError("the secret has no sign-in", hint: "write SIGN-IN:SECRET, with a colon")
            }
            try Self.check(secret, from: colon + 1, alphabet: alphabet, length: length)
            return colon + 1
        case .unknown:
            throw InputError(
                "it is not known how much of the secret may be shown", hint: "also give its visible start, as prefix")
        }
    }

    private static func refuse(_ signIn: String?) throws(InputError) {
        guard signIn == nil else {
            throw InputError("keys of this issuer have no sign-in", hint: "leave --sign-in out")
        }
    }

    static func checkedSignIn(_ text: String) throws(InputError) -> String {
        let allowed = text.utf8.allSatisfy { Base62.contains($0) || "-_.".utf8.contains($0) }
        guard allowed, (4...100).contains(text.utf8.count) else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 64)) is not a sign-in",
                hint: "use 4 to 100 letters, digits and - _ . such as pied-piper-7132")
        }
        return text
    }

    private static func random(_ alphabet: [UInt8], _ generator: inout some RandomNumberGenerator) -> UInt8 {
        alphabet[Int(generator.next(upperBound: UInt64(alphabet.count)))]
    }

    static func check(
        _ secret: borrowing Span<UInt8>, from start: Int, alphabet: [UInt8], length: Int
    ) throws(InputError) {
        guard secret.count - start == length else {
            throw InputError(
                "the secret has \(secret.count - start) characters after its prefix, not \(length)",
                hint: "copy it again, whole")
        }
        for index in start..<secret.count where !alphabet.contains(secret[index]) {
            throw InputError(
                "the secret contains a character that its issuer does not use (character \(index + 1))",
                hint: "copy it again, whole")
        }
    }
}

extension BrandedShape {
    fileprivate func prefixLength(of secret: borrowing Span<UInt8>) throws(InputError) -> Int {
        let brandBytes = Array(brand.utf8)
        guard secret.count > brandBytes.count, brandBytes.indices.allSatisfy({ secret[$0] == brandBytes[$0] }) else {
            throw InputError("the secret does not begin with '\(brand)'", hint: "name its issuer")
        }
        let checksumLength = hasChecksum ? SecretFormat.checksumLength : 0
        let body = secret.extracting(0..<max(brandBytes.count, secret.count - checksumLength))
        try SecretShape.check(body, from: brandBytes.count, alphabet: alphabet, length: length)
        if hasChecksum {
            let digits = CRC32.digits(of: secret, count: body.count)
            for index in digits.indices where secret[body.count + index] != digits[index] {
                throw InputError(
                    "the secret is truncated or mistyped: its checksum is wrong", hint: "copy it again, whole")
            }
        }
        return brandBytes.count + visible
    }
}

extension CRC32 {
    /// The checksum of the first `count` bytes, as six base62 digits.
    static func digits(of bytes: borrowing Span<UInt8>, count: Int) -> [UInt8] {
        var checksum = CRC32()
        for index in 0..<count { checksum.update(bytes[index]) }
        return checksum.digits
    }
}
