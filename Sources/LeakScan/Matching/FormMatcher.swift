/// Finds where the starts of prefixes stand in other forms, and brands as they are, by looking at every few bytes only.
///
/// Each pattern is at least `m` bytes long, so of any `m - 3` neighbouring places one is the start of four bytes of
/// it that the filter knows. The filter may say yes wrongly, never no wrongly.
final class FormMatcher: Sendable {
    /// A pattern that stands somewhere.
    struct Match: Equatable {
        var start: Int
        var pattern: Int
    }

    let patterns: [FormPattern]
    /// Whether brands as they are are among ``patterns``: they are where looking for them too costs nothing.
    let findsBrands: Bool
    private let stride: Int
    private let longest: Int
    private let bits: [UInt64]
    private let shift: UInt32
    private let words: WordTable
    private let breaks: BrokenPatterns

    /// Terms without a common start have patterns of their own; more of them than that have none.
    static let mostStarts = 10_000

    /// - Parameters:
    ///   - starts: what all prefixes start with.
    ///   - brands: the same, where it is few things.
    init(starts: [[UInt8]], brands: [[UInt8]] = []) {
        let forms = starts.count > Self.mostStarts ? [] : starts.flatMap(FormPattern.all)
        let shortest = forms.map(\.bytes.count).min() ?? 0
        breaks = BrokenPatterns(forms)
        let stride = max(1, min(shortest - 3, breaks.stride, 16))
        self.stride = stride
        findsBrands = !brands.isEmpty && !forms.isEmpty && brands.allSatisfy { $0.count - 3 >= stride }
        let patterns = (findsBrands ? brands.map { FormPattern(bytes: $0, form: .plain) } : []) + forms
        self.patterns = patterns
        longest = patterns.map { $0.bytes.count }.max() ?? 0
        var places: [(word: UInt32, place: WordTable.Place)] = []
        for (number, pattern) in patterns.enumerated() {
            for offset in 0..<stride {
                let place = WordTable.Place(pattern: UInt32(number), offset: UInt32(offset))
                places.append((Self.word(pattern.bytes.span, offset), place))
            }
        }
        let words = Set(places.map(\.word)).union(breaks.words)
        var power: UInt32 = 14
        while power < 26 && 1 << power < words.count * 48 { power += 1 }
        shift = 32 - power
        var table = [UInt64](repeating: 0, count: 1 << Int(power - 6))
        for word in words {
            let bit = Self.hash(word) >> shift
            table[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
        }
        bits = table
        self.words = WordTable(places, aroundBreaks: breaks.words)
    }

    /// A copy for one thread, of what is small: threads that count references to the same object wait for each other.
    init(copyOf other: FormMatcher) {
        patterns = other.patterns
        findsBrands = other.findsBrands
        stride = other.stride
        longest = other.longest
        shift = other.shift
        breaks = other.breaks
        let isSmall = other.bits.count <= Self.mostCopied
        bits = isSmall ? other.bits.map(\.self) : other.bits
        words = isSmall ? WordTable(copyOf: other.words) : other.words
    }

    /// Larger filters are shared between threads, in words of 64 bits.
    private static let mostCopied = 1 << 14

    var isEmpty: Bool { patterns.isEmpty }

    @inline(__always)
    private static func hash(_ word: UInt32) -> UInt32 { (word ^ word >> 15) &* 0x9e37_79b1 }

    static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    }

    /// Appends the patterns whose first character, lead included, stands within `starts`, ascending.
    ///
    /// - Parameter acrossLines: whether base64 may be wrapped over lines.
    func search(
        _ bytes: Span<UInt8>, starts: Range<Int>, acrossLines: Bool, into matches: inout [Match]
    ) {
        guard !patterns.isEmpty, bytes.count >= 4 else { return }
        let before = matches.count
        let raw = unsafe bytes.bytes
        let bits = bits
        let table = bits.span
        // A lead of two characters, and a line break between them, may lie before the pattern; a break within it, too.
        let more = stride + 8 + (acrossLines && breaks.areAmongWords ? longest + BrokenPatterns.longestBreak : 0)
        let end = min(bytes.count - 3, starts.upperBound + more)
        let (stride, shift) = (stride, shift)
        @inline(__always)
        func word(_ place: Int) -> UInt32 {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            UInt32(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
        }
        /// In its lowest bit, whether the word at `place` may be one of the patterns'.
        @inline(__always)
        func mayBeKnown(_ place: Int) -> UInt64 {
            let bit = Self.hash(word(place)) &>> shift
            return table[Int(truncatingIfNeeded: bit &>> 6)] &>> UInt64(bit & 63)
        }
        var place = starts.lowerBound
        // Four places at once: the processor looks them up beside each other, and nearly always none is known. Sums that
        // are not checked are those of places, which the span checks.
        let lastFour = end - 3 * stride
        while place < lastFour {
            let second = place &+ stride
            let third = second &+ stride
            let fourth = third &+ stride
            if (mayBeKnown(place) | mayBeKnown(second) | mayBeKnown(third) | mayBeKnown(fourth)) & 1 != 0 {
                for at in [place, second, third, fourth] where mayBeKnown(at) & 1 != 0 {
                    check(bytes, at: at, word(at), starts, acrossLines, into: &matches)
                }
            }
            place = fourth &+ stride
        }
        while place < end {
            if mayBeKnown(place) & 1 != 0 {
                check(bytes, at: place, word(place), starts, acrossLines, into: &matches)
            }
            place += stride
        }
        if acrossLines && !breaks.areAmongWords {
            breaks.forEach(bytes, from: starts.lowerBound, to: starts.upperBound + longest + 8) { newline in
                checkBreak(bytes, at: newline, starts, into: &matches)
            }
        }
        guard matches.count - before > 1 else { return }
        matches[before...].sort { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
        // A pattern that a line break cuts comes up once for each of its words that was looked at.
        var last = before
        for index in (before + 1)..<matches.count where matches[index] != matches[last] {
            last += 1
            matches[last] = matches[index]
        }
        matches.removeSubrange((last + 1)...)
    }

    /// The same, the obvious way: every pattern at every place, and every line break.
    func searchEverywhere(
        _ bytes: Span<UInt8>, starts: Range<Int>, acrossLines: Bool, into matches: inout [Match]
    ) {
        for start in starts.lowerBound..<min(bytes.count, starts.upperBound + 8) {
            for number in patterns.indices { compare(bytes, at: start, number, starts, into: &matches) }
        }
        if acrossLines {
            for place in starts.lowerBound..<min(bytes.count, starts.upperBound + longest + 8)
            where bytes[place] == UInt8(ascii: "\n") {
                checkBreak(bytes, at: place, starts, into: &matches)
            }
        }
        matches.sort { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
    }

    /// Compares what the filter let through.
    @inline(never)
    private func check(
        _ bytes: Span<UInt8>, at place: Int, _ word: UInt32, _ starts: Range<Int>, _ acrossLines: Bool,
        into matches: inout [Match]
    ) {
        guard let row = words.row(of: word) else { return }
        if acrossLines, row.isAroundBreak {
            breaks.forEachNear(bytes, place) { checkBreak(bytes, at: $0, starts, into: &matches) }
        }
        for index in row.places {
            let found = words.places[index]
            compare(bytes, at: place - Int(found.offset), Int(found.pattern), starts, into: &matches)
        }
    }

    private func compare(
        _ bytes: Span<UInt8>, at first: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        let pattern = patterns[number]
        guard first >= 0, pattern.bytes.count <= bytes.count - first else { return }
        for index in pattern.bytes.indices where pattern.bytes[index] != bytes[first + index] { return }
        add(bytes, first, number, starts, into: &matches)
    }

    private func add(
        _ bytes: Span<UInt8>, _ first: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        // The lead may be on the line before.
        var start = first
        for _ in 0..<patterns[number].lead {
            start -= 1
            while start >= 0, Self.isBreak(bytes[start]) { start -= 1 }
        }
        guard start >= 0, starts.contains(start), first - start <= 6 else { return }
        matches.append(Match(start: start, pattern: number))
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// Adds the patterns of base64 that the break at `newline` cuts in two.
    private func checkBreak(
        _ bytes: Span<UInt8>, at newline: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        guard let joined = breaks.join(bytes, at: newline) else { return }
        let text = joined.text.span
        let bits = bits
        let table = bits.span
        for start in max(0, joined.cut - longest + 1)..<joined.cut where text.count - start >= BrokenPatterns.wrapped {
            let word = Self.word(text, start)
            let bit = Self.hash(word) >> shift
            guard table[Int(bit >> 6)] & (1 << UInt64(bit & 63)) != 0 else { continue }
            guard let row = words.row(of: word) else { continue }
            for index in row.places where words.places[index].offset == 0 {
                let number = Int(words.places[index].pattern)
                let pattern = patterns[number]
                let length = pattern.bytes.count
                guard pattern.isWrappable, start + length > joined.cut, length <= text.count - start else { continue }
                guard pattern.bytes.indices.allSatisfy({ pattern.bytes[$0] == text[start + $0] }) else { continue }
                add(bytes, joined.start + start, number, starts, into: &matches)
            }
        }
    }
}
