import CBlocks
import Testing

@testable import LeakScan

/// Vector instructions find what a look at one byte after the other finds.
@Suite struct LongRunTests {
    static func isVisible(_ byte: UInt8) -> Bool { (0x2b...0x7f).contains(byte) }

    static func isMark(_ byte: UInt8) -> Bool { "=\\".utf8.contains(byte) }

    /// Stretches of visible bytes, with few others between them.
    static func bytes(_ count: Int, runs longest: Int = 70, _ noise: inout Noise) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let letters: ClosedRange<UInt8> = Bool.random(using: &noise) ? 0x61...0x7a : 0x2b...0x7f
            for _ in 0..<Int.random(in: 0...longest, using: &noise) {
                bytes.append(.random(in: letters, using: &noise))
            }
            bytes.append(.random(in: 0...0xff, using: &noise))
        }
        return Array(bytes.prefix(count))
    }

    @Test("each byte of a block is of the kinds that a look at it alone says, wherever the block begins")
    func blocks() throws {
        var noise = Noise(seed: 91)
        for round in 0..<2_000 {
            // All bytes at all places, then any.
            let block = (0..<128).map {
                round < 256 ? UInt8(truncatingIfNeeded: $0 + round) : UInt8.random(in: 0...0xff, using: &noise)
            }
            let start = round % 64
            unsafe block.withUnsafeBytes { memory in
                guard let bytes = unsafe memory.baseAddress.map({ unsafe $0 + start }) else { return }
                var zeros = (false, false)
                let visible = unsafe (
                    keyvigil_visible_bits(bytes, &zeros.0), keyvigil_visible_bits_slowly(bytes, &zeros.1)
                )
                #expect(visible.0 == visible.1 && zeros.0 == zeros.1, "round \(round)")
                #expect(unsafe keyvigil_mark_bits(bytes) == keyvigil_mark_bits_slowly(bytes), "round \(round)")
            }
            for index in 0..<64 {
                let byte = block[start + index]
                var zero = false
                let bits = unsafe block.withUnsafeBytes { memory in
                    unsafe memory.baseAddress.map {
                        unsafe (
                            keyvigil_visible_bits_slowly($0 + start, &zero) >> UInt64(index) & 1,
                            keyvigil_mark_bits_slowly($0 + start) >> UInt64(index) & 1
                        )
                    }
                }
                #expect(bits?.0 == (Self.isVisible(byte) ? 1 : 0))
                #expect(bits?.1 == (Self.isMark(byte) ? 1 : 0))
                #expect(zero == block[start..<(start + 64)].contains(0))
            }
        }
    }

    @Test("the runs of any length are those of a look at every byte")
    func runs() {
        var noise = Noise(seed: 93)
        var count = 0
        for round in 0..<3_000 {
            let bytes = Self.bytes(.random(in: 0...400, using: &noise), &noise)
            let lower = Int.random(in: 0...bytes.count, using: &noise)
            let upper = Int.random(in: lower...(bytes.count + 100), using: &noise)
            let shortest = Int.random(in: LongRuns.lengths, using: &noise)
            var expected: [Range<Int>] = []
            var start = lower
            for end in lower...max(lower, min(upper, bytes.count)) {
                if end < min(upper, bytes.count), Self.isVisible(bytes[end]) { continue }
                if end - start >= shortest { expected.append(start..<end) }
                start = end + 1
            }
            var runs = LongRuns(in: bytes.span, lower..<upper, shortest: shortest)
            var found: [Range<Int>] = []
            // A run of which less is examined than is asked for may be found, too.
            while let run = runs.next(in: bytes.span) { if run.count >= shortest { found.append(run) } }
            #expect(found == expected, "round \(round)")
            count += found.count
        }
        #expect(count > 1_000)
    }

    @Test("what is clear of runs has none that holds one of the new bytes, or begins up to 24 bytes behind them")
    func clear() {
        var noise = Noise(seed: 94)
        var count = 0
        for round in 0..<20_000 {
            let bytes = Self.bytes(.random(in: 64...200, using: &noise), runs: 30, &noise)
            let lower = Int.random(in: 0...bytes.count, using: &noise)
            let new = lower..<min(bytes.count, lower + Int.random(in: 0...45, using: &noise))
            let shortest = Int.random(in: LongRuns.lengths, using: &noise)
            guard LongRuns.isClear(bytes.span, around: new, ofRuns: shortest, ofZeros: false) else { continue }
            count += 1
            var runs = LongRuns(in: bytes.span, 0..<bytes.count, shortest: shortest)
            while let run = runs.next(in: bytes.span) {
                #expect(run.upperBound < new.lowerBound || run.lowerBound > new.upperBound + 24, "round \(round)")
            }
        }
        #expect(count > 500)
    }
}
