/// The hash table behind ``SearchTerms``: FNV-1a over the whole prefix, open addressing, at most half full.
///
/// Prefixes come from the store, not from what is scanned, so a hash that an attacker could aim at does no
/// harm.
enum PrefixTable {
    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    @inline(__always)
    static func finish(_ hash: UInt64, _ length: Int) -> Int {
        // FNV's low bits are weak; fold the high ones in.
        Int(truncatingIfNeeded: (hash ^ UInt64(length)) &* 0x9e37_79b9_7f4a_7c15 >> 20)
    }

    static func build(prefixes: [UInt8], starts: [UInt32]) -> (
        slots: [UInt32], nextAlike: [UInt32: UInt32]
    ) {
        let count = starts.count - 1
        guard count > 0 else { return ([], [:]) }
        var size = 16
        while size < count * 2 { size *= 2 }
        var slots = [UInt32](repeating: 0, count: size)
        var nextAlike: [UInt32: UInt32] = [:]
        let bytes = prefixes.span
        for term in 0..<count {
            let range = Int(starts[term])..<Int(starts[term + 1])
            var hash = seed
            for index in range { hash = step(hash, bytes[index]) }
            var slot = finish(hash, range.count) & (size - 1)
            while slots[slot] != 0 {
                let other = Int(slots[slot]) - 1
                let otherRange = Int(starts[other])..<Int(starts[other + 1])
                if prefixes[otherRange].elementsEqual(prefixes[range]) {
                    nextAlike[UInt32(term)] = nextAlike[UInt32(other)]
                    nextAlike[UInt32(other)] = UInt32(term) + 1
                    break
                }
                slot = (slot + 1) & (size - 1)
            }
            if slots[slot] == 0 { slots[slot] = UInt32(term) + 1 }
        }
        return (slots, nextAlike)
    }
}
