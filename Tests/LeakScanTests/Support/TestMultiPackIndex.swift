@testable import LeakScan

/// Writes multi-pack-indexes that git does not write: with 64-bit offsets, in version 2, or invalid ones.
struct TestMultiPackIndex {
    var version: UInt8 = 1
    var idVersion: UInt8 = 1
    /// Offsets from this one on are written with 64 bits.
    var large: UInt64 = .max
    var packs: [String]
    /// Ids and locations, in any order.
    var objects: [(name: ObjectID, pack: Int, offset: UInt64)]
    /// Omitted from the file.
    var missing: String?

    func bytes(idLength: Int = 20) -> [UInt8] {
        let sorted = objects.sorted { $0.name < $1.name }
        func word(_ number: some BinaryInteger) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: UInt64(number) >> UInt64($0)) }
        }
        func long(_ number: some BinaryInteger) -> [UInt8] {
            word(UInt64(number) >> 32) + word(UInt64(number) & 0xffff_ffff)
        }
        var names = Array((packs.joined(separator: "\0") + "\0").utf8)
        while names.count % 4 != 0 { names.append(0) }
        var fanout: [UInt8] = []
        for first in 0..<256 { fanout += word(sorted.count { $0.name.firstByte <= first }) }
        var places: [UInt8] = []
        var largeOffsets: [UInt8] = []
        for object in sorted {
            places += word(object.pack)
            if object.offset >= large {
                places += word(0x8000_0000 | largeOffsets.count / 8)
                largeOffsets += long(object.offset)
            } else {
                places += word(object.offset)
            }
        }
        let hexes = sorted.map { Array($0.name.hex.utf8) }
        let ids = hexes.flatMap { digits in
            stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
        }
        var chunks: [(name: String, bytes: [UInt8])] = [
            ("PNAM", names), ("OIDF", fanout), ("OIDL", ids), ("OOFF", places),
        ]
        if !largeOffsets.isEmpty { chunks.append(("LOFF", largeOffsets)) }
        chunks.removeAll { $0.name == missing }
        var whole = Array("MIDX".utf8) + [version, idVersion, UInt8(chunks.count), 0] + word(packs.count)
        var at = whole.count + 12 * (chunks.count + 1)
        for chunk in chunks {
            whole += Array(chunk.name.utf8) + long(at)
            at += chunk.bytes.count
        }
        whole += [0, 0, 0, 0] + long(at)
        whole += chunks.flatMap(\.bytes)
        let hash = ContentHash(idLength: idLength)
        hash.add(whole.span)
        return whole + hash.finish()
    }
}
