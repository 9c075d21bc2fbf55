/// Looks at every position, and asks a bit table whether some prefix starts with the bytes that stand there.
///
/// The prefilter may say yes wrongly, never no wrongly: it is asked with the first bytes of every prefix. For
/// terms without a common brand, such as sign-ins; its speed depends on their number only through the size of
/// the table.
final class HeadMatcher: Matcher {
    private let terms: SearchTerms
    /// How many bytes of each prefix the filter knows: those that all prefixes have, at most 8.
    private let headLength: Int
    private let headMask: UInt64
    private let bits: [UInt64]
    private let shift: UInt64

    init(terms: SearchTerms) {
        self.terms = terms
        headLength = min(8, terms.shortestPrefix)
        headMask = headLength == 8 ? .max : (1 << UInt64(8 * headLength)) - 1
        // At least 32 bits for each head, so that at most one position in 32 passes for nothing.
        var power: UInt64 = 12
        while power < 27 && 1 << power < terms.count * 32 { power += 1 }
        shift = 64 - power
        var table = [UInt64](repeating: 0, count: 1 << Int(power - 6))
        let shift = shift
        terms.forEachHead(length: headLength) { head in
            let bit = Self.hash(head) >> shift
            table[Int(bit >> 6)] |= 1 << (bit & 63)
        }
        bits = table
    }

    @inline(__always)
    private static func hash(_ head: UInt64) -> UInt64 {
        let mixed = (head ^ (head >> 29)) &* 0x9e37_79b9_7f4a_7c15
        return (mixed ^ (mixed >> 32)) &* 0xd6e8_feb8_6659_fd93
    }

    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch]) {
        guard headLength > 0, bytes.count >= headLength else { return }
        let last = min(starts.upperBound, bytes.count - headLength + 1)
        guard starts.lowerBound < last else { return }
        // The last positions have fewer than 8 bytes after them: they are put together byte by byte.
        let wide = max(starts.lowerBound, min(last, bytes.count - 7))
        let raw = unsafe bytes.bytes
        let bits = bits
        let table = bits.span
        for start in starts.lowerBound..<wide {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let head = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
            if passes(UInt64(littleEndian: head) & headMask, table) {
                terms.match(bytes, at: start, into: &matches)
            }
        }
        for start in wide..<max(wide, last) {
            var head: UInt64 = 0
            for index in 0..<headLength { head |= UInt64(bytes[start + index]) << UInt64(8 * index) }
            if passes(head, table) { terms.match(bytes, at: start, into: &matches) }
        }
    }

    @inline(__always)
    private func passes(_ head: UInt64, _ table: Span<UInt64>) -> Bool {
        let bit = Self.hash(head) >> shift
        return table[Int(bit >> 6)] & (1 << (bit & 63)) != 0
    }
}
