import Testing

@testable import LeakScan

/// Lines are counted many bytes at a time and in pieces, with the same result as byte by byte.
@Suite struct LineCounterTests {
    @Test func everyPlaceHasItsLineAndColumn() {
        var noise = Noise(seed: 41)
        for density in [0, 1, 3, 30, 200] {
            var text: [UInt8] = []
            for _ in 0..<500 {
                let isBreak = Int.random(in: 0..<200, using: &noise) < density
                text.append(isBreak ? UInt8(ascii: "\n") : UInt8.random(in: 0...9, using: &noise))
            }
            for start in 0...text.count {
                let before = text[..<start]
                let line = before.count { $0 == UInt8(ascii: "\n") } + 1
                let column = start - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
                var counter = LineCounter()
                let cut = Int.random(in: 0...start, using: &noise)
                let first = Array(text[..<cut])
                counter.advance(to: UInt64(cut), in: first.span, base: 0)
                let from = Int.random(in: 0...cut, using: &noise)
                let rest = Array(text[from...])
                let placed = counter.place(Hit(start: UInt64(start), term: 0), in: rest.span, base: UInt64(from))
                #expect(placed.line == line && placed.column == column, "\(start)")
            }
        }
    }
}
