/// Finds the starts of prefixes in other forms, and plain brands, by examining only every few bytes.
///
/// Each pattern is at least `m` bytes long, so of any `m - w + 1` consecutive positions in it one is the start of a
/// gram of `w` bytes that the filter contains. The filter may have false positives, never false negatives. With few
/// patterns, and for patterns that are split by a line break, a gram has four bytes; with many patterns such short
/// grams would match everywhere, so grams are longer.
final class FormMatcher: Sendable {
    /// An occurrence of a pattern.
    struct Match: Equatable {
        var start: Int
        var pattern: Int
    }

    let patterns: [FormPattern]
    /// Whether plain brands are among ``patterns``, which is so if searching for them costs nothing extra.
    let findsBrands: Bool
    private let stride: Int
    private let longest: Int
    private let filter: GramFilter
    /// Checked before the filter, if the grams have four bytes.
    private let table: WordTable?
    private let grams: PatternGrams
    private let breaks: BrokenPatterns
    /// Whether a pattern contains a space or a line break.
    private let holdsBlanks: Bool

    /// The maximum number of starts. Terms without a common start have patterns of their own; if there are more, other
    /// forms are not searched for.
    static let mostStarts = 10_000

    /// - Parameters:
    ///   - starts: the starts of all prefixes.
    ///   - brands: the same, if there are only a few.
    init(starts: [[UInt8]], brands: [[UInt8]] = []) {
        let forms = starts.count > Self.mostStarts ? [] : starts.flatMap(FormPattern.all)
        let shortest = forms.map(\.bytes.count).min() ?? 0
        breaks = BrokenPatterns(forms)
        // Patterns that are split by a break need grams of four bytes.
        let width = breaks.way == .search ? min(8, max(4, shortest - 8)) : 4
        let stride = max(1, min(shortest - width + 1, breaks.stride, 16))
        self.stride = stride
        findsBrands = !brands.isEmpty && !forms.isEmpty && brands.allSatisfy { $0.count - width + 1 >= stride }
        let patterns = (findsBrands ? brands.map { FormPattern(bytes: $0, form: .plain) } : []) + forms
        self.patterns = patterns
        longest = patterns.map { $0.bytes.count }.max() ?? 0
        let isCut = breaks.way == .grams
        let count = patterns.reduce(breaks.words.count) {
            $0 + (isCut && $1.isWrappable ? $1.bytes.count - width + 1 : stride)
        }
        var filter = GramFilter(width: width, count: count, bits: 14, most: 25)
        var words = Array(breaks.words)
        grams = PatternGrams(patterns, stride: stride, hasAll: isCut, filter) { gram in
            filter.insert(gram)
            if width == 4 { words.append(UInt32(truncatingIfNeeded: gram)) }
        }
        for word in breaks.words { filter.insert(UInt64(word)) }
        self.filter = filter
        table = width == 4 ? WordTable(words) : nil
        holdsBlanks = patterns.contains { pattern in
            pattern.bytes.prefix(stride + width - 1).contains(where: BrokenPatterns.isBlank)
        }
    }

    /// A copy for one thread, if it is small: threads that count references to the same array slow each other down.
    init(copyOf other: FormMatcher) {
        patterns = other.patterns
        findsBrands = other.findsBrands
        stride = other.stride
        longest = other.longest
        breaks = other.breaks
        holdsBlanks = other.holdsBlanks
        let isSmall = other.filter.words.count <= Self.mostCopied
        filter = isSmall ? other.filter.unshared() : other.filter
        table = isSmall ? other.table?.unshared() : other.table
        grams = isSmall ? other.grams.unshared() : other.grams
    }

    /// The size up to which a filter is copied, in words of 64 bits; threads share larger ones.
    private static let mostCopied = 1 << 14

    var isEmpty: Bool { patterns.isEmpty }

    static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    }

    /// Appends, in ascending order, the patterns whose first character, including the lead, is within `starts`.
    ///
    /// - Parameter acrossLines: whether base64 may be wrapped over lines.
    func search(
        _ bytes: Span<UInt8>, starts: Range<Int>, acrossLines: Bool, into matches: inout [Match]
    ) {
        guard !patterns.isEmpty, bytes.count >= filter.width else { return }
        let before = matches.count
        // A lead of two characters, with a line break between them, may precede the pattern, and a break may be within
        // it.
        let more = stride + 8 + (acrossLines && breaks.way != .search ? longest + BrokenPatterns.longestBreak : 0)
        let end = min(bytes.count - filter.width + 1, starts.upperBound + more)
        if let table {
            searchWords(bytes, table, starts, end, acrossLines, into: &matches)
        } else {
            searchGrams(bytes, starts, end, acrossLines, into: &matches)
        }
        if acrossLines && breaks.way == .search {
            breaks.forEach(bytes, from: starts.lowerBound, to: starts.upperBound + longest + 8) { newline in
                checkBreak(bytes, at: newline, starts, into: &matches)
            }
        }
        guard matches.count - before > 1 else { return }
        matches[before...].sort { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
        // A pattern that is split by a line break is found once for each of its words.
        var last = before
        for index in (before + 1)..<matches.count where matches[index] != matches[last] {
            last += 1
            matches[last] = matches[index]
        }
        matches.removeSubrange((last + 1)...)
    }

    private func searchWords(
        _ bytes: Span<UInt8>, _ table: WordTable, _ starts: Range<Int>, _ end: Int, _ acrossLines: Bool,
        into matches: inout [Match]
    ) {
        let raw = unsafe bytes.bytes
        let bits = table.bits.span
        let stride = stride
        var place = starts.lowerBound
        while place < end {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let word = UInt32(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
            if table.mayHold(word, bits) {
                check(bytes, at: place, UInt64(word), starts, acrossLines, into: &matches)
            }
            place += stride
        }
    }

    private func searchGrams(
        _ bytes: Span<UInt8>, _ starts: Range<Int>, _ end: Int, _ acrossLines: Bool, into matches: inout [Match]
    ) {
        let raw = unsafe bytes.bytes
        let filter = filter
        let words = filter.words.span
        let stride = stride
        let wide = min(end, bytes.count - 7)
        var place = starts.lowerBound
        while place < wide {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            let gram = filter.gram(UInt64(littleEndian: word))
            if filter.mayHold(gram, words) { check(bytes, at: place, gram, starts, acrossLines, into: &matches) }
            place += stride
        }
        // Fewer than 8 bytes follow the last positions, so their grams are read byte by byte.
        while place < end {
            let gram = filter.gram(bytes, place)
            if filter.mayHold(gram, words) { check(bytes, at: place, gram, starts, acrossLines, into: &matches) }
            place += stride
        }
    }

    /// The same by brute force: every pattern at every position, and every line break.
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

    /// Compares the patterns that have this gram.
    @inline(never)
    private func check(
        _ bytes: Span<UInt8>, at place: Int, _ gram: UInt64, _ starts: Range<Int>, _ acrossLines: Bool,
        into matches: inout [Match]
    ) {
        let filter = filter
        guard filter.mayHold(gram, filter.words.span) else { return }
        if breaks.way == .words {
            let word = UInt32(truncatingIfNeeded: gram)
            let isBlank = BrokenPatterns.holdsBlank(word)
            if acrossLines, isBlank || breaks.words.contains(word) {
                breaks.forEachNear(bytes, place) { checkBreak(bytes, at: $0, starts, into: &matches) }
            }
            guard !isBlank || holdsBlanks else { return }
        }
        var mayBeCut = false
        grams.forEach(gram) { number, offset in
            let pattern = patterns[number]
            guard filter.gram(pattern.bytes.span, offset) == gram else { return }
            if pattern.isWrappable { mayBeCut = true }
            compare(bytes, at: place - offset, number, starts, into: &matches)
        }
        if mayBeCut, acrossLines, breaks.way == .grams {
            breaks.forEachNear(bytes, place) { checkBreak(bytes, at: $0, starts, into: &matches) }
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
        // The lead may be on the previous line.
        var start = first
        for _ in 0..<patterns[number].lead {
            start -= 1
            while start >= 0, Self.isBreak(bytes[start]) { start -= 1 }
        }
        guard start >= 0, starts.contains(start), first - start <= 6 else { return }
        matches.append(Match(start: start, pattern: number))
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// Adds the base64 patterns that the break at `newline` splits.
    private func checkBreak(
        _ bytes: Span<UInt8>, at newline: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        guard let joined = breaks.join(bytes, at: newline) else { return }
        let text = joined.text.bytes
        let filter = filter
        let words = filter.words.span
        for start in max(0, joined.cut - longest + 1)..<joined.cut where text.count - start >= BrokenPatterns.wrapped {
            let gram = filter.gram(text, start)
            guard filter.mayHold(gram, words) else { continue }
            grams.forEach(gram) { number, offset in
                let pattern = patterns[number]
                let length = pattern.bytes.count
                guard offset == 0, pattern.isWrappable, start + length > joined.cut, length <= text.count - start,
                    pattern.bytes.indices.allSatisfy({ pattern.bytes[$0] == text[start + $0] })
                else { return }
                add(bytes, joined.start + start, number, starts, into: &matches)
            }
        }
    }
}
