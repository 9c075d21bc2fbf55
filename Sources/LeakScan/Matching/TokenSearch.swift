/// Finds what has the shape of a secret, as it is written.
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
    /// The length of runs that are looked at: every secret has as many bytes.
    let shortest: Int
    /// For each number of the first three bytes of a brand (``number(_:_:_:)``) the end of the shapes whose brands have it; they
    /// begin where those of the number before end.
    private let ends: [UInt32]

    init(_ all: [TokenShape]) {
        func number(_ shape: TokenShape) -> Int { Self.number(shape.brand[0], shape.brand[1], shape.brand[2]) }
        // Of each number the longest brand first: `sk-proj-` is no `sk-`.
        let sorted = all.enumerated().sorted {
            (number($0.element), $1.element.brand.count, $0.offset)
                < (number($1.element), $0.element.brand.count, $1.offset)
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
        shortest = min(
            shapes.map { $0.brand.count + $0.lengths.lowerBound }.min() ?? TokenShape.shortest,
            LongRuns.lengths.upperBound)
        var ends = [UInt32](repeating: 0, count: Self.numbers)
        for shape in all { for number in number(shape)..<Self.numbers { ends[number] += 1 } }
        self.ends = ends
    }

    /// A copy for one thread: threads that count references to the same array slow each other down.
    init(copyOf other: TokenSearch) {
        shapes = other.shapes.map(\.self)
        brands = other.brands.map(\.self)
        alphabets = other.alphabets.map(\.self)
        ends = other.ends.map(\.self)
        shortest = other.shortest
    }

    var isEmpty: Bool { shapes.isEmpty }

    /// Calls `body` with the places of what may be secrets: ``lead`` bytes before them, or the start of the object. By brute
    /// force, as a reference for ``check(_:in:startingIn:isFirst:_:)``.
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

    /// Calls `body` with the places of secrets in a run that ``LongRuns`` has found: ``lead`` bytes before them, or the start of
    /// the object.
    ///
    /// - Parameters:
    ///   - starts: the places that are reported.
    ///   - isFirst: whether `bytes` begin with the start of the object.
    func check(
        _ bytes: Span<UInt8>, in run: Range<Int>, startingIn starts: Range<Int>, isFirst: Bool, _ body: (Int) -> Void
    ) {
        let lowest = max(run.lowerBound, starts.lowerBound)
        guard lowest < run.upperBound else { return }
        var last: Int?
        var runs = LongRuns(of: .token, in: bytes, lowest..<run.upperBound, shortest: shortest)
        while let run = runs.next(in: bytes) {
            // Behind that the shortest one would be cut off.
            let stop = min(run.upperBound - shortest + 1, starts.upperBound + Self.lead)
            look(bytes, from: run.lowerBound, to: stop, startingIn: starts, isFirst: isFirst, &last, body)
        }
    }

    /// Reports the secrets that begin from `first` on, before `stop`, in the run that begins at `first`.
    @inline(__always)
    private func look(
        _ bytes: Span<UInt8>, from first: Int, to stop: Int, startingIn starts: Range<Int>, isFirst: Bool,
        _ last: inout Int?, _ body: (Int) -> Void
    ) {
        let all = ends
        let ends = all.span
        func look(_ start: Int) {
            guard start < stop, !Self.candidates(bytes, start, ends).isEmpty else { return }
            report(bytes, from: start, startingIn: starts, isFirst: isFirst, &last, body)
        }
        // A word begins with the run, behind an escape at its start, and behind each separator in it.
        look(first)
        if first > 0, bytes[first - 1] == UInt8(ascii: "\\") { look(first + 1) }
        if first > 0, bytes[first - 1] == UInt8(ascii: "%") { look(first + 2) }
        var at = first
        while at + 1 < stop {
            // The run has more bytes behind `stop` than a word.
            var separators = Self.separators(WordScan.word(bytes, at: at))
            while separators != 0 {
                look(at + separators.trailingZeroBitCount >> 3 + 1)
                separators &= separators - 1
            }
            at += 8
        }
    }

    /// The highest bit of each byte of a run that is no letter and no digit; the first byte is the lowest one.
    @inline(__always)
    private static func separators(_ word: UInt64) -> UInt64 {
        @inline(__always)
        func above(_ character: UInt64) -> UInt64 { WordScan.above(character, word) }
        return (~above(0x2f) | above(0x5e) & ~above(0x5f)) & 0x8080_8080_8080_8080
    }

    /// A number for the first three bytes of a brand; most others have numbers that no brand has.
    @inline(__always)
    private static func number(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int {
        let bytes = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16
        return Int(truncatingIfNeeded: (bytes &* 0x9e37_79b1) &>> 20)
    }

    private static let numbers = 1 << 12

    /// The shapes whose brands may begin with the three bytes at `start`.
    @inline(__always)
    private static func candidates(_ bytes: Span<UInt8>, _ start: Int, _ ends: Span<UInt32>) -> Range<Int> {
        guard start + 2 < bytes.count else { return 0..<0 }
        let number = number(bytes[start], bytes[start + 1], bytes[start + 2])
        return (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])
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
        let (ends, shapes, brands) = (ends, shapes, brands)
        for index in Self.candidates(bytes, start, ends.span) {
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
