/// A filter for words of four bytes with as few instructions as possible: one bit for each word in a sparse bit table.
/// ``GramFilter`` is for longer grams and for more of them.
///
/// Unsafe code: the look-ups of a search, which are most of its instructions. Bounds: the last place is checked against the
/// bytes before the loop, and ``mask`` keeps a bit's index within the table, which never changes.
@safe struct WordTable: Sendable {
    private var bits: [UInt64]
    private let mask: UInt64

    init(_ words: [UInt32]) {
        var power: UInt64 = 15
        while power < 21 && 1 << power < words.count * 64 { power += 1 }
        mask = 1 << power - 1
        bits = [UInt64](repeating: 0, count: 1 << Int(power - 6))
        for word in words {
            let bit = bit(word)
            bits[Int(bit >> 6)] |= 1 << (bit & 63)
        }
    }

    /// A copy in separate memory.
    func unshared() -> Self {
        var copy = self
        copy.bits = bits.map(\.self)
        return copy
    }

    @inline(__always)
    private func bit(_ word: UInt32) -> UInt64 { (UInt64(word) &* 0x9e37_79b9_7f4a_7c15) &>> 40 & mask }

    func mayHold(_ word: UInt32) -> Bool {
        let bit = bit(word)
        return bits[Int(bit >> 6)] & (1 << (bit & 63)) != 0
    }

    /// The first place, `place` or any number of `stride` bytes behind it, at which there is a word that the table may hold;
    /// `end` or more if there is none before `end`.
    @inline(never)
    func next(in bytes: Span<UInt8>, from place: Int, before end: Int, stride: Int) -> Int {
        precondition(place >= 0 && stride > 0 && end <= bytes.count - 3, "the last word is not in the bytes")
        var place = place
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe bits.withUnsafeBufferPointer { bits in
                guard let start = bytes.baseAddress, let bits = bits.baseAddress else { return }
                @inline(__always)
                func holds(_ offset: Int) -> Bool {
                    let word = unsafe (start + place + offset).loadUnaligned(as: UInt32.self)
                    let bit = bit(UInt32(littleEndian: word))
                    return unsafe bits[Int(truncatingIfNeeded: bit &>> 6)] & (1 &<< (bit & 63)) != 0
                }
                // Four at a time, which wait for memory together.
                let (two, three) = (2 &* stride, 3 &* stride)
                while place &+ three < end {
                    if holds(0) { return }
                    if holds(stride) { return place &+= stride }
                    if holds(two) { return place &+= two }
                    if holds(three) { return place &+= three }
                    place &+= 4 &* stride
                }
                while place < end, !holds(0) { place &+= stride }
            }
        }
        return place
    }
}
