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
    private let cuts: CutPatterns
    /// Words at the edges of gaps.
    private let edges: WordTable
    /// Words with which texts with escapes begin, and those texts.
    private let escapes: WordTable
    private let escaped: [EscapedStart]
    /// Words of base 85.
    private let base85: Base85Words
    /// The patterns that begin with each byte, by their second one, for the search by brute force.
    private let byFirst: [[(second: UInt8, pattern: Int)]]

    /// The maximum number of starts. Terms without a common start have patterns of their own; if there are more, other
    /// forms are not searched for.
    static let mostStarts = 10_000
    /// The maximum distance of examined positions: pieces of lists of numbers are as short as that.
    private static let farthest = 8
    /// The number of starts up to which forms with many variants are searched for.
    static let mostThorough = 16

    /// - Parameters:
    ///   - starts: the starts of all prefixes.
    ///   - brands: the same, if there are only a few.
    init(starts: [[UInt8]], brands: [[UInt8]] = []) {
        let isThorough = starts.count <= Self.mostThorough
        let all =
            starts.count > Self.mostStarts ? [] : starts.flatMap { FormPattern.all(of: $0, isThorough: isThorough) }
        // Lists of numbers and escapes have pieces and variants that are shorter than what the others need.
        let shortest = all.filter { $0.isExact && $0.numbers == nil && !$0.isNested }.map(\.bytes.count).min() ?? 0
        let isDense = all.filter(\.isWrappable).count > CutPatterns.most
        // Patterns that are split need grams of four bytes.
        let width = isDense ? min(8, max(4, shortest - 8)) : 4
        // Starts are found as they are, too.
        let ofStarts = isThorough ? starts.map { $0.count - width + 1 }.filter { $0 > 0 }.min() ?? .max : .max
        cuts = CutPatterns(all, stride: max(1, min(shortest - width + 1, ofStarts, Self.farthest)))
        let stride = max(1, cuts.stride)
        self.stride = stride
        let forms = all.filter { !$0.isExact || $0.bytes.count - width + 1 >= stride }
        findsBrands = !brands.isEmpty && !forms.isEmpty && brands.allSatisfy { $0.count - width + 1 >= stride }
        let patterns =
            (findsBrands ? brands.map { FormPattern(bytes: $0, form: .plain) } : []) + forms
            + (forms.isEmpty ? [] : [FormPattern.binaryPatch])
        self.patterns = patterns
        longest = patterns.map { $0.bytes.count }.max() ?? 0
        let hasAll = !cuts.searchesBreaks
        escaped = patterns.indices.filter { !patterns[$0].isExact && patterns[$0].form == .escaped }.map {
            let bytes = patterns[$0].bytes
            return EscapedStart(pattern: $0, bytes: bytes, isFoundPlain: bytes.count - width + 1 >= stride)
        }
        let escapeWords: Set<UInt32> =
            width == 4 ? escaped.reduce(into: []) { $0.formUnion(Escapes.words(of: $1.bytes, count: stride)) } : []
        base85 = Base85Words(width == 4 ? patterns : [], stride: stride)
        // Those that are not grams of patterns.
        var words = Array(cuts.words.union(escapeWords).union(base85.words))
        let count = patterns.reduce(words.count) {
            $0 + (hasAll && $1.isWrappable ? $1.bytes.count - width + 1 : stride)
        }
        var filter = GramFilter(width: width, count: count, bits: 14, most: 25)
        for word in words { filter.insert(UInt64(word)) }
        grams = PatternGrams(patterns, stride: stride, hasAll: hasAll, filter) { gram in
            filter.insert(gram)
            if width == 4 { words.append(UInt32(truncatingIfNeeded: gram)) }
        }
        var byFirst = [[(second: UInt8, pattern: Int)]](repeating: [], count: 256)
        for number in patterns.indices where patterns[number].isExact {
            let bytes = patterns[number].bytes
            byFirst[Int(bytes[0])].append((bytes[1], number))
        }
        self.byFirst = byFirst
        self.filter = filter
        table = width == 4 ? WordTable(words) : nil
        edges = WordTable(Array(cuts.words))
        escapes = WordTable(Array(escapeWords))
    }

    /// A copy for one thread, if it is small: threads that count references to the same array slow each other down.
    init(copyOf other: FormMatcher) {
        patterns = other.patterns
        findsBrands = other.findsBrands
        stride = other.stride
        longest = other.longest
        cuts = other.cuts
        edges = other.edges
        escapes = other.escapes
        escaped = other.escaped
        base85 = other.base85
        byFirst = other.byFirst
        let isSmall = other.filter.words.count <= Self.mostCopied
        filter = isSmall ? other.filter.unshared() : other.filter
        table = isSmall ? other.table?.unshared() : other.table
        grams = isSmall ? other.grams.unshared() : other.grams
    }

    /// The size up to which a filter is copied, in words of 64 bits; threads share larger ones.
    private static let mostCopied = 1 << 14

    var isEmpty: Bool { patterns.isEmpty }

    /// Whether of texts that are split, only those are found that a line break alone splits.
    var searchesBreaksAlone: Bool { cuts.searchesBreaks }

    /// The number of bytes that determine whether a pattern is at a position: its lead, a gap and the pattern itself.
    static let reach = 2 * Gap.longest + 40

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
        // A lead of two characters may precede the pattern, and a gap may be in it.
        let more = stride + 8 + longest + (acrossLines && !cuts.searchesBreaks ? 2 * CutPatterns.longestGap : 0)
        let end = min(bytes.count - filter.width + 1, starts.upperBound + more)
        if let table {
            searchWords(bytes, table, startingIn: starts, upTo: end, acrossLines: acrossLines, into: &matches)
        } else {
            searchGrams(bytes, starts, upTo: end, acrossLines: acrossLines, into: &matches)
        }
        if acrossLines && cuts.searchesBreaks {
            cuts.forEach(bytes, from: starts.lowerBound, to: starts.upperBound + longest + 8) { gap in
                checkGap(bytes, at: gap, starts, into: &matches)
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
        _ bytes: Span<UInt8>, _ table: WordTable, startingIn starts: Range<Int>, upTo end: Int, acrossLines: Bool,
        into matches: inout [Match]
    ) {
        var place = table.next(in: bytes, from: starts.lowerBound, before: end, stride: stride)
        while place < end {
            check(
                bytes, at: place, UInt64(Self.word(bytes, place)), startingIn: starts, acrossLines: acrossLines,
                into: &matches)
            place = table.next(in: bytes, from: place + stride, before: end, stride: stride)
        }
    }

    private func searchGrams(
        _ bytes: Span<UInt8>, _ starts: Range<Int>, upTo end: Int, acrossLines: Bool, into matches: inout [Match]
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
            if filter.mayHold(gram, words) {
                check(bytes, at: place, gram, startingIn: starts, acrossLines: acrossLines, into: &matches)
            }
            place += stride
        }
        // Fewer than 8 bytes follow the last positions, so their grams are read byte by byte.
        while place < end {
            let gram = filter.gram(bytes, place)
            if filter.mayHold(gram, words) {
                check(bytes, at: place, gram, startingIn: starts, acrossLines: acrossLines, into: &matches)
            }
            place += stride
        }
    }

    /// The same by brute force: every pattern at every position, and every gap.
    func searchEverywhere(
        _ bytes: Span<UInt8>, starts: Range<Int>, acrossLines: Bool, into matches: inout [Match]
    ) {
        let end = min(bytes.count, starts.upperBound + longest + 2 * CutPatterns.longestGap + 8)
        for start in starts.lowerBound..<end {
            if start + 1 < bytes.count {
                for (second, number) in byFirst[Int(bytes[start])] where second == bytes[start + 1] {
                    compare(bytes, at: start, number, starts, into: &matches)
                }
            }
            checkEscapes(bytes, from: start, starts, into: &matches)
            base85.forEachPattern(beginningAt: start, in: bytes) { number in
                checkBase85(bytes, at: start, number, starts, into: &matches)
            }
        }
        if acrossLines {
            for place in max(1, starts.lowerBound)..<max(1, end)
            where cuts.isText(bytes[place - 1]) && !cuts.isText(bytes[place]) {
                let isBreak =
                    bytes[place] == 0x0a || bytes[place] == 0x0d && place + 1 < bytes.count && bytes[place + 1] == 0x0a
                if !cuts.searchesBreaks || isBreak { checkGap(bytes, at: place, starts, into: &matches) }
            }
        }
        matches.sort { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
        matches = matches.enumerated().filter { $0.offset == 0 || matches[$0.offset - 1] != $0.element }.map(\.element)
    }

    /// Compares the patterns that have this gram.
    @inline(never)
    private func check(
        _ bytes: Span<UInt8>, at place: Int, _ gram: UInt64, startingIn starts: Range<Int>, acrossLines: Bool,
        into matches: inout [Match]
    ) {
        let filter = filter
        guard filter.mayHold(gram, filter.words.span) else { return }
        let word = UInt32(truncatingIfNeeded: gram)
        let (edges, escapes) = (edges, escapes)
        var mayBeCut = !cuts.searchesBreaks && acrossLines && edges.mayHold(word)
        grams.forEach(gram) { number, offset in
            let pattern = patterns[number]
            guard filter.gram(pattern.bytes.span, offset) == gram else { return }
            if pattern.isWrappable, !mayBeCut { mayBeCut = hasPart(bytes, at: place - offset, pattern) }
            if pattern.isExact { compare(bytes, at: place - offset, number, starts, into: &matches) }
        }
        if !escaped.isEmpty, escapes.mayHold(word) {
            checkEscapes(bytes, at: place, starts, into: &matches)
        }
        for found in base85.places(of: word) {
            checkBase85(bytes, at: place - found.offset, found.pattern, starts, into: &matches)
        }
        if mayBeCut, acrossLines, !cuts.searchesBreaks {
            cuts.forEachNear(bytes, place) { checkGap(bytes, at: $0, starts, into: &matches) }
        }
    }

    /// Whether the first or the last half of a pattern is here, which would begin at `first`.
    private func hasPart(_ bytes: Span<UInt8>, at first: Int, _ pattern: FormPattern) -> Bool {
        let half = (pattern.bytes.count + 1) / 2
        return [0, pattern.bytes.count - half].contains { offset in
            first + offset >= 0 && first + offset + half <= bytes.count
                && (offset..<(offset + half)).allSatisfy { bytes[first + $0] == pattern.bytes[$0] }
        }
    }

    /// A start of which each byte may be escaped.
    private struct EscapedStart {
        /// So far a start is compared, in bytes of text as it is written.
        static let reach = 100

        let pattern: Int
        let bytes: [UInt8]
        /// Whether it is long enough to be found where none of its bytes is escaped.
        let isFoundPlain: Bool

        /// The match at `start`, if the start is there, as it is or with escapes.
        func match(_ text: Span<UInt8>, at start: Int) -> Match? {
            // Behind a backslash that leaves it as it is, it begins as it is.
            if text[start] == UInt8(ascii: "\\"), start + 1 < text.count, text[start + 1] == bytes[0],
                !Escapes.mayBeMarked(bytes[0])
            {
                return nil
            }
            return match(text, at: start, .all) ?? match(text, at: start, .styles)
        }

        private func match(_ text: Span<UInt8>, at start: Int, _ marks: Escapes.Marks) -> Match? {
            var at = start
            for byte in bytes {
                guard let unit = Escapes.unit(text, at: at, depth: 1, marks: marks), unit.value == byte else {
                    return nil
                }
                at = unit.end
                if at - start > Self.reach { break }
            }
            return at - start > bytes.count || isFoundPlain ? Match(start: start, pattern: pattern) : nil
        }
    }

    /// Adds the texts with escapes that begin at or a little before `place`.
    private func checkEscapes(
        _ bytes: Span<UInt8>, at place: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        for start in max(0, place - stride + 1)...place { checkEscapes(bytes, from: start, starts, into: &matches) }
    }

    private func checkEscapes(
        _ bytes: Span<UInt8>, from start: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        guard starts.contains(start) else { return }
        for escaped in escaped where bytes[start] == escaped.bytes[0] || Escapes.isMark(bytes[start]) {
            if let match = escaped.match(bytes, at: start) { matches.append(match) }
        }
    }

    /// Adds a start in base 85 whose first group begins at `start`, with at most one line break.
    private func checkBase85(
        _ bytes: Span<UInt8>, at start: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        guard start >= 0, starts.contains(start) else { return }
        let pattern = patterns[number]
        guard let alphabet = pattern.base85, alphabet.isDigit(bytes[start]) else { return }
        // The first group begins with bytes that are not of the start.
        var index = -pattern.skippedBits / 8
        var at = start
        while index < pattern.bytes.count {
            guard let group = alphabet.read(bytes, at: at, most: Base85.group, overBlanks: true) else { return }
            for byte in 0..<group.count where index + byte >= 0 && index + byte < pattern.bytes.count {
                guard group.byte(byte) == pattern.bytes[index + byte] else { return }
            }
            index += group.count
            guard group.count == 4 || index >= pattern.bytes.count else { return }
            at = group.range.upperBound
        }
        let blanks = (start..<at).filter { bytes[$0] <= 0x20 }.map { bytes[$0] }
        guard blanks.isEmpty || blanks == [0x0a] || blanks == [0x0d, 0x0a] else { return }
        matches.append(Match(start: start, pattern: number))
    }

    private func compare(
        _ bytes: Span<UInt8>, at first: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        let pattern = patterns[number]
        guard first >= 0, pattern.bytes.count <= bytes.count - first else { return }
        for index in pattern.bytes.indices where pattern.bytes[index] != bytes[first + index] { return }
        add(bytes, first, number, startingIn: starts, into: &matches)
    }

    private func add(
        _ bytes: Span<UInt8>, _ first: Int, _ number: Int, startingIn starts: Range<Int>, into matches: inout [Match]
    ) {
        // The lead may be before a gap.
        var start = first
        for _ in 0..<patterns[number].lead {
            start -= 1
            guard start >= 0 else { return }
            guard !cuts.isText(bytes[start]) else { continue }
            let sign = Gap.sign(bytes, before: start)
            guard let gap = Gap.starts(bytes, upTo: start + 1, sign: sign, isText: cuts.isText).last else { return }
            start = gap - 1
        }
        guard start >= 0, starts.contains(start) else { return }
        matches.append(Match(start: start, pattern: number))
    }

    /// Adds the patterns that the gap at `gap` splits.
    private func checkGap(
        _ bytes: Span<UInt8>, at gap: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        guard let joined = cuts.join(bytes, at: gap) else { return }
        let text = joined.text.bytes
        let filter = filter
        let words = filter.words.span
        for start in max(0, joined.cut - cuts.longest + 1)..<joined.cut {
            let gram = filter.gram(text, start)
            guard filter.mayHold(gram, words) else { continue }
            grams.forEach(gram) { number, offset in
                let pattern = patterns[number]
                let length = pattern.bytes.count
                guard offset == 0, pattern.isWrappable, start + length > joined.cut, length <= text.count - start,
                    pattern.bytes.indices.allSatisfy({ pattern.bytes[$0] == text[start + $0] })
                else { return }
                add(bytes, joined.start + start, number, startingIn: starts, into: &matches)
            }
        }
    }
}
