/// Base32 (RFC 4648, 6).
enum Base32Text {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// The number of ways in which a text can begin in a group of five bytes.
    static let alignments = 5

    /// The five bits that a character stands for, in upper or lower case.
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a")
        case UInt8(ascii: "2")...UInt8(ascii: "7"): byte - UInt8(ascii: "2") + 26
        default: nil
        }
    }

    /// How many bits of the character in which a text begins belong to what is before it.
    static func skippedBits(_ alignment: Int) -> Int { 8 * alignment % 5 }

    /// For each alignment, the characters that `bytes` alone determine.
    static func determined(by bytes: [UInt8]) -> [[UInt8]] {
        (0..<alignments).map { alignment in
            var text: [UInt8] = []
            var bit = (5 - skippedBits(alignment)) % 5
            while bit + 5 <= bytes.count * 8 {
                let high = Int(bytes[bit / 8]) << 8
                let pair = high | (bit / 8 + 1 < bytes.count ? Int(bytes[bit / 8 + 1]) : 0)
                text.append(digits[pair >> (11 - bit % 8) & 31])
                bit += 5
            }
            return text
        }
    }
}
