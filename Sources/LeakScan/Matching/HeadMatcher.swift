/// Checks at every position whether a prefix may start with the bytes there: the reference for ``GramMatcher``.
struct HeadMatcher: Matcher {
    private let terms: SearchTerms
    /// Contains the first bytes of each prefix: as many as the shortest prefix has, at most 8.
    private let heads: GramFilter

    init(terms: SearchTerms) {
        self.terms = terms
        var heads = GramFilter(width: min(8, max(1, terms.shortestPrefix)), count: terms.count, bits: 16, most: 27)
        let prefixes = terms.prefixBytes
        let bytes = prefixes.span
        for term in 0..<terms.count {
            heads.insert(heads.gram(bytes, terms.prefixRange(term).lowerBound))
        }
        self.heads = heads
    }

    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch]) {
        let last = min(starts.upperBound, bytes.count - heads.width + 1)
        guard starts.lowerBound < last else { return }
        let heads = heads
        let words = heads.words.span
        for start in starts.lowerBound..<last where heads.mayHold(heads.gram(bytes, start), words) {
            terms.match(bytes, at: start, into: &matches)
        }
    }
}
