/// Searches for a few brands, at 32 positions at a time: first for two bytes of a brand, then for the rest of it, then
/// in the hash table. The number of prefixes with a brand does not affect the speed.
final class BrandMatcher: Matcher {
    private let terms: SearchTerms
    private let brands: [Brand]
    private let only: Brand?

    init(terms: SearchTerms) {
        self.terms = terms
        brands = terms.brands
        only = brands.count == 1 ? brands[0] : nil
    }

    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch]) {
        if let only {
            search(bytes, starts: starts, for: only, into: &matches)
            return
        }
        let before = matches.count
        // In pieces, so that a piece is still in the L1 cache for the next brand.
        var lower = starts.lowerBound
        while lower < starts.upperBound {
            let upper = min(lower + 16384, starts.upperBound)
            for brand in brands { search(bytes, starts: lower..<upper, for: brand, into: &matches) }
            lower = upper
        }
        if matches.count - before > 1 {
            matches[before...].sort { ($0.start, $0.term) < ($1.start, $1.term) }
        }
    }

    private func search(
        _ bytes: Span<UInt8>, starts: Range<Int>, for brand: Brand, into matches: inout [RawMatch]
    ) {
        let last = min(starts.upperBound, bytes.count - brand.bytes.count + 1)
        guard starts.lowerBound < last else { return }
        let raw = unsafe bytes.bytes
        let one = SIMD32<UInt8>(repeating: brand.bytes[brand.first])
        let two = SIMD32<UInt8>(repeating: brand.bytes[brand.second])
        var start = starts.lowerBound
        // A vector of 32 positions needs the second byte of the last position.
        let vectorEnd = min(last, bytes.count - brand.second - 31)
        while start < vectorEnd {
            // Unsafe: reinterprets bytes as an integer type, for which any bytes are valid; the span checks the bounds.
            let left = unsafe raw.unsafeLoadUnaligned(
                fromByteOffset: start + brand.first, as: SIMD32<UInt8>.self)
            let right = unsafe raw.unsafeLoadUnaligned(
                fromByteOffset: start + brand.second, as: SIMD32<UInt8>.self)
            let found = (left .== one) .& (right .== two)
            // A lane is all ones or all zeros, as any type.
            let words = unsafe unsafeBitCast(found, to: SIMD4<UInt64>.self)
            if words[0] | words[1] | words[2] | words[3] != 0 {
                for word in 0..<4 {
                    var lanes = words[word]
                    while lanes != 0 {
                        let lane = lanes.trailingZeroBitCount / 8
                        lanes &= ~(0xff << UInt64(lane * 8))
                        let position = start + word * 8 + lane
                        if position < last { verify(bytes, at: position, brand, into: &matches) }
                    }
                }
            }
            start += 32
        }
        while start < last {
            if bytes[start + brand.first] == brand.bytes[brand.first] {
                verify(bytes, at: start, brand, into: &matches)
            }
            start += 1
        }
    }

    private func verify(
        _ bytes: Span<UInt8>, at position: Int, _ brand: Brand, into matches: inout [RawMatch]
    ) {
        for index in brand.bytes.indices where bytes[position + index] != brand.bytes[index] { return }
        terms.match(bytes, at: position, into: &matches)
    }
}
