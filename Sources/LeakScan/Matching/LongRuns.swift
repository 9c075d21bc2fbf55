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

    /// Whether runs have this byte.
    @inline(__always)
    static func isVisible(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "+") && byte <= 0x7f }

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

    /// The maximum number of new bytes that a look at one or two blocks can clear, and that one block can.
    private static let mostNew = 40
    private static let fewNew = 16
    /// The number of bytes behind a few new ones that are in their block.
    private static let behindFew = 36

    /// Whether no run has one of the new bytes in it, or the byte before them, or begins up to ``TokenSearch/farthest`` bytes behind
    /// them. False, too, if a look at two blocks does not say so.
    ///
    /// - Parameters:
    ///   - shortest: the minimum length of a run, one of ``lengths``.
    ///   - ofZeros: whether there must be no zeros either.
    @inline(__always)
    static func isClear(_ bytes: Span<UInt8>, around new: Range<Int>, ofRuns shortest: Int, ofZeros: Bool) -> Bool {
        guard new.count <= mostNew, bytes.count >= 64 else { return false }
        let isFew = new.count <= fewNew
        let behind = isFew ? behindFew : (64 &- new.count) / 2
        let start = min(max(0, new.upperBound &+ behind &- 64), bytes.count &- 64)
        var hasZero = false
        let one = block(bytes, at: start, &hasZero)
        if ofZeros && hasZero { return false }
        // What is before the block may be a part of a run, unless nothing is.
        let all = ends(one, ofRuns: shortest, outside: start == 0 ? 0 : .max)
        // From the byte before the new ones on.
        let first = UInt64(truncatingIfNeeded: max(0, new.lowerBound &- start &- 1))
        guard all &>> first == 0 else { return false }
        // What is behind the block may be a part of a run that begins in time.
        guard start &+ 64 < bytes.count else { return true }
        let last = new.upperBound &+ TokenSearch.farthest &- start
        guard last >= 64 else { return ~one &>> UInt64(truncatingIfNeeded: last) != 0 }
        return isClear(bytes, behind: new.upperBound, from: start &+ 64, ofRuns: shortest)
    }

    /// Whether no run begins before `end`, of which a look up to there has not seen one, and up to ``TokenSearch/farthest`` bytes
    /// behind `place`.
    @inline(never)
    private static func isClear(_ bytes: Span<UInt8>, behind place: Int, from end: Int, ofRuns shortest: Int) -> Bool {
        // In such a run are the seven bytes before the end and the next one, or, if it begins later, those from 24 to 32 behind the
        // place: from 12 bytes behind the place on nothing was seen.
        if shortest >= 26, place &+ 32 <= bytes.count, hasInvisible(WordScan.word(bytes, at: end &- 7)),
            hasInvisible(WordScan.word(bytes, at: place &+ 24))
        {
            return true
        }
        let next = end &+ 1 &- shortest
        guard place &+ TokenSearch.farthest &+ shortest <= next &+ 64 else { return false }
        var hasZero = false
        return ends(block(bytes, at: min(next, bytes.count &- 64), &hasZero), ofRuns: shortest, outside: 0) == 0
    }

    /// Whether one of eight bytes is not visible: below `+`, or above 0x7f.
    @inline(__always)
    private static func hasInvisible(_ word: UInt64) -> Bool {
        (word &- 0x2b2b_2b2b_2b2b_2b2b & ~word | word) & 0x8080_8080_8080_8080 != 0
    }

    @inline(__always)
    private static func block(_ bytes: Span<UInt8>, at start: Int, _ hasZero: inout Bool) -> UInt64 {
        unsafe bytes.extracting(start..<(start &+ 64)).withUnsafeBytes { memory in
            unsafe keyvigil_visible_bits(memory.baseAddress, &hasZero)
        }
    }

    /// A bit for each byte of a block with which a run ends, or has as many bytes.
    ///
    /// - Parameters:
    ///   - one: a bit for each visible byte.
    ///   - outside: the same for the 64 bytes before the block.
    @inline(__always)
    private static func ends(_ one: UInt64, ofRuns shortest: Int, outside: UInt64) -> UInt64 {
        let more = UInt64(truncatingIfNeeded: shortest &- 16)
        let two = one & (one &<< 1 | outside &>> 63)
        let four = two & (two &<< 2 | outside &>> 62)
        let eight = four & (four &<< 4 | outside &>> 60)
        let sixteen = eight & (eight &<< 8 | outside &>> 56)
        return sixteen & (sixteen &<< more | outside &>> (64 &- more))
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
