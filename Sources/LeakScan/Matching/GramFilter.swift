/// A blocked Bloom filter with blocks of 64 bits. It has false positives, never false negatives.
struct GramFilter: Sendable {
    /// The length of a gram in bytes, at most 8.
    let width: Int
    private let mask: UInt64
    private let wordMask: UInt64
    private(set) var words: [UInt64]

    /// - Parameters:
    ///   - count: the expected number of grams.
    ///   - bits: the minimum number of bits for each gram.
    ///   - most: the logarithm of the maximum size in bits, which takes precedence.
    init(width: Int, count: Int, bits: Int, most: Int) {
        self.width = width
        mask = width == 8 ? .max : 1 << UInt64(8 * width) - 1
        var power = 13
        while power < most && 1 << power < count * bits { power += 1 }
        wordMask = 1 << UInt64(power - 6) - 1
        words = [UInt64](repeating: 0, count: 1 << (power - 6))
    }

    /// A copy in separate memory.
    func unshared() -> Self {
        var copy = self
        copy.words = words.map(\.self)
        return copy
    }

    mutating func insert(_ gram: UInt64) {
        let hash = Self.hash(gram)
        words[index(hash)] |= Self.bits(hash)
    }

    /// The bits of a product depend only on lower bits, so the upper half is folded onto the lower one first.
    @inline(__always)
    private static func hash(_ gram: UInt64) -> UInt64 { (gram ^ gram >> 31) &* 0x9e37_79b9_7f4a_7c15 }

    /// Three bits of a block, selected by the highest bits of the hash.
    @inline(__always)
    private static func bits(_ hash: UInt64) -> UInt64 {
        1 << (hash >> 58) | 1 << (hash >> 52 & 63) | 1 << (hash >> 46 & 63)
    }

    /// The index of the block, selected by lower bits of the hash.
    @inline(__always)
    private func index(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 22 & wordMask) }

    /// The gram at the start of a little-endian word of 8 bytes.
    @inline(__always)
    func gram(_ word: UInt64) -> UInt64 { word & mask }

    /// The gram at `place`, padded with zeros beyond the end.
    func gram(_ bytes: Span<UInt8>, _ place: Int) -> UInt64 {
        var gram: UInt64 = 0
        for index in 0..<min(width, bytes.count - place) {
            gram |= UInt64(bytes[place + index]) << UInt64(8 * index)
        }
        return gram
    }

    /// Whether a gram may have been inserted.
    ///
    /// - Parameter words: the ``words`` of this filter.
    @inline(__always)
    func mayHold(_ gram: UInt64, _ words: Span<UInt64>) -> Bool {
        let hash = Self.hash(gram)
        let bits = Self.bits(hash)
        return words[index(hash)] & bits == bits
    }
}
