/// The common start of many prefixes, such as `kv_live_`, and the two of its bytes that are searched for.
struct Brand: Sendable, Equatable {
    /// The number of brands up to which searching for each of them in turn is fastest.
    static let limit = 8
    /// The shortest start that is found with an escape or a gap in it.
    static let shortestInForms = 8

    /// The longest common start of the prefixes of this brand.
    let bytes: [UInt8]
    /// Positions in `bytes` of the two bytes that are rarest in source code; equal if there is only one byte.
    let first: Int
    let second: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let byRarity = bytes.indices.sorted { (commonness(bytes[$0]), $0) < (commonness(bytes[$1]), $1) }
        let one = byRarity.first ?? 0
        // Two different bytes are more selective than the same byte twice.
        let other =
            byRarity.dropFirst().first { bytes[$0] != bytes[one] } ?? byRarity.dropFirst().first ?? one
        first = min(one, other)
        second = max(one, other)
    }

    /// The brands with which all prefixes start; empty if there are more than `limit`.
    static func common(to prefixes: [UInt8], starts: [UInt32], shortest: Int, limit: Int) -> [Brand] {
        let head = min(4, shortest)
        guard head > 0 else { return [] }
        var groups: [ArraySlice<UInt8>: ArraySlice<UInt8>] = [:]
        var last: [UInt8] = []
        let bytes = prefixes.span
        for term in 0..<(starts.count - 1) {
            // Nearly all prefixes have the brand of the previous one, so that nothing changes.
            let start = Int(starts[term])
            let length = last.count
            if length > 0, length <= Int(starts[term + 1]) - start {
                var same = 0
                while same < length, bytes[start + same] == last[same] { same += 1 }
                if same == length { continue }
            }
            let prefix = prefixes[start..<Int(starts[term + 1])]
            let key = prefix.prefix(head)
            guard let shared = groups[key] else {
                guard groups.count < limit else { return [] }
                groups[key] = prefix
                continue
            }
            if !prefix.starts(with: shared) {
                groups[key] = shared.prefix(zip(shared, prefix).prefix { $0 == $1 }.count)
            }
            last = Array(groups[key] ?? [])
        }
        return groups.values.map { Brand(Array($0)) }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

/// How common a byte is in source code: higher is more common. Only the order matters, and it affects only speed.
private func commonness(_ byte: UInt8) -> Int {
    let mostCommonFirst =
        " etaoisnrlcdpumfhg_.,()=-;b0*/v1yw\n\t2x\"k:>'3E4TASIRC<NOLDP{}&5M#U8F6+\\79HB|G[]%"
    guard let place = mostCommonFirst.utf8.firstIndex(of: byte) else { return byte == 0 ? 40 : 0 }
    return 100 - mostCommonFirst.utf8.distance(from: mostCommonFirst.utf8.startIndex, to: place)
}
