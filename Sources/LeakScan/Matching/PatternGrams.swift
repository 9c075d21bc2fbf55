/// Where the grams of patterns stand in them: those at the first few places of each, and all of some.
struct PatternGrams: Sendable {
    /// So many neighbouring places of each pattern have a gram.
    private let stride: Int
    /// Numbered pattern by pattern.
    private var numbers: PrefixTable
    /// By number the pattern, and in the low 12 bits the place in it; empty if each has ``stride`` of them.
    private var places: [UInt32] = []

    /// - Parameters:
    ///   - hasAll: of those that may be wrapped all grams.
    ///   - body: is called with each of the grams.
    init(
        _ patterns: [FormPattern], stride: Int, hasAll: Bool, _ filter: GramFilter, forEach body: (UInt64) -> Void
    ) {
        self.stride = stride
        var hashes: [UInt32] = []
        hashes.reserveCapacity(patterns.count * stride)
        for (number, pattern) in patterns.enumerated() {
            let bytes = pattern.bytes.span
            // Prefixes have at most 1,024 bytes, so what is wrapped has less than 2^12.
            let count = hasAll && pattern.isWrappable ? bytes.count - filter.width + 1 : stride
            for offset in 0..<count {
                let gram = filter.gram(bytes, offset)
                body(gram)
                hashes.append(Self.hash(gram))
                if hasAll { places.append(UInt32(number << 12 | offset)) }
            }
        }
        numbers = PrefixTable(hashes)
    }

    /// A copy in memory of its own.
    func unshared() -> Self {
        var copy = self
        copy.numbers = numbers.unshared()
        copy.places = places.map(\.self)
        return copy
    }

    private static func hash(_ gram: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: ((gram ^ gram >> 29) &* 0xd6e8_feb8_6659_fd93) >> 32)
    }

    /// Calls `body` with the patterns, and the places in them, where the gram may stand: it may be another one.
    func forEach(_ gram: UInt64, _ body: (_ pattern: Int, _ offset: Int) -> Void) {
        numbers.forEach(Self.hash(gram)) { number in
            if places.isEmpty {
                body(number / stride, number % stride)
            } else {
                body(Int(places[number] >> 12), Int(places[number] & 0xfff))
            }
        }
    }
}
