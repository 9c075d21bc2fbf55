/// The digits of base32 and base64 (RFC 4648), each of which has some bits of the bytes that they write.
enum BaseDigits {
    case base32, base64

    /// The bits of a digit.
    var width: Int { self == .base32 ? 5 : 6 }

    /// The number of places in a group of digits at which a byte can begin.
    var alignments: Int { self == .base32 ? 5 : 3 }

    private static let ofBase32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// The value of a digit: of base32 in upper or lower case, of base64 in either alphabet.
    func value(_ byte: UInt8) -> UInt8? {
        if self == .base64 { return Base64Text.value(byte) }
        return switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a")
        case UInt8(ascii: "2")...UInt8(ascii: "7"): byte - UInt8(ascii: "2") + 26
        default: nil
        }
    }

    /// The number of bits of the first digit of a text that belong to the text before it.
    func skippedBits(_ alignment: Int) -> Int { 8 * alignment % width }

    /// For each alignment, the digits that `bytes` alone determine: of base32 in upper case, of base64 in the standard alphabet.
    func determined(by bytes: [UInt8]) -> [[UInt8]] {
        let digits = self == .base32 ? Self.ofBase32 : Base64Text.digits
        return (0..<alignments).map { alignment in
            var text: [UInt8] = []
            // A digit that also has bits of the text before is left out.
            var bit = (width - skippedBits(alignment)) % width
            while bit + width <= bytes.count * 8 {
                let high = Int(bytes[bit / 8]) << 8
                let pair = high | (bit / 8 + 1 < bytes.count ? Int(bytes[bit / 8 + 1]) : 0)
                text.append(digits[pair >> (16 - width - bit % 8) & (1 << width - 1)])
                bit += width
            }
            return text
        }
    }
}
