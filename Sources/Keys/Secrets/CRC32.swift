/// The cyclic redundancy check of ISO 3309 and RFC 1952 (polynomial 0xEDB88320, reflected).
///
/// It detects a mistyped or truncated secret without a look-up. It does not prove that the secret was issued.
struct CRC32 {
    private var state: UInt32 = 0xFFFF_FFFF

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    mutating func update(_ byte: UInt8) {
        state = Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ (state >> 8)
    }

    var value: UInt32 { ~state }

    /// The value as six base62 digits, most significant first, padded with 0.
    var digits: [UInt8] {
        var rest = value
        var digits = [UInt8](repeating: 0, count: SecretFormat.checksumLength)
        for index in digits.indices.reversed() {
            digits[index] = Base62.alphabet[Int(rest % 62)]
            rest /= 62
        }
        return digits
    }
}
