/// The positions of grams in patterns: those at the first few positions of each pattern, and all of some patterns.
struct PatternGrams: Sendable {
    /// The grams, numbered pattern by pattern.
    private var numbers: PrefixTable
    /// For each gram the pattern, and in the low 12 bits its position.
    private var places: [UInt32] = []

    /// - Parameters:
    ///   - hasAll: whether wrappable patterns have grams at all positions.
    ///   - body: called with each gram.
    init(
        _ patterns: [FormPattern], stride: Int, hasAll: Bool, _ filter: GramFilter, forEach body: (UInt64) -> Void
    ) {
        var hashes: [UInt32] = []
        hashes.reserveCapacity(patterns.count * stride)
        for (number, pattern) in patterns.enumerated() {
            let bytes = pattern.bytes.span
            // Prefixes have at most 1,024 bytes, so a wrappable pattern has fewer than 2^12.
            let isEverywhere = hasAll && pattern.isWrappable
            let count = !isEverywhere && !pattern.isExact ? 0 : isEverywhere ? bytes.count - filter.width + 1 : stride
            for offset in 0..<max(0, count) {
                let gram = filter.gram(bytes, offset)
                body(gram)
                hashes.append(Self.hash(gram))
                places.append(UInt32(number << 12 | offset))
            }
        }
        numbers = PrefixTable(hashes)
    }

    /// A copy in separate memory.
    func unshared() -> Self {
        var copy = self
        copy.numbers = numbers.unshared()
        copy.places = places.map(\.self)
        return copy
    }

    private static func hash(_ gram: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: ((gram ^ gram >> 29) &* 0xd6e8_feb8_6659_fd93) >> 32)
    }

    /// Calls `body` with the patterns and positions that may have the gram. There are false positives.
    func forEach(_ gram: UInt64, _ body: (_ pattern: Int, _ offset: Int) -> Void) {
        numbers.forEach(Self.hash(gram)) { number in
            body(Int(places[number] >> 12), Int(places[number] & 0xfff))
        }
    }
}
