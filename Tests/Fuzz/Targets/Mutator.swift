/// Damages inputs, the same way for the same seed: for tests, and where libFuzzer is not built in.
package struct Mutator {
    private var state: UInt64
    private let seeds: [[UInt8]]

    package init(seeds: [[UInt8]], seed: UInt64) {
        self.seeds = seeds.isEmpty ? [[]] : seeds
        state = seed
    }

    /// A number from 0 to less than `limit`: SplitMix64.
    package mutating func random(_ limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, limit)))
    }

    /// The next input: one of the seeds with a few changes.
    package mutating func next() -> [UInt8] {
        damaged(seeds[random(seeds.count)])
    }

    /// Bytes with a few changes.
    package mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random(4) { change(&bytes) }
        return bytes
    }

    private static let interesting: [UInt8] = [0, 1, 0x0a, 0x20, 0x2f, 0x7f, 0x80, 0xfe, 0xff]

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = random(bytes.count + 1)
        let length = min(bytes.count - place, 1 + random(random(4) == 0 ? 64 : 4))
        switch random(8) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random(8))
        case 1 where place < bytes.count: bytes[place] = UInt8(random(256))
        case 2 where place < bytes.count: bytes[place] = Self.interesting[random(Self.interesting.count)]
        case 3: bytes.removeSubrange(place..<(place + length))
        case 4: bytes.insert(contentsOf: (0..<(1 + random(8))).map { _ in UInt8(random(256)) }, at: place)
        case 5: bytes.insert(contentsOf: bytes[place..<(place + length)], at: random(bytes.count + 1))
        case 6:
            // A number of four bytes becomes small, huge, or nearly what it was.
            guard bytes.count - place >= 4 else { return }
            let value = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random(1 << 32)][random(6)]
            for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index)) }
        default:
            let other = seeds[random(seeds.count)]
            bytes = Array(bytes.prefix(place)) + other.dropFirst(random(other.count + 1))
        }
    }
}
