/// Finds prefixes without a common start, such as sign-ins, by examining only every few bytes; see ``GramClass``.
///
/// Where a gram of a prefix may occur, the possible starts of that prefix are checked against the first bytes of all
/// prefixes; what passes is looked up in the hash table.
final class GramMatcher: Matcher {
    private let terms: SearchTerms
    private let searches: [ClassSearch]

    init(terms: SearchTerms) {
        self.terms = terms
        searches = terms.isEmpty ? [] : GramClass.divide(terms.lengthCounts()).map { ClassSearch(terms, $0) }
    }

    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch]) {
        if searches.count == 1 {
            searches[0].search(bytes, starts, terms, into: &matches)
            return
        }
        let before = matches.count
        // In pieces, so that a piece is still in the L1 cache for the next class.
        var lower = starts.lowerBound
        while lower < starts.upperBound {
            let upper = min(lower + 16384, starts.upperBound)
            for search in searches { search.search(bytes, lower..<upper, terms, into: &matches) }
            lower = upper
        }
        if matches.count - before > 1 { matches[before...].sort { ($0.start, $0.term) < ($1.start, $1.term) } }
    }
}

/// The search for the prefixes of one class.
private struct ClassSearch: Sendable {
    private let shortest: Int
    private let stride: Int
    /// The lengths of the prefixes of the class, ascending.
    private let lengths: [Int]
    private let grams: GramFilter
    /// The first bytes of the prefixes.
    private let heads: GramFilter

    init(_ terms: SearchTerms, _ kind: GramClass) {
        shortest = kind.shortest
        stride = kind.stride
        lengths = terms.prefixLengths.filter { (kind.shortest...kind.longest).contains($0) }
        var grams = GramFilter(
            width: kind.width, count: kind.count * kind.stride, bits: GramClass.bitsOfEach, most: GramClass.mostBits)
        var heads = GramFilter(width: min(8, kind.shortest), count: kind.count, bits: 16, most: 24)
        let prefixes = terms.prefixBytes
        let bytes = prefixes.span
        for term in 0..<terms.count {
            let prefix = terms.prefixRange(term)
            guard (kind.shortest...kind.longest).contains(prefix.count) else { continue }
            heads.insert(heads.gram(bytes, prefix.lowerBound))
            for offset in 0..<kind.stride { grams.insert(grams.gram(bytes, prefix.lowerBound + offset)) }
        }
        self.grams = grams
        self.heads = heads
    }

    func search(
        _ bytes: Span<UInt8>, _ starts: Range<Int>, _ terms: SearchTerms, into matches: inout [RawMatch]
    ) {
        let starts = starts.lowerBound..<max(starts.lowerBound, min(starts.upperBound, bytes.count - shortest + 1))
        guard !starts.isEmpty else { return }
        // A prefix that starts in this range has a gram at an examined position before this end.
        let end = starts.upperBound + stride - 1
        let wide = min(end, bytes.count - 7)
        let raw = unsafe bytes.bytes
        let grams = grams
        let words = grams.words.span
        let stride = stride
        var place = starts.lowerBound + stride - 1
        while place < wide {
            // Unsafe: reinterprets bytes as an integer type, for which any bytes are valid; the span checks the bounds.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            if grams.mayHold(grams.gram(UInt64(littleEndian: word)), words) {
                check(bytes, at: place, startingIn: starts, terms, into: &matches)
            }
            place += stride
        }
        // The last places have fewer than 8 bytes after them: they are put together byte by byte.
        while place < end {
            if grams.mayHold(grams.gram(bytes, place), words) {
                check(bytes, at: place, startingIn: starts, terms, into: &matches)
            }
            place += stride
        }
    }

    /// Checks the positions at which a prefix with a gram at `place` may start, in ascending order.
    @inline(never)
    private func check(
        _ bytes: Span<UInt8>, at place: Int, startingIn starts: Range<Int>, _ terms: SearchTerms,
        into matches: inout [RawMatch]
    ) {
        let heads = heads
        let words = heads.words.span
        let raw = unsafe bytes.bytes
        for start in max(starts.lowerBound, place - stride + 1)...place where start < starts.upperBound {
            // Unsafe: reinterprets bytes as an integer type, for which any bytes are valid; the span checks the bounds.
            let head =
                start + 8 <= bytes.count
                ? unsafe heads.gram(
                    UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)))
                : heads.gram(bytes, start)
            if heads.mayHold(head, words) { terms.match(bytes, at: start, lengths: lengths, into: &matches) }
        }
    }
}
