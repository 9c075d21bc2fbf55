/// The hash table behind ``SearchTerms``: FNV-1a over the whole prefix. The terms of a bucket are adjacent, in
/// ascending order, each with a tag from its hash, so that the table is built in a few passes over memory and terms
/// with the same prefix need no special handling.
///
/// Prefixes come from the store, not from scanned content, so a hash with predictable collisions is acceptable.
struct PrefixTable: Sendable {
    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The start of each bucket in `terms`, and last the end of the last bucket.
    private var bucketStarts: [UInt32]
    private var terms: [UInt32]
    private var tags: [UInt16]
    private let shift: UInt32

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// The hash of a prefix whose bytes were processed with ``step(_:_:)``.
    @inline(__always)
    static func finish(_ hash: UInt64, _ length: Int) -> UInt32 {
        // The low bits of FNV are weak, so the high bits of a product are used.
        UInt32(truncatingIfNeeded: ((hash ^ UInt64(length)) &* 0x9e37_79b9_7f4a_7c15) >> 32)
    }

    /// - Parameter hashes: the hashes of the prefixes; see ``finish(_:_:)``.
    init(_ hashes: [UInt32]) {
        let count = hashes.count
        // About four terms in each bucket.
        var power: UInt32 = 4
        while power < 26, 4 << power < count { power += 1 }
        let shift = 32 - power
        self.shift = shift
        var bucketStarts = [UInt32](repeating: 0, count: 1 << Int(power) + 1)
        for hash in hashes { bucketStarts[Int(hash >> shift) + 1] += 1 }
        var sum: UInt32 = 0
        for bucket in bucketStarts.indices {
            sum += bucketStarts[bucket]
            bucketStarts[bucket] = sum
        }
        // Filled from the end, so that the cursors finish at the starts of the buckets.
        var terms = [UInt32](repeating: 0, count: count)
        var tags = [UInt16](repeating: 0, count: count)
        var cursors = Array(bucketStarts.dropFirst())
        for term in stride(from: count - 1, through: 0, by: -1) {
            let hash = hashes[term]
            let place = cursors[Int(hash >> shift)] - 1
            cursors[Int(hash >> shift)] = place
            terms[Int(place)] = UInt32(term)
            tags[Int(place)] = UInt16(truncatingIfNeeded: hash)
        }
        self.bucketStarts = bucketStarts
        self.terms = terms
        self.tags = tags
    }

    /// A copy in separate memory.
    func unshared() -> Self {
        var copy = self
        copy.bucketStarts = bucketStarts.map(\.self)
        copy.terms = terms.map(\.self)
        copy.tags = tags.map(\.self)
        return copy
    }

    /// Calls `body` with the terms that may have a prefix of this hash, in ascending order.
    @inline(__always)
    func forEach(_ hash: UInt32, _ body: (Int) -> Void) {
        let bucket = Int(hash >> shift)
        let tag = UInt16(truncatingIfNeeded: hash)
        for place in Int(bucketStarts[bucket])..<Int(bucketStarts[bucket + 1]) where tags[place] == tag {
            body(Int(terms[place]))
        }
    }

    /// Each term whose prefix equals that of an earlier term, with the first such term.
    func firstsAlike(prefixes: [UInt8], starts: [UInt32]) -> [UInt32: UInt32] {
        var found: [UInt32: UInt32] = [:]
        func prefix(_ place: Int) -> ArraySlice<UInt8> {
            let term = Int(terms[place])
            return prefixes[Int(starts[term])..<Int(starts[term + 1])]
        }
        for bucket in 0..<(bucketStarts.count - 1) {
            let places = Int(bucketStarts[bucket])..<Int(bucketStarts[bucket + 1])
            guard places.count > 1 else { continue }
            if places.count > 32 {
                var firsts: [ArraySlice<UInt8>: UInt32] = [:]
                for place in places {
                    if let first = firsts[prefix(place)] {
                        found[terms[place]] = first
                    } else {
                        firsts[prefix(place)] = terms[place]
                    }
                }
                continue
            }
            for place in places.dropFirst() {
                for other in places.lowerBound..<place
                where tags[other] == tags[place] && prefix(other) == prefix(place) {
                    found[terms[place]] = terms[other]
                    break
                }
            }
        }
        return found
    }
}
