/// Finds what has the shape of a secret, as it is written, by examining only every few bytes.
///
/// A secret is a long run of letters, digits, `_`, `-` and `.`; such runs are rare in text, and a brand in one is rarer.
final class TokenSearch: Sendable {
    /// Where something begins that may be a secret is decided by that many of its bytes; whether it is one, by all of them.
    static let reach = 64 + lead
    /// The number of bytes before a secret that matter: it begins a word, or follows an escape.
    static let lead = 3

    /// Refers to arrays for all shapes, so that a look at one counts no references.
    private struct Shape: Sendable {
        let number: Int
        /// In ``brands``.
        let brand: Range<Int>
        /// Where its 256 entries begin in ``alphabets``.
        let alphabet: Int
        let lengths: ClosedRange<Int>
    }

    private let shapes: [Shape]
    /// The brands, one after the other.
    private let brands: [UInt8]
    /// For each shape and each byte whether the part behind the brand may have it.
    private let alphabets: [Bool]
    /// The distance of examined places (``LongRuns``): a run of the shortest secret has eight bytes at one of them, and eight
    /// more behind or before those.
    let distance: Int
    /// A bit for each three bytes, by their lower halves: whether a brand begins with them.
    private let heads: [UInt64]

    init(_ all: [TokenShape]) {
        // The longest brand first: `sk-proj-` is no `sk-`.
        let sorted = all.enumerated().sorted {
            ($1.element.brand.count, $0.offset) < ($0.element.brand.count, $1.offset)
        }
        var (shapes, brands, alphabets): ([Shape], [UInt8], [Bool]) = ([], [], [])
        for (number, shape) in sorted {
            shapes.append(
                Shape(
                    number: number, brand: brands.count..<(brands.count + shape.brand.count),
                    alphabet: alphabets.count, lengths: shape.lengths))
            brands += shape.brand
            alphabets += (0...255).map { shape.alphabet.contains(UInt8($0)) }
        }
        (self.shapes, self.brands, self.alphabets) = (shapes, brands, alphabets)
        distance = (shapes.map { $0.brand.count + $0.lengths.lowerBound }.min() ?? TokenShape.shortest) - 7
        var heads = [UInt64](repeating: 0, count: 1 << 9)
        for shape in all {
            let bit = Self.bit(shape.brand[0], shape.brand[1], shape.brand[2])
            heads[bit >> 6] |= 1 << UInt64(bit & 63)
        }
        self.heads = heads
    }

    /// A copy for one thread: threads that count references to the same array slow each other down.
    init(copyOf other: TokenSearch) {
        shapes = other.shapes.map(\.self)
        brands = other.brands.map(\.self)
        alphabets = other.alphabets.map(\.self)
        heads = other.heads.map(\.self)
        distance = other.distance
    }

    var isEmpty: Bool { shapes.isEmpty }

    /// The examined places, for secrets that are reported within `starts`.
    func places(of starts: Range<Int>) -> ClosedRange<Int> {
        starts.lowerBound...(starts.upperBound + Self.lead + distance)
    }

    /// Calls `body` with the places of what may be secrets: ``lead`` bytes before them, or the start of the object. By brute
    /// force, as a reference for ``check(_:at:startingIn:isFirst:_:)``.
    ///
    /// - Parameters:
    ///   - starts: the places that are reported.
    ///   - isFirst: whether `bytes` begin with the start of the object.
    func forEachSlowly(_ bytes: Span<UInt8>, starts: Range<Int>, isFirst: Bool, _ body: (Int) -> Void) {
        var last: Int?
        for start in starts.lowerBound..<min(bytes.count, starts.upperBound + Self.lead) {
            report(bytes, from: start, startingIn: starts, isFirst: isFirst, &last, body)
        }
    }

    /// Whether there may be a run at an examined place: the eight bytes there are of one, and so are those behind or before them.
    @inline(__always)
    static func mayBeRun(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        others(bytes, at: place) == 0 && (others(bytes, at: place + 8) == 0 || others(bytes, at: place - 8) == 0)
    }

    /// The highest bit of each of the eight bytes at `place` that is not of a run; the first byte is the lowest one. All bits
    /// where there are no eight bytes.
    @inline(__always)
    private static func others(_ bytes: Span<UInt8>, at place: Int) -> UInt64 {
        guard place >= 0, place + 8 <= bytes.count else { return .max }
        let raw = unsafe bytes.bytes
        // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
        let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
        let low = word & 0x7f7f_7f7f_7f7f_7f7f
        // In each byte the highest bit tells whether it is above a character.
        func above(_ character: UInt64) -> UInt64 { low &+ 0x0101_0101_0101_0101 &* (0x7f - character) }
        let others =
            ~above(0x2c) | above(0x2e) & ~above(0x2f) | above(0x39) & ~above(0x40) | above(0x5a) & ~above(0x5e)
            | above(0x5f) & ~above(0x60) | above(0x7a)
        return (others | word) & 0x8080_8080_8080_8080
    }

    /// Where the run begins of which a part is at `place`, or `limit` if it begins before that.
    @inline(__always)
    private static func start(_ bytes: Span<UInt8>, from place: Int, notBefore limit: Int) -> Int {
        var start = place
        while start - 8 >= limit {
            let others = others(bytes, at: start - 8)
            guard others == 0 else { return start - others.leadingZeroBitCount / 8 }
            start -= 8
        }
        while start > limit, isToken(bytes[start - 1]) { start -= 1 }
        return start
    }

    /// Where the run ends of which a part is before `place`, or `limit` if it ends behind that.
    @inline(__always)
    private static func end(_ bytes: Span<UInt8>, from place: Int, notBehind limit: Int) -> Int {
        var end = place
        while end + 8 <= limit {
            let others = others(bytes, at: end)
            guard others == 0 else { return end + others.trailingZeroBitCount / 8 }
            end += 8
        }
        while end < limit, isToken(bytes[end]) { end += 1 }
        return end
    }

    /// Looks for secrets in the run of which a part is at `place`.
    ///
    /// Calls `body` with their places: ``lead`` bytes before them, or the start of the object.
    ///
    /// - Parameters:
    ///   - starts: the places that are reported.
    ///   - isFirst: whether `bytes` begin with the start of the object.
    /// - Returns: where to go on.
    @inline(never)
    func check(
        _ bytes: Span<UInt8>, at place: Int, startingIn starts: Range<Int>, isFirst: Bool, _ body: (Int) -> Void
    ) -> Int {
        let raw = unsafe bytes.bytes
        let first = Self.start(bytes, from: place, notBefore: max(starts.lowerBound, place - distance))
        let end = Self.end(
            bytes, from: place + 8, notBehind: min(bytes.count, starts.upperBound + Self.reach + distance))
        // A run that begins before the first place is not measured.
        guard end - first >= distance + 7 || first == starts.lowerBound || place - first == distance else {
            return end
        }
        var last: Int?
        let all = heads
        let heads = all.span
        let stop = max(first, min(end, starts.upperBound + Self.lead))
        func look(_ start: Int) {
            guard start < stop, Self.mayBegin(bytes, start, heads) else { return }
            report(bytes, from: start, startingIn: starts, isFirst: isFirst, &last, body)
        }
        // A word begins with the run, behind an escape at its start, and behind each separator in it.
        look(first)
        if first > 0, bytes[first - 1] == UInt8(ascii: "\\") { look(first + 1) }
        if first > 0, bytes[first - 1] == UInt8(ascii: "%") { look(first + 2) }
        var at = first
        while at + 8 <= end {
            var separators = Self.separators(unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
            while separators != 0 {
                look(at + separators.trailingZeroBitCount >> 3 + 1)
                separators &= separators - 1
            }
            at += 8
        }
        while at < end {
            if !Self.isAlphanumeric(bytes[at]) { look(at + 1) }
            at += 1
        }
        return end
    }

    /// The highest bit of each byte of a run that is no letter and no digit; the first byte is the lowest one.
    @inline(__always)
    private static func separators(_ word: UInt64) -> UInt64 {
        func above(_ character: UInt64) -> UInt64 { word &+ 0x0101_0101_0101_0101 &* (0x7f - character) }
        return (~above(0x2f) | above(0x5e) & ~above(0x5f)) & 0x8080_8080_8080_8080
    }

    @inline(__always)
    private static func bit(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int {
        Int(first & 31) << 10 | Int(second & 31) << 5 | Int(third & 31)
    }

    /// Whether the first three bytes at `start` may be those of a brand.
    @inline(__always)
    private static func mayBegin(_ bytes: Span<UInt8>, _ start: Int, _ heads: Span<UInt64>) -> Bool {
        guard start + 2 < bytes.count else { return false }
        let bit = bit(bytes[start], bytes[start + 1], bytes[start + 2])
        return heads[bit >> 6] & 1 << UInt64(bit & 63) != 0
    }

    /// Reports the place of what begins at `start`, if it may be a secret.
    private func report(
        _ bytes: Span<UInt8>, from start: Int, startingIn starts: Range<Int>, isFirst: Bool, _ last: inout Int?,
        _ body: (Int) -> Void
    ) {
        guard start >= Self.lead || isFirst else { return }
        let place = max(0, start - Self.lead)
        guard starts.contains(place), last != place, Self.isStart(bytes, start), shape(of: bytes, at: start) != nil
        else {
            return
        }
        last = place
        body(place)
    }

    /// What begins at a place that was reported.
    struct Found {
        /// The number of the shape.
        let shape: Int
        let start: Int
        /// The lengths that it may have, the most likely first.
        let lengths: [Int]
    }

    /// What begins at a place that was reported, as far as its length and characters say.
    ///
    /// - Parameter isFirst: whether the place is the start of the object.
    func found(_ bytes: Span<UInt8>, at place: Int, isFirst: Bool) -> [Found] {
        var found: [Found] = []
        for start in isFirst ? place...(place + Self.lead) : (place + Self.lead)...(place + Self.lead)
        where start < bytes.count && Self.isStart(bytes, start) {
            guard let shape = shape(of: bytes, at: start) else { continue }
            let lengths = lengths(of: shape, in: bytes, at: start)
            if !lengths.isEmpty { found.append(Found(shape: shape.number, start: start, lengths: lengths)) }
        }
        return found
    }

    /// The shape with the longest brand that is at `start`, if what follows may be the start of its secret.
    private func shape(of bytes: Span<UInt8>, at start: Int) -> Shape? {
        let (heads, shapes, brands) = (heads, shapes, brands)
        guard Self.mayBegin(bytes, start, heads.span) else { return nil }
        for index in shapes.indices {
            let shape = shapes[index]
            guard shape.brand.count <= bytes.count - start else { continue }
            var at = 0
            while at < shape.brand.count, bytes[start + at] == brands[shape.brand.lowerBound + at] { at += 1 }
            guard at == shape.brand.count else { continue }
            let body = start + shape.brand.count
            let end = min(body + shape.lengths.lowerBound, start + Self.reach - Self.lead)
            guard end <= bytes.count else { return nil }
            for index in body..<end where !alphabets[shape.alphabet + Int(bytes[index])] { return nil }
            return shape
        }
        return nil
    }

    private func lengths(of shape: Shape, in bytes: Span<UInt8>, at start: Int) -> [Int] {
        let body = start + shape.brand.count
        // One more tells a secret of the longest kind from something longer.
        let limit = min(bytes.count, body + shape.lengths.upperBound + 5)
        var end = body
        while end < limit, alphabets[shape.alphabet + Int(bytes[end])] { end += 1 }
        var found: [Int] = []
        // As it is written, then without the punctuation of the sentence around it.
        let shortest = max(body, end - 4)
        while end >= shortest {
            let isOver = end == bytes.count || !Self.isAlphanumeric(bytes[end])
            if isOver, shape.lengths.contains(end - body) { found.append(end - start) }
            guard end > body, !Self.isAlphanumeric(bytes[end - 1]) else { break }
            end -= 1
        }
        return found
    }

    /// Whether a word begins at `start`, or follows an escape: `\n`, `%3D`.
    private static func isStart(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        guard start > 0, isAlphanumeric(bytes[start - 1]) else { return true }
        guard start > 1 else { return false }
        if bytes[start - 2] == UInt8(ascii: "\\") { return "nrt".utf8.contains(bytes[start - 1]) }
        return start > 2 && bytes[start - 3] == UInt8(ascii: "%") && Escapes.digit(bytes[start - 2]) != nil
            && Escapes.digit(bytes[start - 1]) != nil
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    static func isToken(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}
