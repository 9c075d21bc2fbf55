/// A filter for words of four bytes with as few instructions as possible: one bit for each word in a sparse bit table.
/// ``GramFilter`` is for longer grams and for more of them.
struct WordTable: Sendable {
    private(set) var bits: [UInt64]
    private let shift: UInt32

    init(_ words: [UInt32]) {
        var power: UInt32 = 15
        while power < 21 && 1 << power < words.count * 64 { power += 1 }
        shift = 32 - power
        var bits = [UInt64](repeating: 0, count: 1 << Int(power - 6))
        for word in words {
            let bit = (word &* Self.factor) &>> shift
            bits[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
        }
        self.bits = bits
    }

    /// A copy in separate memory.
    func unshared() -> Self {
        var copy = self
        copy.bits = bits.map(\.self)
        return copy
    }

    private static let factor: UInt32 = 0x9e37_79b1

    /// - Parameter bits: the ``bits`` of this table.
    @inline(__always)
    func mayHold(_ word: UInt32, _ bits: Span<UInt64>) -> Bool {
        let bit = (word &* Self.factor) &>> shift
        return bits[Int(bit >> 6)] & (1 << UInt64(bit & 63)) != 0
    }
}
