/// Visible prefixes as people and the lists of providers write them.
extension SecretShape {
    /// Checks a visible prefix, and removes the dots, the ellipsis or the asterisks that a provider's list prints after
    /// it (`blnk_fdb796a5...`).
    ///
    /// - Throws: ``InputError`` for a prefix with which no secret of this shape can begin, and for one that must not be
    ///   stored because it is a complete secret or more than half of its random characters.
    package func checkedPrefix(_ text: String) throws(InputError) -> String {
        var prefix = Substring(text)
        while let last = prefix.unicodeScalars.last, last.properties.isWhitespace || Self.marks.contains(last) {
            prefix.unicodeScalars.removeLast()
        }
        while let first = prefix.unicodeScalars.first, first.properties.isWhitespace {
            prefix.unicodeScalars.removeFirst()
        }
        guard (1...200).contains(prefix.utf8.count), prefix.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw InputError(
                "the prefix is empty, longer than 200 characters, or has characters that no secret contains",
                hint: "give the visible start of the secret, such as blnk_fdb796a5")
        }
        try check(Array(prefix.utf8))
        if case .signIn = self, !prefix.hasSuffix(":") { return prefix + ":" }
        return String(prefix)
    }

    /// What lists print instead of hidden characters.
    private static let marks: Set<Unicode.Scalar> = [".", "\u{2026}", "*", "\u{2022}", "\u{00B7}"]

    private func check(_ prefix: [UInt8]) throws(InputError) {
        switch self {
        case .unknown: return
        case .own(let brand): try Self.checkOwn(prefix, brand)
        case .branded(let shapes): try Self.check(prefix, shapes)
        case .signIn(let alphabet, let length):
            guard let colon = prefix.firstIndex(of: UInt8(ascii: ":")) else {
                _ = try Self.checkedSignIn(String(decoding: prefix, as: UTF8.self))
                return
            }
            _ = try Self.checkedSignIn(String(decoding: prefix[..<colon], as: UTF8.self))
            let body = prefix[(colon + 1)...]
            guard body.allSatisfy(alphabet.contains) else {
                throw Self.mismatch("a character after the sign-in is not one that its issuer uses")
            }
            guard body.isEmpty else {
                if body.count >= length / 2 { throw Self.tooMuch() }
                throw Self.mismatch("only the sign-in may be shown")
            }
        }
    }

    private static func checkOwn(_ prefix: [UInt8], _ brand: String) throws(InputError) {
        let starts = KeyEnvironment.allCases.map { Array("\(brand)_\($0.rawValue)_".utf8) }
        guard let start = starts.first(where: { prefix.starts(with: $0) }) else {
            throw mismatch("it does not begin with '\(brand)_live_', '\(brand)_test_' or '\(brand)_sandbox_'")
        }
        let rest = prefix[start.count...]
        let id = rest.prefix(SecretFormat.idLength)
        guard id.count == SecretFormat.idLength, id.allSatisfy(Base62.contains),
            rest.dropFirst(SecretFormat.idLength).elementsEqual("_".utf8)
        else {
            if rest.count > SecretFormat.idLength + 1 { throw tooMuch() }
            throw mismatch("\(SecretFormat.idLength) letters or digits and '_' follow the environment")
        }
    }

    private static func check(_ prefix: [UInt8], _ shapes: [BrandedShape]) throws(InputError) {
        guard let (shape, brandLength) = BrandedShape.match(prefix.span, in: shapes) else {
            let isStart = shapes.contains { $0.brands.contains { Array($0.utf8).starts(with: prefix) } }
            guard !isStart else { throw brandAlone() }
            throw mismatch("it does not begin with \(BrandedShape.brands(of: shapes))")
        }
        let body = prefix.dropFirst(brandLength)
        guard body.allSatisfy(shape.alphabet.contains) else {
            throw mismatch(
                "a character after '\(String(decoding: prefix[..<brandLength], as: UTF8.self))' is not one that its issuer uses"
            )
        }
        guard body.count >= min(Self.leastOfBody, shape.visible) else { throw brandAlone() }
        if body.count > shape.lengths.upperBound {
            throw mismatch(
                "its issuer's secrets have \(text(shape.lengths)) characters after the brand, and it has \(body.count)")
        }
        if body.count > max(shape.visible, shape.lengths.lowerBound / 2) { throw tooMuch() }
    }

    /// With fewer characters after the brand, a prefix is that of many secrets of the issuer.
    private static var leastOfBody: Int { 3 }

    private static func brandAlone() -> InputError {
        InputError(
            "the prefix is one that all secrets of this issuer may begin with, and names no key",
            hint:
                "give at least \(leastOfBody) characters after the brand, as the issuer's list shows them, or the secret itself: it is hashed"
        )
    }

    private static func mismatch(_ why: String) -> InputError {
        InputError(
            "no secret of this issuer begins with the prefix: \(why)",
            hint: "copy the visible start from the issuer's list, or write external for another issuer")
    }

    private static func tooMuch() -> InputError {
        InputError(
            "the prefix is a secret, or most of one",
            hint: "put a secret into the field 'secret', where it is hashed")
    }
}

extension SecretShape {
    /// Whether a candidate is a complete secret of this shape; always false for an unknown shape.
    package func isWhole(_ candidate: borrowing Span<UInt8>) -> Bool {
        do {
            _ = try prefixLength(of: candidate)
            return true
        } catch { return false }
    }
}
