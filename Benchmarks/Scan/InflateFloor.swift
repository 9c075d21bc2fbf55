import CDeflate
import Foundation
import Synchronization

/// What no scanner can be faster than: libdeflate over every entry of a pack, with threads, and nothing else.
///
/// Unsafe, and for packs that git made only: nothing is checked.
struct InflateFloor: Sendable {
    private let pack: Data
    private let offsets: [Int]

    init(pack path: String) throws {
        pack = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
        let index = try Data(contentsOf: URL(filePath: String(path.dropLast(4)) + "idx"))
        func word(_ at: Int) -> Int { index[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
        let count = word(8 + 255 * 4)
        let length = (index.count - 8 - 1024 - 40) / max(1, count) >= 36 ? 32 : 20
        let table = 8 + 1024 + count * (length + 4)
        let large = table + 4 * count
        var found: [Int] = []
        found.reserveCapacity(count + 1)
        for row in 0..<count {
            let offset = word(table + 4 * row)
            guard offset & 0x8000_0000 != 0 else {
                found.append(offset)
                continue
            }
            let place = large + 8 * (offset & 0x7fff_ffff)
            found.append(word(place) << 32 | word(place + 4))
        }
        offsets = found.sorted() + [pack.count - length]
    }

    func run(threads: Int) {
        let next = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            let decompressor = unsafe libdeflate_alloc_decompressor()
            var room = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let first = next.wrappingAdd(256, ordering: .relaxed).oldValue
                guard first < offsets.count - 1 else { break }
                for entry in first..<min(first + 256, offsets.count - 1) { unsafe inflate(entry, decompressor, &room) }
            }
            unsafe libdeflate_free_decompressor(decompressor)
        }
    }

    private func inflate(_ entry: Int, _ decompressor: OpaquePointer?, _ room: inout [UInt8]) {
        unsafe pack.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            var at = offsets[entry]
            let kind = unsafe bytes[at] >> 4 & 7
            var size = unsafe Int(bytes[at] & 15)
            var shift = 4
            while unsafe bytes[at] & 0x80 != 0 {
                at += 1
                size |= unsafe Int(bytes[at] & 0x7f) << shift
                shift += 7
            }
            at += 1
            if kind == 6 {
                while unsafe bytes[at] & 0x80 != 0 { at += 1 }
                at += 1
            } else if kind == 7 {
                at += 20
            }
            if room.count < size { room = [UInt8](repeating: 0, count: size) }
            let length = offsets[entry + 1] - at
            _ = unsafe room.withUnsafeMutableBytes { room in
                unsafe libdeflate_zlib_decompress(
                    decompressor, start + at, length, room.baseAddress, size, nil)
            }
        }
    }
}
