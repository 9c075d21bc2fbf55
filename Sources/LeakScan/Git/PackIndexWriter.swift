/// Makes a pack's index of version 2 (gitformat-pack(5)) in memory, object by object in the order of names.
struct PackIndexWriter {
    private var names: [UInt8] = []
    private var offsets: [UInt8] = []
    private var largeOffsets: [UInt8] = []
    private var fanout = [UInt32](repeating: 0, count: 256)
    private var count = 0

    init(count: Int) {
        names.reserveCapacity(count * 20)
        offsets.reserveCapacity(count * 4)
    }

    mutating func add(_ name: Span<UInt8>, offset: UInt64) {
        fanout[Int(name[0])] += 1
        names += Array(copying: name)
        if offset < 0x8000_0000 {
            Self.append(UInt32(offset), to: &offsets)
        } else {
            Self.append(0x8000_0000 | UInt32(largeOffsets.count / 8), to: &offsets)
            Self.append(UInt32(truncatingIfNeeded: offset >> 32), to: &largeOffsets)
            Self.append(UInt32(truncatingIfNeeded: offset), to: &largeOffsets)
        }
        count += 1
    }

    /// The whole, with zeros for the sums over the packed objects, which nobody here looks at.
    consuming func finish(packChecksum: [UInt8], ownChecksum: [UInt8]) -> [UInt8] {
        var whole: [UInt8] = [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]
        whole.reserveCapacity(1032 + names.count + count * 8 + largeOffsets.count + 64)
        var sum: UInt32 = 0
        for number in fanout {
            sum += number
            Self.append(sum, to: &whole)
        }
        whole += names
        names = []
        whole += [UInt8](repeating: 0, count: count * 4)
        return whole + offsets + largeOffsets + packChecksum + ownChecksum
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
