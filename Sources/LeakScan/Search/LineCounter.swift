/// Counts lines through an object, of which it may be shown one piece after another.
struct LineCounter {
    private var line = 1
    private var lineStart: UInt64 = 0
    /// How far lines were counted.
    private var position: UInt64 = 0

    /// Counts up to `end`, which must lie within `bytes` or just past them.
    ///
    /// - Parameter base: the offset of `bytes` in the object; at most the position that was counted so far.
    mutating func advance(to end: UInt64, in bytes: Span<UInt8>, base: UInt64) {
        guard position < end else { return }
        var at = Int(position - base)
        let last = Int(end - base)
        // Where the last newline is among.
        var among: Range<Int>?
        while at < last {
            let stretch = at..<min(last, at + Self.stretch)
            let count = Self.newlines(bytes, stretch)
            if count > 0 { among = stretch }
            line += count
            at = stretch.upperBound
        }
        if let place = among?.last(where: { bytes[$0] == UInt8(ascii: "\n") }) {
            lineStart = base + UInt64(place) + 1
        }
        position = end
    }

    /// No more blocks than a byte can count.
    private static let stretch = 32 * 255

    /// How many newlines there are in at most ``stretch`` bytes.
    private static func newlines(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        let raw = unsafe bytes.bytes
        let newline = SIMD32<UInt8>(repeating: UInt8(ascii: "\n"))
        var counts = SIMD32<UInt8>()
        var at = range.lowerBound
        while at + 32 <= range.upperBound {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let here = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: SIMD32<UInt8>.self)
            // A lane that is alike is all ones, which is -1.
            counts &-= unsafe unsafeBitCast(here .== newline, to: SIMD32<UInt8>.self)
            at += 32
        }
        var sum = (0..<32).reduce(0) { $0 + Int(counts[$1]) }
        while at < range.upperBound {
            if bytes[at] == UInt8(ascii: "\n") { sum += 1 }
            at += 1
        }
        return sum
    }

    /// The place of a hit at or after the position so far.
    mutating func place(_ hit: Hit, in bytes: Span<UInt8>, base: UInt64) -> PlacedHit {
        advance(to: hit.start, in: bytes, base: base)
        return PlacedHit(
            start: hit.start, term: hit.term, secret: hit.secret, form: hit.form, line: line,
            column: Int(hit.start - lineStart) + 1)
    }
}
