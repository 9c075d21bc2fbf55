/// Counts lines through an object, of which it may be shown one piece after another, and characters in the last of them: as an
/// editor does, from 1.
struct LineCounter {
    private let units: TextUnits
    private var line = 1
    /// Characters before the position in the last line.
    private var characters = 0
    /// How far lines were counted, at the start of a unit.
    private var position: UInt64 = 0

    init(_ units: TextUnits = .bytes) { self.units = units }

    /// Counts up to `end`, which must lie within `bytes` or just past them.
    ///
    /// - Parameter base: the offset of `bytes` in the object, a multiple of the width of a unit; at most the position that was
    ///   counted so far.
    mutating func advance(to end: UInt64, in bytes: Span<UInt8>, base: UInt64) {
        let end = end - end % UInt64(units.width)
        guard position < end else { return }
        let first = Int(position - base)
        let last = Int(end - base)
        var at = first
        // Where the last newline is among.
        var among: Range<Int>?
        while at < last {
            let stretch = at..<min(last, at + Self.stretch)
            let count = newlines(bytes, stretch)
            if count > 0 { among = stretch }
            line += count
            at = stretch.upperBound
        }
        var lineStart = first
        if let among, let newline = lastNewline(bytes, among) {
            lineStart = newline + units.width
            characters = 0
        }
        characters += Self.characters(bytes, lineStart..<last, units)
        position = end
    }

    /// Counts up to `end`; all bytes up to there are zeros.
    mutating func skip(to end: UInt64) {
        characters += Int(clamping: (end - min(end, position)) / UInt64(units.width))
        position = max(position, end)
    }

    /// No more blocks than a byte can count, and whole units.
    private static let stretch = 32 * 254

    private func newlines(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        if units == .bytes { return Self.newlines(bytes, range) }
        return stride(from: range.lowerBound, to: range.upperBound - 1, by: 2).reduce(0) {
            $0 + (isNewline(bytes, $1) ? 1 : 0)
        }
    }

    private func lastNewline(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var at = range.upperBound - units.width
        while at >= range.lowerBound {
            if isNewline(bytes, at) { return at }
            at -= units.width
        }
        return nil
    }

    private func isNewline(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        switch units {
        case .bytes: bytes[at] == 0x0a
        case .utf16LittleEndian: bytes[at] == 0x0a && bytes[at + 1] == 0
        case .utf16BigEndian: bytes[at] == 0 && bytes[at + 1] == 0x0a
        }
    }

    /// How many characters begin in a stretch of a line.
    private static func characters(_ bytes: Span<UInt8>, _ range: Range<Int>, _ units: TextUnits) -> Int {
        var count = 0
        switch units {
        case .bytes: for at in range where bytes[at] & 0xc0 != 0x80 { count += 1 }
        case .utf16LittleEndian, .utf16BigEndian:
            // The second half of a pair is no character, and neither is the mark of the byte order at the start.
            var at = range.lowerBound
            while at + 1 < range.upperBound {
                let (high, low) = units == .utf16BigEndian ? (bytes[at], bytes[at + 1]) : (bytes[at + 1], bytes[at])
                if high & 0xfc != 0xdc, !(high == 0xfe && low == 0xff) { count += 1 }
                at += 2
            }
        }
        return count
    }

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
            start: hit.start, term: hit.term, secret: hit.secret, form: hit.form, line: line, column: characters + 1)
    }
}

/// Counts the lines before hits.
struct LineCounters {
    private var counters = TextUnits.allCases.map { LineCounter($0) }
    /// Whether UTF-16 is counted from the start on: what came first is not seen again.
    private var countsWide = false

    /// Counts up to `end`.
    mutating func advance(to end: UInt64, in bytes: Span<UInt8>, base: UInt64) {
        // A text in UTF-16 has line ends, spaces, digits: a zero in every few bytes.
        if base == 0 { countsWide = (0..<min(bytes.count, 4096)).contains { bytes[$0] == 0 } }
        for units in TextUnits.allCases where units == .bytes || countsWide {
            counters[units.rawValue].advance(to: end, in: bytes, base: base)
        }
    }

    /// Counts up to `end`; all bytes up to there are zeros.
    mutating func skip(to end: UInt64) {
        for index in counters.indices { counters[index].skip(to: end) }
    }

    /// The place of a hit; hits ascend.
    mutating func place(_ hit: Hit, in bytes: Span<UInt8>, base: UInt64) -> PlacedHit {
        let units = base == 0 || countsWide ? TextUnits(of: hit) : .bytes
        return counters[units.rawValue].place(hit, in: bytes, base: base)
    }
}
