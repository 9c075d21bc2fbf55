/// Finds the ends of a run of bytes, eight at a time.
enum WordScan {
    /// Where the run begins of which the byte before `place` is a part, or `limit` if it begins before that.
    ///
    /// - Parameter others: the highest bit of each of eight bytes that is not of the run; the first byte is the lowest one.
    @inline(__always)
    static func start(
        _ bytes: Span<UInt8>, from place: Int, notBefore limit: Int, others: (UInt64) -> UInt64
    ) -> Int {
        var start = place
        while start - 8 >= limit {
            let others = others(word(bytes, at: start - 8))
            guard others == 0 else { return start - others.leadingZeroBitCount / 8 }
            start -= 8
        }
        while start > limit, others(UInt64(bytes[start - 1])) & 0x80 == 0 { start -= 1 }
        return start
    }

    /// Where the run ends of which the byte at `place` is a part, or `limit` if it ends behind that.
    @inline(__always)
    static func end(
        _ bytes: Span<UInt8>, from place: Int, notBehind limit: Int, others: (UInt64) -> UInt64
    ) -> Int {
        var end = place
        while end + 8 <= limit {
            let others = others(word(bytes, at: end))
            guard others == 0 else { return end + others.trailingZeroBitCount / 8 }
            end += 8
        }
        while end < limit, others(UInt64(bytes[end])) & 0x80 == 0 { end += 1 }
        return end
    }

    /// The eight bytes at `place`.
    @inline(__always)
    static func word(_ bytes: Span<UInt8>, at place: Int) -> UInt64 {
        // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
        let raw = unsafe bytes.bytes
        return UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    /// The highest bit of each byte that is above a character, of bytes below 0x80.
    @inline(__always)
    static func above(_ character: UInt64, _ low: UInt64) -> UInt64 {
        low &+ 0x0101_0101_0101_0101 &* (0x7f - character)
    }
}
