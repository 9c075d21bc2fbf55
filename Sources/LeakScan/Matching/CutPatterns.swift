/// Patterns that are split by a gap: a line break, or the end of one literal and the start of the next; see ``Gap``.
///
/// The longer part of a split pattern is found by the grams in it, which ``FormMatcher`` searches for anyway, and, where it is
/// short, by words at its edge that end in the gap. Searching for the gaps themselves, one in thirty bytes of source code, costs
/// several times as much; it is done only if there are enough patterns that their grams would match everywhere.
final class CutPatterns: Sendable {
    /// With more patterns, line breaks are searched for, and no other gaps.
    static let most = 180

    /// The maximum length of a gap that is passed over.
    static let longestGap = Gap.longest
    /// Whether line breaks are searched for.
    let searchesBreaks: Bool
    /// Words of four bytes at the edges of parts. Of any ``stride`` consecutive positions at and in the longer part, one is the
    /// start of such a word or of a gram of four bytes.
    let words: Set<UInt32>
    /// The number of consecutive positions in a split pattern of which one is the start of a word, or of a gram.
    let stride: Int
    let longest: Int
    /// A bit for each pair of bytes: whether the two are adjacent in a pattern, so that a gap may be between them.
    private let pairs: [UInt64]
    /// A bit for each byte: whether patterns may have it.
    private let texts: [UInt64]

    /// - Parameter stride: as far apart as positions may be for the sake of other patterns.
    init(_ patterns: [FormPattern], stride most: Int) {
        let broken = patterns.filter(\.isWrappable)
        longest = broken.map(\.bytes.count).max() ?? 0
        searchesBreaks = broken.count > Self.most
        // Three words are at the edge, and one at the end of a start.
        let ofParts = broken.map { ($0.bytes.count + 1) / 2 + ($0.form == .split ? 1 : 0) }.min() ?? .max
        let stride = searchesBreaks ? most : min(most, ofParts)
        self.stride = stride
        var words: Set<UInt32> = []
        if !searchesBreaks { for pattern in broken { Self.addWords(of: pattern.bytes, stride, to: &words) } }
        self.words = words
        var pairs = [UInt64](repeating: 0, count: 1024)
        var texts: [UInt64] = [0, 0, 0, 0]
        func add(_ byte: UInt8) { texts[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
        for byte in UInt8.min...UInt8.max where Base64Text.isDigit(byte) { add(byte) }
        for pattern in broken {
            for (left, right) in zip(pattern.bytes, pattern.bytes.dropFirst()) {
                let pair = Int(left) << 8 | Int(right)
                pairs[pair >> 6] |= 1 << UInt64(pair & 63)
            }
            pattern.bytes.forEach(add)
        }
        self.pairs = pairs
        self.texts = texts
    }

    /// Adds the words at the edge of the longer part, for each place at which a pattern may be split.
    private static func addWords(of pattern: [UInt8], _ stride: Int, to words: inout Set<UInt32>) {
        let count = pattern.count
        for cut in 1..<count {
            let isHead = cut > count - cut
            let length = max(cut, count - cut)
            let missing = stride - max(0, length - 3)
            guard missing > 0 else { continue }
            for edge in 1...min(3, missing) {
                let inGap = edge
                for gap in isHead ? edges.heads[inGap - 1] : edges.tails[inGap - 1] {
                    // A gap that is shorter than its share of the word is followed by the other part.
                    let rest = inGap - gap.count
                    let text =
                        isHead
                        ? Array(pattern[max(0, cut - 4 + inGap)..<cut]) + gap + Array(pattern[cut...].prefix(rest))
                        : Array(pattern[..<cut].suffix(rest)) + gap + Array(pattern[cut..<min(count, cut + 4 - inGap)])
                    if text.count == 4 { words.insert(FormMatcher.word(text.span, 0)) }
                }
            }
            guard !isHead, missing > 3 else { continue }
            // What follows the start of a prefix.
            for after in UInt8.min...UInt8.max where Base64Text.isDigit(after) || after > 0x7d {
                let text = Array(pattern.suffix(3)) + [after]
                if text.count == 4 { words.insert(FormMatcher.word(text.span, 0)) }
            }
        }
    }

    /// The first one, two and three bytes of gaps, and the last ones; whole gaps that are shorter.
    private static let edges: (heads: [[[UInt8]]], tails: [[[UInt8]]]) = {
        let gaps =
            Gap.heads.flatMap { head in Gap.leads.map { Array((head + $0).utf8) } } + Gap.joints.map { Array($0.utf8) }
        func distinct(_ parts: [[UInt8]]) -> [[UInt8]] { Array(Set(parts)).sorted { $0.lexicographicallyPrecedes($1) } }
        return (
            (1...3).map { count in distinct(gaps.map { Array($0.prefix(count)) }) },
            (1...3).map { count in distinct(gaps.map { Array($0.suffix(count)) }) }
        )
    }()

    /// Whether patterns may have this byte.
    @inline(__always)
    func isText(_ byte: UInt8) -> Bool { texts[Int(byte >> 6)] & 1 << UInt64(byte & 63) != 0 }

    /// Calls `body` with the starts of gaps that may be in or next to the word at `place`.
    func forEachNear(_ bytes: Span<UInt8>, _ place: Int, _ body: (Int) -> Void) {
        // Each stretch of text in the word, as far as it extends.
        var at = place
        while at < min(bytes.count, place + 4) {
            guard isText(bytes[at]) else {
                at += 1
                continue
            }
            var start = at
            while start > 0, start > place - longest, isText(bytes[start - 1]) { start -= 1 }
            while at < bytes.count, at < place + longest + 4, isText(bytes[at]) { at += 1 }
            if at < bytes.count, !isText(bytes[at]) { body(at) }
            // What looks like text may be the last of the gap: the sign of a patch, the letter of a line end.
            for start in start..<min(start + 3, at) where start > 0 {
                Gap.starts(bytes, upTo: start, sign: sign(bytes, of: start), isText: isText).forEach(body)
            }
        }
    }

    /// The sign that a line begins with, whose text begins at `start`.
    private func sign(_ bytes: Span<UInt8>, of start: Int) -> UInt8? {
        switch bytes[start - 1] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): bytes[start - 1]
        default: Gap.sign(bytes, before: start)
        }
    }

    /// The two parts of a split text, joined.
    struct Joined {
        let text: ByteBuffer
        /// Where it starts in what is searched, and how many bytes of it come before the gap.
        var start: Int
        var cut: Int
    }

    /// The text around the gap at `gap`, as far as a pattern may extend; nil if no pattern can be there.
    func join(_ bytes: Span<UInt8>, at gap: Int) -> Joined? {
        guard gap > 0, gap < bytes.count, isText(bytes[gap - 1]) else { return nil }
        for sign in [Gap.sign(bytes, before: gap - 1), nil, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/")] {
            guard let next = Gap.end(bytes, at: gap, sign: sign), isPair(bytes[gap - 1], bytes[next]) else { continue }
            var end = next
            let limit = min(bytes.count, next + longest)
            while end < limit, isText(bytes[end]) { end += 1 }
            var first = gap
            while first > 0, gap - first < longest, isText(bytes[first - 1]) { first -= 1 }
            let joined = ByteBuffer(capacity: gap - first + end - next)
            joined.append(bytes.extracting(first..<gap))
            joined.append(bytes.extracting(next..<end))
            return Joined(text: joined, start: first, cut: gap - first)
        }
        return nil
    }

    @inline(__always)
    private func isPair(_ left: UInt8, _ right: UInt8) -> Bool {
        let pair = UInt32(left) << 8 | UInt32(right)
        return pairs[Int(pair >> 6)] & (1 << UInt64(pair & 63)) != 0
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
        var next = newline + 1
        let end = min(bytes.count, next + Gap.longest / 2)
        while next < end, bytes[next] == UInt8(ascii: " ") || bytes[next] == UInt8(ascii: "\t") { next += 1 }
        return next < bytes.count && isPair(bytes[last], bytes[next])
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

    /// Calls `body` with the start of the gap of each line break at which a pattern may be split.
    func forEach(_ bytes: Span<UInt8>, from start: Int, to limit: Int, _ body: (Int) -> Void) {
        func check(_ newline: Int) {
            guard mayCut(bytes, at: newline) else { return }
            body(bytes[newline - 1] == UInt8(ascii: "\r") ? newline - 1 : newline)
        }
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
                        check(place + index * 8 + lanes.trailingZeroBitCount / 8)
                        lanes &= lanes &- 1
                    }
                }
            }
            place += 32
        }
        while place < end {
            if bytes[place] == UInt8(ascii: "\n") { check(place) }
            place += 1
        }
    }
}
