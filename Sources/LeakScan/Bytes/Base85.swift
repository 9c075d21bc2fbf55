/// Base 85: five digits for four bytes, the most significant first. The alphabets differ.
enum Base85: CaseIterable, Sendable {
    /// Ascii85 (ISO 32000, 7.4.3).
    case ascii85
    /// RFC 1924, as git and Python's `base64.b85encode` write it.
    case rfc1924
    /// Z85 (ZeroMQ RFC 32).
    case z85

    /// The number of digits of a group.
    static let group = 5

    var digits: [UInt8] {
        switch self {
        case .ascii85: Array(UInt8(ascii: "!")...UInt8(ascii: "u"))
        case .rfc1924:
            Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~".utf8)
        case .z85: Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)
        }
    }

    /// The value of each byte as a digit; 85 for one that is not a digit.
    var values: [UInt8] {
        switch self {
        case .ascii85: Self.valuesOfASCII85
        case .rfc1924: Self.valuesOfRFC1924
        case .z85: Self.valuesOfZ85
        }
    }

    private static let valuesOfASCII85 = values(of: .ascii85)
    private static let valuesOfRFC1924 = values(of: .rfc1924)
    private static let valuesOfZ85 = values(of: .z85)

    private static func values(of alphabet: Base85) -> [UInt8] {
        var values = [UInt8](repeating: 85, count: 256)
        for (value, digit) in alphabet.digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }

    func isDigit(_ byte: UInt8) -> Bool { values[Int(byte)] < 85 }

    /// A group of digits that was read.
    struct Group {
        let value: UInt32
        /// The number of bytes that it gives.
        let count: Int
        /// Where its digits are.
        let range: Range<Int>

        func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
    }

    /// The group at `start`. The last group of a text has fewer digits, and one byte less than digits.
    ///
    /// - Parameters:
    ///   - most: the number of digits after which the group ends.
    ///   - overBlanks: whether blanks and line breaks are passed over.
    /// - Returns: nil if there are less than two digits, or their value is too large.
    func read(_ bytes: Span<UInt8>, at start: Int, most: Int, overBlanks: Bool) -> Group? {
        let values = values
        var value: UInt64 = 0
        var count = 0
        var first = start
        var end = start
        var at = start
        while at < bytes.count, count < most {
            let digit = values[Int(bytes[at])]
            if digit < 85 {
                if count == 0 { first = at }
                value = value * 85 + UInt64(digit)
                count += 1
                end = at + 1
            } else if !overBlanks || !Self.isBlank(bytes[at]) {
                break
            }
            at += 1
        }
        guard count > 1 else { return nil }
        for _ in count..<Self.group { value = value * 85 + 84 }
        return UInt32(exactly: value).map { Group(value: $0, count: count - 1, range: first..<end) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }
}
