/// The id of a git object: 20 bytes (SHA-1) or 32 (SHA-256).
struct ObjectID: Sendable, Hashable, Comparable {
    // Big-endian words, so that comparing them compares the bytes.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The null id, which git writes for "no object".
    static let zero = ObjectID()

    private init() { words = (0, 0, 0, 0) }

    /// A SHA-1 id is padded with twelve zero bytes, with which a SHA-256 id practically never ends.
    private var length: Int { words.2 & 0xffff_ffff | words.3 == 0 ? 20 : 32 }

    /// - Precondition: `length` is 20 or 32, and there are that many bytes at `offset`.
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int) {
        precondition(length == 20 || length == 32, "no such object format")
        let raw = unsafe bytes.bytes
        // Unsafe: reinterprets bytes as integers, for which any bytes are valid; the span checks the bounds.
        func word(_ place: Int) -> UInt64 {
            UInt64(bigEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset + place, as: UInt64.self))
        }
        if length == 32 {
            words = (word(0), word(8), word(16), word(24))
        } else {
            let last = unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset + 16, as: UInt32.self)
            words = (word(0), word(8), UInt64(UInt32(bigEndian: last)) << 32, 0)
        }
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

    /// From 40 or 64 lower-case hexadecimal digits at `offset`, as in commits.
    init?(hex bytes: Span<UInt8>, at offset: Int, digits: Int) {
        precondition(digits == 40 || digits == 64, "no such object format")
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for part in 0..<(digits / 8) {
            guard let value = Self.value(ofEight: bytes, at: offset + part * 8) else { return nil }
            let shifted = UInt64(value) << (part & 1 == 0 ? 32 : 0)
            switch part >> 1 {
            case 0: words.0 |= shifted
            case 1: words.1 |= shifted
            case 2: words.2 |= shifted
            default: words.3 |= shifted
            }
        }
        self.words = words
    }

    /// The value of eight lower-case digits, computed in parallel: the low half of each byte, plus nine for letters.
    /// The result is valid if encoding it gives the same bytes.
    private static func value(ofEight bytes: Span<UInt8>, at offset: Int) -> UInt32? {
        let raw = unsafe bytes.bytes
        // Unsafe: reinterprets bytes as an integer type, for which any bytes are valid; the span checks the bounds.
        let text = UInt64(bigEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let ones: UInt64 = 0x0101_0101_0101_0101
        var value = (text & (0x0f * ones)) &+ (text >> 6 & ones) &* 9
        let letters = (value &+ 6 * ones) >> 4 & ones
        guard value &+ 0x30 * ones &+ letters &* 0x27 == text else { return nil }
        value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff
        value = (value | value >> 8) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: value | value >> 16)
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

    /// The first eight bytes.
    var start: UInt64 { words.0 }

    /// The first four bytes.
    var head: UInt32 { UInt32(words.0 >> 32) }

    /// The two bytes after ``head``.
    var tail: UInt16 { UInt16(truncatingIfNeeded: words.0 >> 16) }

    var isZero: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    var bytes: [UInt8] {
        let all = [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
        return Array(all.prefix(length))
    }

    /// Lower-case hexadecimal digits.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func == (left: ObjectID, right: ObjectID) -> Bool {
        left.words == right.words
    }

    static func < (left: ObjectID, right: ObjectID) -> Bool { left.words < right.words }

    /// Its place in a hash table, in the first bits. An id is a hash, but names of files and of indexes may claim any, so the
    /// place depends on numbers that are new in each process (multilinear hashing).
    var hash: UInt64 {
        words.0 &* Self.keys.0 &+ words.1 &* Self.keys.1 &+ words.2 &* Self.keys.2 &+ words.3 &* Self.keys.3
    }

    private static let keys: (UInt64, UInt64, UInt64, UInt64) = (
        .random(in: 0 ... .max) | 1, .random(in: 0 ... .max) | 1, .random(in: 0 ... .max) | 1,
        .random(in: 0 ... .max) | 1
    )

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
    }
}

/// The four kinds of object, with their numbers in packs.
enum ObjectKind: UInt8, Sendable {
    case commit = 1
    case tree = 2
    case blob = 3
    case tag = 4

    /// From the name that loose objects and tags use.
    init?(word: some Sequence<UInt8>) {
        switch String(decoding: Array(word), as: UTF8.self) {
        case "commit": self = .commit
        case "tree": self = .tree
        case "blob": self = .blob
        case "tag": self = .tag
        default: return nil
        }
    }

    /// The name that loose objects and tags use.
    var word: String {
        switch self {
        case .commit: "commit"
        case .tree: "tree"
        case .blob: "blob"
        case .tag: "tag"
        }
    }
}
