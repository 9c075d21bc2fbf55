/// Examines eight bytes at every few, and finds those that may be of a long run without blanks, brackets or quotes: of
/// digits (``TextRuns``) or of a secret (``TokenSearch``).
struct LongRuns {
    /// How far apart the examined places are. Every run has eight bytes at one of them, and eight more behind or before those.
    let distance: Int
    /// The last place to be examined.
    let last: Int
    /// Whether one of the examined bytes is zero: then the bytes are no text.
    private(set) var hasZeros = false

    init(through last: Int, of bytes: Span<UInt8>, distance: Int) {
        self.last = min(last, bytes.count - 8)
        self.distance = distance
    }

    /// The next place where there may be a run, from `place` on; ``last`` is before it if there is none.
    @inline(never)
    mutating func next(in bytes: Span<UInt8>, from place: Int) -> Int {
        let raw = unsafe bytes.bytes
        // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
        @inline(__always)
        func word(_ place: Int) -> UInt64 { unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self) }
        // Places with eight bytes before them and sixteen from them on.
        let inner = min(last, bytes.count - 16)
        var place = place
        var zeros: UInt64 = 0
        while place <= last {
            let here = word(place)
            zeros |= (here &- 0x0101_0101_0101_0101) & ~here
            var others = Self.others(here)
            // Without a branch, which would often be predicted wrongly.
            if place >= 8, place <= inner { others |= min(Self.others(word(place + 8)), Self.others(word(place - 8))) }
            if others == 0 { break }
            place += distance
        }
        if zeros & 0x8080_8080_8080_8080 != 0 { hasZeros = true }
        return place
    }

    /// Whether the sixteen bytes at `place` are there, and may be of a run.
    @inline(__always)
    static func mayBeRun(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        guard place >= 0, place + 16 <= bytes.count else { return false }
        let raw = unsafe bytes.bytes
        // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
        return others(unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)) == 0
            && others(unsafe raw.unsafeLoadUnaligned(fromByteOffset: place + 8, as: UInt64.self)) == 0
    }

    /// Zero if no byte is below `+`, and none above 0x7f.
    @inline(__always)
    private static func others(_ word: UInt64) -> UInt64 {
        ((word &- 0x2b2b_2b2b_2b2b_2b2b) | word) & 0x8080_8080_8080_8080
    }
}
