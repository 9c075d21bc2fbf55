import Testing

@testable import Keys

/// A generator that gives the same sequence each time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func text(of secret: borrowing Secret) -> String {
    secret.withBytes { span in
        var bytes: [UInt8] = []
        for index in span.indices { bytes.append(span[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

func secret(_ text: String) -> Secret {
    var secret = Secret(capacity: text.utf8.count)
    secret.append(contentsOf: text.utf8)
    return secret
}

@Suite("Secrets of our own format")
struct SecretTests {
    let format: SecretFormat

    init() throws { format = try SecretFormat(brand: "kv") }

    func form(_ text: String) -> SecretFormat.Form {
        formOfText(format, text)
    }

    @Test("a secret is prefix and body, and is recognised as well formed")
    func shape() throws {
        var generator = SeededGenerator(state: 1)
        for environment in KeyEnvironment.allCases {
            let prefix = format.randomPrefix(environment: environment, using: &generator)
            let made = text(of: format.makeSecret(prefix: prefix, using: &generator))
            #expect(made.hasPrefix(prefix))
            #expect(prefix.hasPrefix("kv_\(environment.rawValue)_") && prefix.hasSuffix("_"))
            #expect(made.utf8.count == prefix.utf8.count + 36)
            #expect(form(made) == .wellFormed(prefixLength: prefix.utf8.count))
        }
    }

    @Test("the checksum covers every character: brand, environment, id and body")
    func checksum() throws {
        var generator = SeededGenerator(state: 2)
        let prefix = format.randomPrefix(environment: .live, using: &generator)
        let made = Array(text(of: format.makeSecret(prefix: prefix, using: &generator)).utf8)
        for index in made.indices {
            var wrong = made
            wrong[index] = wrong[index] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
            let tampered = form(String(decoding: wrong, as: UTF8.self))
            #expect(tampered == .malformed || tampered == .foreign, "byte \(index)")
        }
        let moved = "kv_test_" + String(decoding: made, as: UTF8.self).dropFirst("kv_live_".count)
        #expect(form(moved) == .malformed)
        #expect(form(String(decoding: made.dropLast(), as: UTF8.self)) == .malformed)
    }

    @Test("CRC-32 is that of ISO 3309")
    func crc() {
        var crc = CRC32()
        for byte in "123456789".utf8 { crc.update(byte) }
        #expect(crc.value == 0xCBF4_3926)
    }

    @Test("bodies use the whole alphabet evenly and never repeat")
    func randomness() {
        var generator = SystemRandomNumberGenerator()
        var counts = [UInt8: Int]()
        var seen = Set<String>()
        for _ in 0..<2000 {
            let body = text(of: format.makeSecret(prefix: "kv_live_abcdefgh_", using: &generator)).dropFirst(17).prefix(
                30)
            #expect(seen.insert(String(body)).inserted)
            for byte in body.utf8 { counts[byte, default: 0] += 1 }
        }
        // 60,000 draws of 62: each is expected 968 times with a standard deviation of 31; ten deviations practically
        // never occur.
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (660...1276).contains($0) })
    }

    @Test(
        "brands that could not begin a secret are refused",
        arguments: ["", "k", "Kv", "k_v", "1kv", "kv-", String(repeating: "a", count: 21)])
    func brands(brand: String) {
        #expect(throws: InputError.self) { try SecretFormat(brand: brand) }
    }

    @Test("hashes depend on the pepper and on every byte, and the pepper's fingerprint distinguishes them")
    func hashes() throws {
        let first = try Pepper(secret(String(repeating: "p", count: 32)))
        let second = try Pepper(secret(String(repeating: "q", count: 32)))
        #expect(first.hash(secret("a secret")) == first.hash(secret("a secret")))
        #expect(first.hash(secret("a secret")) != first.hash(secret("a secreT")))
        #expect(first.hash(secret("a secret")) != second.hash(secret("a secret")))
        #expect(first.fingerprint != second.fingerprint)
        #expect(throws: InputError.self) { try Pepper(secret("too short")) }
    }

    @Test(
        "the secret is found within an Authorization value",
        arguments: [
            ("Bearer kv_live_x", "kv_live_x"), ("bearer   kv_live_x \r\n", "kv_live_x"), ("kv_live_x\n", "kv_live_x"),
            ("pied-piper-7132:abc", "pied-piper-7132:abc"), ("Bearerkv", "Bearerkv"), ("  ", ""), ("Bearer ", "Bearer"),
        ])
    func authorization(value: String, expected: String) {
        #expect(text(of: Authorization.secret(in: secret(value))) == expected)
    }
}

/// `#expect` cannot contain a noncopyable value, so the form is determined outside it.
private func formOfText(_ format: SecretFormat, _ text: String) -> SecretFormat.Form {
    secret(text).withBytes { format.form(of: $0) }
}
