/// The format of the secrets of an issuer.
package enum SecretShape: Sendable, Equatable {
    /// The format of this store; see ``SecretFormat``.
    case own(brand: String)
    /// One of these; a new secret has the first. The longest brand that a secret begins with says which one it has.
    case branded([BrandedShape])
    /// `SIGN-IN:SECRET`; the sign-in names the organisation and is visible.
    case signIn(alphabet: [UInt8], length: Int)
    /// Unknown.
    case unknown
}

extension SecretShape {
    /// What the secrets begin with; empty where that is not known, or is the organisation's.
    package var brands: [String] {
        switch self {
        case .own(let brand): [brand]
        case .branded(let shapes): shapes.flatMap(\.brands)
        case .signIn, .unknown: []
        }
    }

    /// Whether each secret has a visible prefix of its own. All secrets of an organisation share a sign-in.
    package var hasUniquePrefixes: Bool {
        if case .signIn = self { return false }
        return true
    }

    /// A visible prefix for a new secret.
    ///
    /// - Parameter signIn: required if the shape has one, otherwise refused.
    package func randomPrefix(
        environment: KeyEnvironment, signIn: String?, using generator: inout some RandomNumberGenerator
    ) throws(InputError) -> String {
        switch self {
        case .own(let brand):
            try Self.refuse(signIn)
            return try SecretFormat(brand: brand).randomPrefix(environment: environment, using: &generator)
        case .branded(let shapes):
            try Self.refuse(signIn)
            return try shapes[0].randomPrefix(environment: environment, using: &generator)
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
        case .branded(let shapes):
            return shapes[0].makeSecret(prefix: prefix, using: &generator)
        case .signIn(let alphabet, let length):
            var secret = Secret(capacity: prefix.utf8.count + length)
            secret.append(contentsOf: prefix.utf8)
            for _ in 0..<length { secret.append(alphabet.randomByte(using: &generator)) }
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
        case .branded(let shapes):
            guard let (shape, brand) = BrandedShape.match(secret, in: shapes) else {
                throw InputError(
                    "the secret does not begin with \(BrandedShape.brands(of: shapes))",
                    hint: "give the whole secret alone, without quotes; if it is of another issuer, name that one")
            }
            return try shape.prefixLength(of: secret, brandLength: brand)
        case .signIn(let alphabet, let length):
            guard let colon = secret.indices.first(where: { secret[$0] == UInt8(ascii: ":") }) else {
                throw InputError("the secret has no sign-in", hint: "write SIGN-IN:SECRET, with a colon")
            }
            try Self.check(count: secret.count - colon - 1, length...length)
            try Self.check(secret, in: colon + 1..<secret.count, alphabet: alphabet)
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

    /// Checks how many characters a secret has after its visible start.
    static func check(count: Int, _ lengths: ClosedRange<Int>) throws(InputError) {
        guard lengths.contains(count) else {
            throw InputError(
                "the secret has \(count) characters after its prefix, not \(text(lengths))",
                hint: "copy it again, whole; if its issuer has changed the length, also give the secret's prefix")
        }
    }

    /// Checks the random characters of a secret.
    static func check(
        _ secret: borrowing Span<UInt8>, in range: Range<Int>, alphabet: [UInt8]
    ) throws(InputError) {
        for index in range where !alphabet.contains(secret[index]) {
            throw InputError(
                "the secret contains a character that its issuer does not use (character \(index + 1))",
                hint: "copy it again, whole")
        }
    }

    /// `36`, or `20 to 255`.
    static func text(_ lengths: ClosedRange<Int>) -> String {
        lengths.count == 1 ? "\(lengths.lowerBound)" : "\(lengths.lowerBound) to \(lengths.upperBound)"
    }
}

extension [UInt8] {
    /// One of the characters of an alphabet, each with the same probability.
    func randomByte(using generator: inout some RandomNumberGenerator) -> UInt8 {
        self[Int(generator.next(upperBound: UInt64(count)))]
    }
}
