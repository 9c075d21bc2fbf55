/// The name of a git object: 20 bytes (SHA-1) or 32 (SHA-256).
struct ObjectID: Sendable, Hashable, Comparable {
    // Big-endian words, so that comparing them compares the bytes.
    private let words: (UInt64, UInt64, UInt64, UInt64)
    private let length: UInt8

    /// - Precondition: `length` is 20 or 32, and that many bytes stand at `offset`.
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int) {
        precondition(length == 20 || length == 32, "no such object format")
        self.length = UInt8(length)
        func word(_ index: Int) -> UInt64 {
            var word: UInt64 = 0
            for place in (index * 8)..<(index * 8 + 8) {
                word = word << 8 | (place < length ? UInt64(bytes[offset + place]) : 0)
            }
            return word
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// From hexadecimal digits of either length; nil for anything else.
    init?(hex: some Collection<UInt8>) {
        guard hex.count == 40 || hex.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in hex {
            guard let value = Self.value(ofDigit: digit) else { return nil }
            if let known = high {
                bytes.append(known << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.init(bytes.span, at: 0, length: bytes.count)
    }

    /// From `digits` hexadecimal digits, 40 or 64, that stand at `offset`.
    init?(hex bytes: Span<UInt8>, at offset: Int, digits: Int) {
        precondition(digits == 40 || digits == 64, "no such object format")
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for index in 0..<digits {
            guard let value = Self.value(ofDigit: bytes[offset + index]) else { return nil }
            let part = UInt64(value) << UInt64(60 - 4 * (index & 15))
            switch index >> 4 {
            case 0: words.0 |= part
            case 1: words.1 |= part
            case 2: words.2 |= part
            default: words.3 |= part
            }
        }
        self.words = words
        length = UInt8(digits / 2)
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    var firstByte: Int { Int(words.0 >> 56) }

    /// The first four bytes.
    var head: UInt32 { UInt32(words.0 >> 32) }

    /// The two bytes after ``head``.
    var tail: UInt16 { UInt16(truncatingIfNeeded: words.0 >> 16) }

    var isZero: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    var bytes: [UInt8] {
        let all = [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
        return Array(all.prefix(Int(length)))
    }

    /// Lower-case hexadecimal digits.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func == (left: ObjectID, right: ObjectID) -> Bool {
        left.words == right.words && left.length == right.length
    }

    static func < (left: ObjectID, right: ObjectID) -> Bool { left.words < right.words }

    func hash(into hasher: inout Hasher) {
        // The name is a hash already.
        hasher.combine(words.0)
    }
}

/// The four kinds of object, numbered as packs number them.
enum ObjectKind: UInt8, Sendable {
    case commit = 1
    case tree = 2
    case blob = 3
    case tag = 4

    /// From the word that loose objects and tags use.
    init?(word: some Sequence<UInt8>) {
        switch String(decoding: Array(word), as: UTF8.self) {
        case "commit": self = .commit
        case "tree": self = .tree
        case "blob": self = .blob
        case "tag": self = .tag
        default: return nil
        }
    }
}
