/// Prefixes of similar lengths, and the parameters of their common search. In a prefix of at least `m` bytes, of any `m
/// - w + 1` consecutive positions one is the start of a gram of `w` bytes that the filter of ``GramMatcher`` contains,
/// so most positions need not be examined. The more prefixes there are, the longer the grams must be to be rare, and
/// the fewer positions can be skipped.
struct GramClass: Equatable {
    /// The number of prefixes, and the lengths of the shortest and the longest, in bytes.
    var count: Int
    var shortest: Int
    var longest: Int
    /// The length of the grams in bytes.
    var width = 1
    /// The distance between examined positions.
    var stride = 1

    /// The estimated cost for each searched byte, in an arbitrary unit. Only comparisons matter, and they affect only
    /// speed.
    private(set) var cost = 0.0

    /// The number of filter bits for each gram, and the logarithm of the maximum size of the filter in bits.
    static let bitsOfEach = 12
    static let mostBits = 26

    /// The maximum length of a gram, and the maximum stride.
    private static let widest = 8
    private static let farthest = 16

    init(count: Int, shortest: Int, longest: Int) {
        self.count = count
        self.shortest = shortest
        self.longest = longest
        cost = .infinity
        for width in 1...min(Self.widest, shortest) {
            for stride in 1...min(Self.farthest, shortest - width + 1) {
                let cost = Self.cost(count: count, width: width, stride: stride)
                guard cost < self.cost else { continue }
                self.width = width
                self.stride = stride
                self.cost = cost
            }
        }
    }

    private static func cost(count: Int, width: Int, stride: Int) -> Double {
        let grams = Double(count * stride)
        var bits = 13
        while bits < mostBits && Double(1 << bits) < grams * Double(bitsOfEach) { bits += 1 }
        // The filter is in the L1, L2 or L3 cache, or in memory.
        let look = bits <= 18 ? 1.0 : bits <= 22 ? 1.6 : bits <= 24 ? 3 : 5
        // How often the filter matches: for grams that occur in text, assuming about 11 to the power of the width
        // different ones, and for false positives.
        var texts = 1.0
        for _ in 0..<width { texts *= 11 }
        let filled = min(1, 3 * grams / Double(1 << bits))
        let yes = min(1, grams / texts + 1.2 * filled * filled * filled)
        return (look + yes * (12 + 3 * Double(stride))) / Double(stride)
    }

    /// The cheapest division of the prefixes into classes: one search with the stride of the shortest prefix, or
    /// several.
    ///
    /// - Parameter counts: the number of prefixes of each length.
    static func divide(_ counts: [Int: Int]) -> [GramClass] {
        let borders = [1, 2, 4, 6, 8, 12, 16, 24]
        var groups: [GramClass] = []
        for (index, border) in borders.enumerated() {
            let next = index + 1 < borders.count ? borders[index + 1] : .max
            let lengths = counts.keys.filter { (border..<next).contains($0) }
            guard let shortest = lengths.min(), let longest = lengths.max() else { continue }
            let count = lengths.reduce(0) { $0 + (counts[$1] ?? 0) }
            groups.append(GramClass(count: count, shortest: shortest, longest: longest))
        }
        // Dynamic programming: the best division of the first groups for each possible last class.
        var best: [(cost: Double, classes: [GramClass])] = [(0, [])]
        for end in groups.indices {
            var found: (cost: Double, classes: [GramClass]) = (.infinity, [])
            for start in 0...end {
                let joined = GramClass(
                    count: groups[start...end].reduce(0) { $0 + $1.count }, shortest: groups[start].shortest,
                    longest: groups[end].longest)
                let cost = best[start].cost + joined.cost
                if cost < found.cost { found = (cost, best[start].classes + [joined]) }
            }
            best.append(found)
        }
        return best.last?.classes ?? []
    }
}
