/// Finds what has the shape of a secret: as it is written, with escapes, or split by gaps.
///
/// A secret is a long run of letters, digits, `_`, `-` and `.`; such runs are rare in text, and a brand in one is rarer. With
/// escapes it is a run without blanks in which an escape of such a character is.
final class TokenSearch: Sendable {
    /// Where something begins that may be a secret is decided by that many of its bytes; whether it is one, by all of them.
    static let reach = window + lead
    /// The same without ``lead``.
    static let window = 64
    /// The number of bytes before a secret that matter: it begins a word, or follows an escape; see ``lead(_:before:)``.
    static let lead = 12

    /// The maximum number of signs of punctuation that are taken off the end of a secret.
    static let mostPunctuation = 4

    /// The maximum number of letters that a binary format writes behind a secret: types and lengths.
    static let mostBeside = 2

    /// Refers to arrays for all shapes, so that a look at one counts no references.
    struct Shape: Sendable {
        let number: Int
        /// In ``brands``.
        let brand: Range<Int>
        /// Where its 256 entries begin in ``alphabets``.
        let alphabet: Int
        let lengths: ClosedRange<Int>
    }

    let shapes: [Shape]
    /// The brands, one after the other.
    let brands: [UInt8]
    /// For each shape and each byte whether the part behind the brand may have it.
    let alphabets: [Bool]
    /// The length of runs that are looked at: every secret has as many bytes.
    let shortest: Int
    /// A bit for each byte with which a secret may begin, as it is written or by an escape.
    let firsts: [UInt64]
    /// For each number of the first three bytes of a brand (``number(_:_:_:)``) the end of the shapes whose brands have it; they
    /// begin where those of the number before end.
    let ends: [UInt32]
    /// A bit for each number, whether a brand has it.
    private let begins: [UInt64]

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
        var firsts: [UInt64] = [0, 0, 0, 0]
        for byte in all.map({ $0.brand[0] }) + (0...255).filter(Escapes.isMark) {
            firsts[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
        }
        self.firsts = firsts
        var begins = [UInt64](repeating: 0, count: Self.numbers >> 6)
        for shape in all { begins[number(shape) >> 6] |= 1 << UInt64(number(shape) & 63) }
        self.begins = begins
    }

    /// A copy for one thread: threads that count references to the same array slow each other down.
    init(copyOf other: TokenSearch) {
        shapes = other.shapes.map(\.self)
        brands = other.brands.map(\.self)
        alphabets = other.alphabets.map(\.self)
        ends = other.ends.map(\.self)
        firsts = other.firsts.map(\.self)
        begins = other.begins.map(\.self)
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
        for start in starts.lowerBound..<min(bytes.count, starts.upperBound + Self.lead) {
            let report = Report(starts: starts, isFirst: isFirst)
            guard let place = report.place(of: start) else { continue }
            if isPlain(bytes, at: start) || isEscaped(bytes, at: start) || isSplit(bytes, at: start) { body(place) }
        }
    }

    /// Which places are reported.
    struct Report {
        let starts: Range<Int>
        /// Whether the bytes begin with the start of the object.
        let isFirst: Bool

        /// The place of what begins at `start`, if it is reported.
        @inline(__always)
        func place(of start: Int) -> Int? {
            guard start >= TokenSearch.lead || isFirst else { return nil }
            let place = max(0, start - TokenSearch.lead)
            return starts.contains(place) ? place : nil
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
        let report = Report(starts: starts, isFirst: isFirst)
        let all = begins
        let begins = all.span
        // A word begins with the run, behind each other byte than a letter or digit in it, and behind an escape.
        look(bytes, at: lowest, with: begins, report, body)
        if lowest > 0, bytes[lowest - 1] == UInt8(ascii: "%") {
            look(bytes, at: lowest + 2, with: begins, report, body)
            // Percent signs that are escaped themselves.
            for more in 1...2 where bytes[lowest] == UInt8(ascii: "2") {
                look(bytes, at: lowest + 2 + 2 * more, with: begins, report, body)
            }
        }
        if lowest > 0, Self.isBinary(bytes[lowest - 1]) {
            var letters = 1
            while letters < min(Self.lead, bytes.count - lowest), Self.isAlphanumeric(bytes[lowest + letters - 1]) {
                look(bytes, at: lowest + letters, with: begins, report, body)
                letters += 1
            }
        }
        // Behind that the shortest secret would be cut off.
        let stop = run.upperBound - shortest
        var at = lowest
        while at < stop {
            var others = Self.others(WordScan.word(bytes, at: at))
            while others != 0 {
                let place = at + others.trailingZeroBitCount >> 3
                look(bytes, at: place + 1, with: begins, report, body)
                if Self.mayEscape(bytes[place]) { lookBehindEscape(bytes, at: place, report, body) }
                others &= others - 1
            }
            at += 8
        }
        if run.lowerBound > starts.lowerBound { look(bytes, before: run.lowerBound, report, body) }
        LongRuns.forEachMark(bytes, in: lowest..<run.upperBound) { mark in
            guard Escapes.mayHoldToken(bytes, at: mark) else { return }
            look(bytes, around: mark, report, body)
        }
    }

    /// The highest bit of each byte of a run that is no letter and no digit; the first byte is the lowest one.
    @inline(__always)
    private static func others(_ word: UInt64) -> UInt64 {
        let lower = word | 0x2020_2020_2020_2020
        let letters = WordScan.above(0x60, lower) ^ WordScan.above(0x7a, lower)
        let digits = WordScan.above(0x2f, word) ^ WordScan.above(0x39, word)
        return ~(letters | digits) & 0x8080_8080_8080_8080
    }

    /// Reports the secret that begins at `start`, as it is written.
    @inline(__always)
    private func look(
        _ bytes: Span<UInt8>, at start: Int, with begins: Span<UInt64>, _ report: Report, _ body: (Int) -> Void
    ) {
        guard start + 2 < bytes.count else { return }
        let number = Self.number(bytes[start], bytes[start + 1], bytes[start + 2])
        guard begins[number >> 6] & 1 << UInt64(number & 63) != 0, let place = report.place(of: start),
            isPlain(bytes, at: start)
        else { return }
        body(place)
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
    static func candidates(_ bytes: Span<UInt8>, _ start: Int, _ ends: Span<UInt32>) -> Range<Int> {
        guard start + 2 < bytes.count else { return 0..<0 }
        let number = number(bytes[start], bytes[start + 1], bytes[start + 2])
        return (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])
    }

    /// Whether what begins at `start` may be a secret as it is written, or the first part of one.
    private func isPlain(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        Self.isStart(bytes, start) && shape(of: bytes, at: start) != nil
    }

    /// What begins at a place that was reported.
    struct Found {
        /// The number of the shape.
        let shape: Int
        let start: Int
        /// The lengths that it may have, the most likely first.
        let lengths: [Int]
    }

    /// Where something may begin that was reported at `place`.
    ///
    /// - Parameter isFirst: whether the place is the start of the object.
    static func starts(_ bytes: Span<UInt8>, at place: Int, isFirst: Bool) -> Range<Int> {
        let last = min(bytes.count, place + lead + 1)
        return min(last, isFirst ? place : place + lead)..<last
    }

    /// What begins at `start`, as far as its length and characters say.
    ///
    /// - Parameter isDecoded: whether the bytes were text with escapes or gaps.
    func found(_ bytes: Span<UInt8>, at start: Int, isDecoded: Bool) -> Found? {
        guard Self.isStart(bytes, start), let shape = shape(of: bytes, at: start) else { return nil }
        var lengths = lengths(of: shape, in: bytes, at: start)
        if !isDecoded { lengths += self.lengths(of: shape, inBinary: bytes, at: start) }
        return lengths.isEmpty ? nil : Found(shape: shape.number, start: start, lengths: lengths)
    }

    /// The shape with the longest brand that is at `start`, if what follows may be the start of its secret: as many characters as
    /// the shortest has, or as are looked at, or, before an escape or a gap, as many as a run has that is looked at.
    private func shape(of bytes: Span<UInt8>, at start: Int) -> Shape? {
        guard let shape = shape(withBrandOf: bytes, at: start) else { return nil }
        let body = start + shape.brand.count
        let end = min(body + shape.lengths.lowerBound, start + Self.window)
        var at = body
        while at < min(end, bytes.count), alphabets[shape.alphabet + Int(bytes[at])] { at += 1 }
        guard at < end else { return shape }
        guard at < bytes.count else { return nil }
        return at - start >= shortest && Self.mayGoOn(with: bytes[at]) || isBeforeTag(bytes, at: at, from: start)
            ? shape : nil
    }

    /// Whether a tag begins at `place`, behind a brand or more from `start` on, in a run that is long enough.
    private func isBeforeTag(_ bytes: Span<UInt8>, at place: Int, from start: Int) -> Bool {
        bytes[place] == UInt8(ascii: "<") && place + 1 < start + Self.window && start + shortest <= bytes.count
            && Escapes.mayBeMarkup(bytes, at: place)
            && (place..<max(place, start + shortest)).allSatisfy { LongRuns.isVisible(bytes[$0]) }
    }

    /// Whether an escape may begin with a byte, or a gap.
    static func mayGoOn(with byte: UInt8) -> Bool { Escapes.isMark(byte) || Gap.splits(with: byte) || byte == 0x1b }

    /// The shape with the longest brand that is at `start`.
    func shape(withBrandOf bytes: Span<UInt8>, at start: Int) -> Shape? {
        let (ends, shapes, brands) = (ends, shapes, brands)
        for index in Self.candidates(bytes, start, ends.span) {
            let shape = shapes[index]
            guard shape.brand.count <= bytes.count - start else { continue }
            var at = 0
            while at < shape.brand.count, bytes[start + at] == brands[shape.brand.lowerBound + at] { at += 1 }
            if at == shape.brand.count { return shape }
        }
        return nil
    }

    private func lengths(of shape: Shape, in bytes: Span<UInt8>, at start: Int) -> [Int] {
        let body = start + shape.brand.count
        // One more tells a secret of the longest kind from something longer.
        let limit = min(bytes.count, body + shape.lengths.upperBound + Self.mostPunctuation + 1)
        var end = body
        while end < limit, alphabets[shape.alphabet + Int(bytes[end])] { end += 1 }
        var found: [Int] = []
        // As it is written, then without the punctuation of the sentence around it.
        let shortest = max(body, end - Self.mostPunctuation)
        while end >= shortest {
            let isOver = end == bytes.count || !Self.isAlphanumeric(bytes[end])
            if isOver, shape.lengths.contains(end - body) { found.append(end - start) }
            guard end > body, !Self.isAlphanumeric(bytes[end - 1]) else { break }
            end -= 1
        }
        return found
    }

    /// The lengths of a secret that letters or digits follow, and then a byte that no text has, as a binary format writes them.
    private func lengths(of shape: Shape, inBinary bytes: Span<UInt8>, at start: Int) -> [Int] {
        let body = start + shape.brand.count
        let limit = min(bytes.count, body + shape.lengths.upperBound + Self.mostBeside + 1)
        var end = body
        while end < limit, Self.isAlphanumeric(bytes[end]) || alphabets[shape.alphabet + Int(bytes[end])] { end += 1 }
        guard end < bytes.count else { return [] }
        // Another sign may be between the two.
        let isFollowed = end + 1 < bytes.count && bytes[end + 1] < 0x20 && Self.isBinary(bytes[end + 1])
        guard Self.isBinary(bytes[end]) || isFollowed else { return [] }
        return (1...Self.mostBeside).map { end - $0 }.filter { end in
            shape.lengths.contains(end - body)
                && (body..<end).allSatisfy { alphabets[shape.alphabet + Int(bytes[$0])] }
        }.map { $0 - start }
    }

    /// Whether a word begins at `start`, or something behind which one begins ends there.
    static func isStart(_ bytes: Span<UInt8>, _ start: Int) -> Bool { lead(bytes, before: start) != nil }

    /// How many bytes before `start` say that a word begins there, at most ``lead``; nil within a word.
    ///
    /// None where the byte before it is no letter and no digit. Else those of an escape (`\n`, `\u003d`, `%3D`, `=3D`) or of a terminal's
    /// colour (`[32m`); or letters and digits behind a byte that no text has: binary formats write lengths and types beside a text, and
    /// one text right behind the other.
    static func lead(_ bytes: Span<UInt8>, before start: Int) -> Int? {
        var mark = start - 1
        let lowest = max(0, start - lead)
        while mark >= lowest, isAlphanumeric(bytes[mark]) { mark -= 1 }
        guard mark < start - 1 else { return 0 }
        guard mark >= lowest else { return nil }
        switch bytes[mark] {
        case UInt8(ascii: "\\"), UInt8(ascii: "="), UInt8(ascii: "%"):
            return isEscape(bytes.extracting(mark..<start), before: bytes[start]) ? start - mark : nil
        case UInt8(ascii: "["), UInt8(ascii: ";"):
            while mark >= lowest, bytes[mark] != UInt8(ascii: "[") { mark -= 1 }
            return mark >= lowest && endOfColor(bytes, at: mark) == start ? start - mark : nil
        default: return isBinary(bytes[mark]) ? start - mark : nil
        }
    }

    /// Whether `text` is an escape as a whole, and of no letter or digit.
    ///
    /// - Parameter next: what follows it.
    private static func isEscape(_ text: Span<UInt8>, before next: UInt8) -> Bool {
        func isOther(_ base: UInt32, from first: Int) -> Bool {
            var value: UInt32 = 0
            for index in first..<text.count {
                guard let digit = Escapes.digit(text[index]), digit < base else { return false }
                value = value * base + digit
            }
            return value > 0x7f || !isAlphanumeric(UInt8(value))
        }
        switch (text[0], text.count) {
        case (UInt8(ascii: "%"), 3), (UInt8(ascii: "%"), 5), (UInt8(ascii: "%"), 7):
            let last = text.count - 2
            return (1..<last).allSatisfy { text[$0] == UInt8(ascii: $0 % 2 == 1 ? "2" : "5") }
                && Escapes.digit(text[last]) != nil && Escapes.digit(text[last + 1]) != nil
        case (UInt8(ascii: "="), 3): return isOther(16, from: 1)
        case (UInt8(ascii: "\\"), 2) where "nrt".utf8.contains(text[1]): return true
        case (UInt8(ascii: "\\"), 4) where text[1] == UInt8(ascii: "x"): return isOther(16, from: 2)
        case (UInt8(ascii: "\\"), 6) where text[1] == UInt8(ascii: "u"): return isOther(16, from: 2)
        case (UInt8(ascii: "\\"), 2...3): return next & 0xf8 != UInt8(ascii: "0") && isOther(8, from: 1)
        case (UInt8(ascii: "\\"), 4): return isOther(8, from: 1)
        default: return false
        }
    }

    /// Whether an escape or a terminal's colour may begin with a byte of a run.
    @inline(__always)
    private static func mayEscape(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "[")
    }

    /// Reports the secret behind an escape or a terminal's colour that begins at `mark`.
    @inline(never)
    private func lookBehindEscape(_ bytes: Span<UInt8>, at mark: Int, _ report: Report, _ body: (Int) -> Void) {
        let all = begins
        let begins = all.span
        func look(_ start: Int) { self.look(bytes, at: start, with: begins, report, body) }
        switch bytes[mark] {
        case UInt8(ascii: "="): look(mark + 3)
        case UInt8(ascii: "["):
            if let end = Self.endOfColor(bytes, at: mark) { look(end) }
        default: for start in (mark + 2)...(mark + 6) { look(start) }
        }
    }

    /// Where a terminal's colour ends whose bracket is at `place`, and the erasing of a line that grep writes with it; nil if there is none.
    static func endOfColor(_ bytes: Span<UInt8>, at place: Int) -> Int? {
        var at = place + 1
        while at < min(bytes.count, place + lead), (0x30...0x39).contains(bytes[at]) || bytes[at] == UInt8(ascii: ";") {
            at += 1
        }
        guard at < min(bytes.count, place + lead), bytes[at] == UInt8(ascii: "m") || bytes[at] == UInt8(ascii: "K")
        else { return nil }
        return at + 1
    }

    /// Whether no text in ASCII has this byte.
    @inline(__always)
    private static func isBinary(_ byte: UInt8) -> Bool {
        byte > 0x7f || byte < 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d
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
