internal import CBlocks

/// Finds long runs of visible bytes, from `+` to 0x7f, 64 bytes at a time: text without blanks, brackets or quotes. Parts of it may
/// be digits (``TextRuns``) or a secret (``TokenSearch``).
///
/// Unsafe code: the C calls. Bounds: each gets 64 bytes that are checked to be there, or all bytes and a range within them.
@safe struct LongRuns {
    /// Whether one of the bytes that were examined is zero: then the bytes are no text.
    private(set) var hasZeros = false
    private let shortest: Int
    private let end: Int
    /// Where the next look begins.
    private var at: Int

    /// The lengths that may be asked for.
    static let lengths = 23...32

    /// - Parameters:
    ///   - range: the bytes that are examined. Runs that begin or end outside of it are cut there.
    ///   - shortest: the minimum length of a run, one of ``lengths``.
    init(in bytes: Span<UInt8>, _ range: Range<Int>, shortest: Int) {
        precondition(Self.lengths.contains(shortest), "the runs are too short or too long")
        self.shortest = shortest
        end = min(range.upperBound, bytes.count)
        at = range.lowerBound
    }

    /// The maximum number of new bytes that one look at a block can clear.
    private static let mostNew = 40

    /// Whether no run has one of the new bytes in it, or the byte before them, or begins up to two bytes behind them. False, too,
    /// if a look at one block does not say so.
    ///
    /// - Parameters:
    ///   - shortest: the minimum length of a run, one of ``lengths``.
    ///   - ofZeros: whether there must be no zeros either.
    @inline(__always)
    static func isClear(_ bytes: Span<UInt8>, around new: Range<Int>, ofRuns shortest: Int, ofZeros: Bool) -> Bool {
        guard new.count <= mostNew, bytes.count >= 64 else { return false }
        let start = min(max(0, new.lowerBound &- (64 &- new.count) / 2), bytes.count &- 64)
        var hasZero = false
        let one = unsafe bytes.extracting(start..<(start &+ 64)).withUnsafeBytes { memory in
            unsafe keyvigil_visible_bits(memory.baseAddress, &hasZero)
        }
        if ofZeros && hasZero { return false }
        // Where runs end, or have as many bytes; what is before the block may be a part of one, unless nothing is.
        let outside: UInt64 = start == 0 ? 0 : .max
        let more = UInt64(truncatingIfNeeded: shortest &- 16)
        let two = one & (one &<< 1 | outside &>> 63)
        let four = two & (two &<< 2 | outside &>> 62)
        let eight = four & (four &<< 4 | outside &>> 60)
        let sixteen = eight & (eight &<< 8 | outside &>> 56)
        let all = sixteen & (sixteen &<< more | outside &>> (64 &- more))
        // From the byte before the new ones on.
        let first = UInt64(truncatingIfNeeded: max(0, new.lowerBound &- start &- 1))
        guard all &>> first == 0 else { return false }
        // What is behind the block may be a part of a run that begins in time.
        let last = new.upperBound &- start &+ 2
        guard last < 64 else { return start &+ 64 == bytes.count }
        return start &+ 64 == bytes.count || ~one &>> UInt64(truncatingIfNeeded: last) != 0
    }

    /// Calls `body` with the places of what an escape may begin with in `range`, which is within the bytes: `=` and the backslash.
    @inline(__always)
    static func forEachMark(_ bytes: Span<UInt8>, in range: Range<Int>, _ body: (Int) -> Void) {
        var at = range.lowerBound
        while at < range.upperBound {
            var marks = marks(bytes, at)
            while marks != 0 {
                let place = at &+ marks.trailingZeroBitCount
                guard place < range.upperBound else { return }
                body(place)
                marks &= marks &- 1
            }
            at &+= 64
        }
    }

    /// The next run.
    @inline(__always)
    mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        guard at < end else { return nil }
        guard bytes.count >= 64 else { return next(inShort: bytes) }
        precondition(at >= 0 && end <= bytes.count, "the runs are outside of the bytes")
        var (start, stop) = (at, end)
        let isFound = unsafe bytes.withUnsafeBytes { memory in
            unsafe keyvigil_next_run(memory.baseAddress, memory.count, end, shortest, &start, &stop, &hasZeros)
        }
        at = stop
        return isFound ? start..<stop : nil
    }

    /// The same for less than 64 bytes.
    @inline(never)
    private mutating func next(inShort bytes: Span<UInt8>) -> Range<Int>? {
        let padded = Self.padded(bytes, 0)
        return next(in: padded.span)
    }

    private static func padded(_ bytes: Span<UInt8>, _ place: Int) -> InlineArray<64, UInt8> {
        var padded = InlineArray<64, UInt8>(repeating: UInt8(ascii: " "))
        for index in place..<bytes.count { padded[index &- place] = bytes[index] }
        return padded
    }

    /// A bit for each of the 64 bytes at `place`, the lowest for the first: whether an escape may begin with it. Those behind the end
    /// are not.
    @inline(__always)
    private static func marks(_ bytes: Span<UInt8>, _ place: Int) -> UInt64 {
        guard bytes.count >= 64 else { return marks(ofShort: bytes, place) }
        // The last block overlaps the one before.
        let start = min(place, bytes.count &- 64)
        let bits = unsafe bytes.extracting(start..<(start &+ 64)).withUnsafeBytes { memory in
            unsafe keyvigil_mark_bits(memory.baseAddress)
        }
        return bits &>> UInt64(truncatingIfNeeded: place &- start)
    }

    @inline(never)
    private static func marks(ofShort bytes: Span<UInt8>, _ place: Int) -> UInt64 {
        marks(padded(bytes, place).span, 0)
    }
}
