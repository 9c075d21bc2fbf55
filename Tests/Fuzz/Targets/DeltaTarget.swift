@testable import LeakScan

/// A delta against a fixed base: however it is applied, the result is the same, and what is left out of a sparse one is
/// only what need not be searched.
enum DeltaTarget {
    static let base = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 4) }

    /// Copies, inserts, and both.
    static let seeds: [[UInt8]] = [
        [0xb8, 0x17, 5, 0x91, 2, 3, 2, 65, 66], [0xb8, 0x17, 0xb8, 0x17, 0xb0, 0xb8, 0x0b],
        [0xb8, 0x17, 0xdb, 0x0f, 0xb0, 0xe8, 0x03, 3, 65, 66, 67, 0xb3, 0xe8, 0x03, 0xe8, 0x03],
        [0xb8, 0x17, 3, 3, 65, 66, 67],
    ]

    static func run(_ delta: [UInt8]) {
        guard let sizes = try? Delta.sizes(delta.span), sizes.result < 1 << 20 else { return }
        let whole = apply(delta, sizes, reach: nil, sparsely: false)
        for reach in [1, 20, 130] {
            let seams = apply(delta, sizes, reach: reach, sparsely: false)
            guard seams?.bytes == whole?.bytes else { FuzzFailure.stop("seams change the result") }
            guard let seams, let sparse = apply(delta, sizes, reach: reach, sparsely: true) else { continue }
            let wanted = seams.starts.map { windows(seams.bytes, $0, reach) }
            guard sparse.starts.map({ windows(sparse.bytes, $0, reach) }) == wanted else {
                FuzzFailure.stop("a sparse result lacks something")
            }
        }
    }

    /// What decides on the places of `range`.
    private static func windows(_ bytes: [UInt8], _ range: Range<Int>, _ reach: Int) -> [UInt8] {
        Array(bytes[range.lowerBound..<min(bytes.count, range.upperBound + reach - 1)])
    }

    private static func apply(
        _ bytes: [UInt8], _ sizes: (base: UInt64, result: UInt64, at: Int), reach: Int?, sparsely: Bool
    ) -> (bytes: [UInt8], starts: [Range<Int>])? {
        var delta = Delta()
        delta.keepsCopies = true
        let output = ByteBuffer(capacity: Int(sizes.result))
        do {
            try delta.apply(
                bytes.span, at: sizes.at, to: base.span, count: Int(sizes.result), into: output, reach: reach, hits: [],
                sparsely: sparsely)
        } catch { return nil }
        return (Array(copying: output.bytes), delta.starts)
    }
}
