/// Prefixes of similar lengths, and how they are searched for together: in a prefix of at least `m` bytes, of any
/// `m - w + 1` neighbouring places one starts a gram of it, `w` bytes that ``GramMatcher``'s filter knows. So most places
/// need no look. The more prefixes there are, the longer the grams must be to be rare, and the fewer places are passed over.
struct GramClass: Equatable {
    /// How many prefixes, and the length of the shortest.
    var count: Int
    var shortest: Int
    var longest: Int
    /// The length of the grams.
    var width = 1
    /// From one place that is looked at to the next.
    var stride = 1

    /// What it costs for each byte searched, in some unit. Only which is less matters, and only for speed.
    private(set) var cost = 0.0

    /// So many bits are made for each gram, at most 2 to the power of so many.
    static let bitsOfEach = 12
    static let mostBits = 26

    /// The widest a gram is, and the most places that are passed over.
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
        // From the first, the second or the third cache.
        let look = bits <= 18 ? 1.0 : bits <= 22 ? 1.6 : bits <= 24 ? 3 : 5
        // How often it says yes: for a gram that is one, of text that has about ten to the power of its width of them, and
        // wrongly.
        var texts = 1.0
        for _ in 0..<width { texts *= 11 }
        let filled = min(1, 3 * grams / Double(1 << bits))
        let yes = min(1, grams / texts + 1.2 * filled * filled * filled)
        return (look + yes * (12 + 3 * Double(stride))) / Double(stride)
    }

    /// The cheapest way to divide the prefixes: one search with the gaps of the shortest, or several.
    ///
    /// - Parameter counts: how many prefixes there are of each length.
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
        // Best division of the first groups, by the last class of it: there are few, so all are tried.
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
