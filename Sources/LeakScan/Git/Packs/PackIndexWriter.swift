/// Builds a pack index of version 2 (gitformat-pack(5)), object by object in the order of ids.
struct PackIndexWriter {
    private var names: LongArray<UInt8>
    private var offsets: LongArray<UInt8>
    private var largeOffsets: LongArray<UInt8>
    private var fanout = [UInt32](repeating: 0, count: 256)
    private var count = 0

    private let space: ScratchSpace

    init(count: Int, in space: ScratchSpace) {
        self.space = space
        names = LongArray(in: space, capacity: count * 20)
        offsets = LongArray(in: space, capacity: count * 4)
        largeOffsets = LongArray(in: space)
    }

    mutating func add(_ name: Span<UInt8>, offset: UInt64) {
        fanout[Int(name[0])] += 1
        for index in name.indices { names.append(name[index]) }
        if offset < 0x8000_0000 {
            Self.append(UInt32(offset), to: &offsets)
        } else {
            Self.append(0x8000_0000 | UInt32(largeOffsets.count / 8), to: &offsets)
            Self.append(UInt32(truncatingIfNeeded: offset >> 32), to: &largeOffsets)
            Self.append(UInt32(truncatingIfNeeded: offset), to: &largeOffsets)
        }
        count += 1
    }

    /// The complete index, with zeros for the CRCs of the packed data, which are not used.
    consuming func finish(packChecksum: [UInt8], ownChecksum: [UInt8]) -> LongArray<UInt8> {
        let length = 1032 + names.count + count * 8 + largeOffsets.count + 64
        var whole = LongArray<UInt8>(in: space, capacity: length)
        for byte: UInt8 in [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2] { whole.append(byte) }
        var sum: UInt32 = 0
        for number in fanout {
            sum += number
            Self.append(sum, to: &whole)
        }
        whole.append(contentsOf: names)
        whole.append(repeating: 0, count: count * 4)
        whole.append(contentsOf: offsets)
        whole.append(contentsOf: largeOffsets)
        for byte in packChecksum + ownChecksum { whole.append(byte) }
        return whole
    }

    private static func append(_ word: UInt32, to bytes: inout LongArray<UInt8>) {
        for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
