/// Base64 patterns that are split by a line break and the spaces that indent the next line.
///
/// If there are few patterns, the text around a break is among the grams for which ``FormMatcher`` searches anyway.
/// Searching for the breaks themselves, one in thirty bytes of source code, costs several times as much.
final class BrokenPatterns: Sendable {
    /// How the breaks are found.
    enum Way {
        /// By the grams of the longer part of a broken pattern, which is long enough to contain one.
        case grams
        /// By ``words``, because the patterns are short.
        case words
        /// By the breaks, because there are so many patterns that their grams would match everywhere.
        case search
    }

    /// The minimum length of wrapped base64 in bytes, to distinguish it from words at the ends of lines.
    static let wrapped = 24
    /// The maximum number of bytes between the two parts: CR, LF and spaces.
    static let longestBreak = 2 + mostBlanks
    private static let mostBlanks = 39
    /// With more patterns, ``Way/search`` is used.
    private static let most = 100

    let way: Way
    /// Words of four bytes around the breaks. Of any ``stride`` consecutive positions in a broken pattern, one is the
    /// start of such a word.
    let words: Set<UInt32>
    /// The number of consecutive positions in a broken pattern of which one is the start of a word, or of a gram of
    /// four bytes.
    let stride: Int
    private let longest: Int
    /// A bit for each pair of bytes: whether the two are adjacent in a pattern, so that a break may be between them.
    private let pairs: [UInt64]

    init(_ patterns: [FormPattern]) {
        let broken = patterns.filter(\.isWrappable)
        longest = broken.map(\.bytes.count).max() ?? 0
        let shortest = broken.map(\.bytes.count).min() ?? .max
        // The longer part of `m` bytes has at least `m / 2`, in which three fewer grams start.
        let ofGrams = shortest / 2 - 3
        let ways: (Way, Int) =
            broken.count > Self.most
            ? (.search, .max) : ofGrams >= 6 ? (.grams, ofGrams) : (.words, shortest / 2)
        (way, stride) = ways
        words = ways.0 == .words ? Set(broken.flatMap { Self.words(of: $0.bytes) }) : []
        var pairs = [UInt64](repeating: 0, count: 1024)
        for pattern in broken {
            for (left, right) in zip(pattern.bytes, pattern.bytes.dropFirst()) {
                let pair = Int(left) << 8 | Int(right)
                pairs[pair >> 6] |= 1 << UInt64(pair & 63)
            }
        }
        self.pairs = pairs
    }

    /// The words that may occur around a break in this pattern: with at least one byte of its first part, or two of its
    /// second.
    ///
    /// If it is cut after `k` of its `m` bytes, `k` consecutive positions are of the first kind and `m - k - 1` of the
    /// second; one of the two numbers is at least `m / 2`. Three spaces represent any larger number.
    private static func words(of pattern: [UInt8]) -> Set<UInt32> {
        var words: Set<UInt32> = []
        for cut in 1..<pattern.count {
            for gap in ["\n", "\r\n"].flatMap({ line in (0...3).map { line + String(repeating: " ", count: $0) } }) {
                let text = Array(pattern[..<cut]) + Array(gap.utf8) + Array(pattern[cut...])
                let second = cut + gap.utf8.count
                for place in 0...(text.count - 4) where place < cut || place + 4 >= second + 2 {
                    words.insert(FormMatcher.word(text.span, place))
                }
            }
        }
        return words
    }

    /// Whether one of the four bytes is a space or part of a line break.
    static func holdsBlank(_ word: UInt32) -> Bool {
        var rest = word
        for _ in 0..<4 {
            if isBlank(UInt8(truncatingIfNeeded: rest)) { return true }
            rest >>= 8
        }
        return false
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// Calls `body` with the line breaks that may be at or near the word at `place`.
    func forEachNear(_ bytes: Span<UInt8>, _ place: Int, _ body: (Int) -> Void) {
        for at in place..<(place + 4) where bytes[at] == UInt8(ascii: "\n") {
            body(at)
            return
        }
        // The word is at the end of the first part, or at the start of the second.
        var next = place
        while next < bytes.count, next < place + longest, Base64Text.isDigit(bytes[next]) { next += 1 }
        if next < bytes.count, bytes[next] == UInt8(ascii: "\r") { next += 1 }
        if next < bytes.count, bytes[next] == UInt8(ascii: "\n") { body(next) }
        var last = place
        while last > 0, last > place - longest, Base64Text.isDigit(bytes[last]) { last -= 1 }
        let blank = last
        while last > 0, last > blank - Self.mostBlanks, bytes[last] == UInt8(ascii: " ") { last -= 1 }
        if bytes[last] == UInt8(ascii: "\n") { body(last) }
    }

    /// The two parts of a wrapped text, joined.
    struct Joined {
        let text: ByteBuffer
        /// Where it starts in what is searched, and how many bytes of it come before the break.
        var start: Int
        var cut: Int
    }

    /// The text around the break at `newline`, as far as a pattern may extend; nil if no pattern can be there.
    func join(_ bytes: Span<UInt8>, at newline: Int) -> Joined? {
        guard newline > 0, newline + 1 < bytes.count, mayCut(bytes, at: newline) else { return nil }
        var last = newline
        if bytes[last - 1] == UInt8(ascii: "\r") { last -= 1 }
        let next = Self.afterBlanks(bytes, from: newline + 1)
        var end = next
        let limit = min(bytes.count, next + max(longest, Self.wrapped))
        while end < limit, Base64Text.isDigit(bytes[end]) { end += 1 }
        var first = last
        while first > 0, last - first < longest, Base64Text.isDigit(bytes[first - 1]) { first -= 1 }
        guard first < last, end > next, last - first + end - next >= Self.wrapped else { return nil }
        let joined = ByteBuffer(capacity: last - first + end - next)
        joined.append(bytes.extracting(first..<last))
        joined.append(bytes.extracting(next..<end))
        return Joined(text: joined, start: first, cut: last - first)
    }

    /// Whether the bytes before and after a line break are adjacent in a pattern. Most lines of source code do not end
    /// or continue like base64, and the others rarely with such a pair.
    ///
    /// - Precondition: there are bytes on both sides.
    @inline(__always)
    private func mayCut(_ bytes: Span<UInt8>, at newline: Int) -> Bool {
        var last = newline - 1
        if bytes[last] == UInt8(ascii: "\r"), last > 0 { last -= 1 }
        guard Base64Text.isDigit(bytes[last]) else { return false }
        let next = Self.afterBlanks(bytes, from: newline + 1)
        guard next < bytes.count else { return false }
        let pair = UInt32(bytes[last]) << 8 | UInt32(bytes[next])
        return pairs[Int(pair >> 6)] & (1 << UInt64(pair & 63)) != 0
    }

    private static func afterBlanks(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let end = min(bytes.count, start + mostBlanks)
        var next = start
        while next < end, bytes[next] == UInt8(ascii: " ") { next += 1 }
        return next
    }

    /// For eight bytes, the highest bit of each byte with which a line of base64 may end (a base64 digit, or the CR
    /// before the break), and of some others.
    ///
    /// Adding `0x80 - x` to a seven-bit value sets the eighth bit if it is at least `x`.
    @inline(__always)
    private static func mayEndLine(_ bytes: UInt64) -> UInt64 {
        let each: UInt64 = 0x0101_0101_0101_0101
        let sevenBits = 0x7f * each
        let lower = (bytes | 0x20 * each) & sevenBits
        let letters = (lower &+ (0x80 - 0x61) * each) ^ (lower &+ (0x80 - 0x7b) * each)
        let low = bytes & sevenBits
        // From `+` through `,`, `-`, `.` and `/` to `9`.
        let numbers = (low &+ (0x80 - 0x2b) * each) ^ (low &+ (0x80 - 0x3a) * each)
        let underscore = (low &+ (0x80 - 0x5f) * each) ^ (low &+ (0x80 - 0x60) * each)
        let carriageReturn = (low &+ (0x80 - 0x0d) * each) ^ (low &+ (0x80 - 0x0e) * each)
        return (letters | numbers | underscore | carriageReturn) & ~(bytes | sevenBits)
    }

    /// Calls `body` with each line break at which a pattern may be split.
    func forEach(_ bytes: Span<UInt8>, from start: Int, to limit: Int, _ body: (Int) -> Void) {
        let raw = unsafe bytes.bytes
        let newline = SIMD32<UInt8>(repeating: UInt8(ascii: "\n"))
        var place = max(start, 1)
        let end = min(bytes.count - 1, limit)
        while place + 32 <= end {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let here = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: SIMD32<UInt8>.self)
            let last = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place - 1, as: SIMD4<UInt64>.self)
            // A lane is all ones or all zeros, as any type; one bit of each is kept.
            let breaks = unsafe unsafeBitCast(here .== newline, to: SIMD4<UInt64>.self)
            let first = breaks[0] & Self.mayEndLine(last[0])
            let second = breaks[1] & Self.mayEndLine(last[1])
            let third = breaks[2] & Self.mayEndLine(last[2])
            let fourth = breaks[3] & Self.mayEndLine(last[3])
            if first | second | third | fourth != 0 {
                let words = SIMD4(first, second, third, fourth)
                for index in 0..<4 {
                    var lanes = words[index]
                    while lanes != 0 {
                        let at = place + index * 8 + lanes.trailingZeroBitCount / 8
                        lanes &= lanes &- 1
                        if mayCut(bytes, at: at) { body(at) }
                    }
                }
            }
            place += 32
        }
        while place < end {
            if bytes[place] == UInt8(ascii: "\n"), mayCut(bytes, at: place) { body(place) }
            place += 1
        }
    }
}
