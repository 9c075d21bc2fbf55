/// The paths of all places, to find those that lie within another one.
struct PlacePaths: Sendable {
    /// Ascending, so that what lies below a path is one range.
    private let sorted: [[UInt8]]

    init(_ paths: some Sequence<String> = []) {
        sorted = paths.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The places below a path.
    func below(_ path: String) -> Set<[UInt8]> {
        let start = Array((path.hasSuffix("/") ? path : path + "/").utf8)
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].lexicographicallyPrecedes(start) { low = middle + 1 } else { high = middle }
        }
        return Set(sorted[low...].prefix { $0.starts(with: start) && $0.count > start.count })
    }
}
