internal import CBlocks

/// Finds long runs of bytes of a kind, 64 bytes at a time.
///
/// Unsafe code: the C calls. Bounds: each gets 64 bytes that are checked to be there.
@safe struct LongRuns {
    enum Kind {
        /// From `+` to 0x7f: text without blanks, brackets or quotes. Parts of it may be digits (``TextRuns``) or a secret.
        case visible
        /// Letters, digits, `_`, `-` and `.`: what secrets consist of (``TokenSearch``).
        case token
        /// With what an escape of such text begins (``Escapes/mayHoldToken(_:at:)``).
        case mark
    }

    /// Whether one of the bytes that were examined for ``Kind/visible`` is zero: then the bytes are no text.
    private(set) var hasZeros = false
    private let kind: Kind
    private let shortest: Int
    private let end: Int
    /// The block at hand, and which of its bytes are of the kind and not yet looked at.
    private var at: Int
    private var rest: UInt64 = 0

    /// The lengths that may be asked for.
    static let lengths = 17...32

    /// - Parameters:
    ///   - range: the bytes that are examined. Runs that begin or end outside of it are cut there.
    ///   - shortest: the minimum length of a run, one of ``lengths``.
    init(of kind: Kind, in bytes: Span<UInt8>, _ range: Range<Int>, shortest: Int) {
        precondition(Self.lengths.contains(shortest), "the runs are too short or too long")
        self.kind = kind
        self.shortest = shortest
        end = min(range.upperBound, bytes.count)
        at = range.lowerBound
        if at < end { rest = Self.bits(of: kind, bytes, at, &hasZeros) }
    }

    /// How far around new bytes a look at one block goes, and how many bytes those may be.
    private static let margin = 19
    private static let mostNew = 64 - 2 * margin

    /// Whether no run, of any of ``lengths`` and of any kind, has one of the new bytes in it, or the byte before them, or begins
    /// up to two bytes behind them. False, too, if there are too many of them to say so at a glance.
    ///
    /// - Parameter ofZeros: whether there must be no zeros either.
    @inline(__always)
    static func isClear(_ bytes: Span<UInt8>, around new: Range<Int>, ofZeros: Bool) -> Bool {
        let start = new.lowerBound &- margin
        guard new.count <= mostNew, start >= 0, start &+ 64 <= bytes.count else { return false }
        var hasZero = false
        let one = unsafe bytes.extracting(start..<(start &+ 64)).withUnsafeBytes { memory in
            unsafe keyvigil_visible_bits(memory.baseAddress, &hasZero)
        }
        // At least that much of such a run is in the block.
        let two = one & one &<< 1
        let four = two & two &<< 2
        let eight = four & four &<< 4
        let sixteen = eight & eight &<< 8
        return sixteen == 0 && !(ofZeros && hasZero)
    }

    /// Calls `body` with the places of marks in `range`, which is within the bytes.
    @inline(__always)
    static func forEachMark(_ bytes: Span<UInt8>, in range: Range<Int>, _ body: (Int) -> Void) {
        var hasZeros = false
        var at = range.lowerBound
        while at < range.upperBound {
            var marks = bits(of: .mark, bytes, at, &hasZeros)
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
        let more = UInt64(truncatingIfNeeded: shortest &- 16)
        // For each byte whether it, and the last 2, 4, 8 and 16 bytes up to it, are of a run; for the block before, too.
        var before = (one: UInt64(0), two: UInt64(0), four: UInt64(0), eight: UInt64(0), sixteen: UInt64(0))
        while at < end {
            let one = rest
            let two = one & (one &<< 1 | before.one &>> 63)
            let four = two & (two &<< 2 | before.two &>> 62)
            let eight = four & (four &<< 4 | before.four &>> 60)
            let sixteen = eight & (eight &<< 8 | before.eight &>> 56)
            let all = sixteen & (sixteen &<< more | before.sixteen &>> (64 &- more))
            guard all == 0 else {
                let last = all.trailingZeroBitCount
                let start = at &+ last &- shortest &+ 1
                guard start < end else { break }
                let stop = skip(in: bytes, from: last)
                return start..<stop
            }
            before = (one, two, four, eight, sixteen)
            at &+= 64
            if at < end { rest = Self.bits(of: kind, bytes, at, &hasZeros) }
        }
        at = end
        return nil
    }

    /// Moves behind the run of which the byte at `index` of the block at hand is a part.
    ///
    /// - Returns: where it ends.
    @inline(__always)
    private mutating func skip(in bytes: Span<UInt8>, from index: Int) -> Int {
        var others = ~rest & UInt64.max &<< UInt64(truncatingIfNeeded: index)
        while others == 0 {
            at &+= 64
            guard at < end else { return end }
            rest = Self.bits(of: kind, bytes, at, &hasZeros)
            others = ~rest
        }
        let stop = others.trailingZeroBitCount
        rest &= UInt64.max &<< UInt64(truncatingIfNeeded: stop)
        return min(end, at &+ stop)
    }

    /// A bit for each of the 64 bytes at `place`, the lowest for the first: whether it is of the kind. Those behind the end are
    /// not.
    @inline(__always)
    private static func bits(of kind: Kind, _ bytes: Span<UInt8>, _ place: Int, _ hasZeros: inout Bool) -> UInt64 {
        guard bytes.count >= 64 else { return bits(ofShort: bytes, kind, place, &hasZeros) }
        // The last block overlaps the one before.
        let start = min(place, bytes.count &- 64)
        let bits = unsafe bytes.extracting(start..<(start &+ 64)).withUnsafeBytes { memory in
            switch kind {
            case .visible: unsafe keyvigil_visible_bits(memory.baseAddress, &hasZeros)
            case .token: unsafe keyvigil_token_bits(memory.baseAddress)
            case .mark: unsafe keyvigil_mark_bits(memory.baseAddress)
            }
        }
        return bits &>> UInt64(truncatingIfNeeded: place &- start)
    }

    /// The same for less than 64 bytes.
    @inline(never)
    private static func bits(ofShort bytes: Span<UInt8>, _ kind: Kind, _ place: Int, _ hasZeros: inout Bool) -> UInt64 {
        var padded = InlineArray<64, UInt8>(repeating: UInt8(ascii: " "))
        for index in place..<bytes.count { padded[index &- place] = bytes[index] }
        return bits(of: kind, padded.span, 0, &hasZeros)
    }
}
