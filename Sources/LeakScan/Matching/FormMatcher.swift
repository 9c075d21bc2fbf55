/// Finds where the starts of prefixes stand in other forms, by looking at every few bytes only.
///
/// Each pattern is at least `m` bytes long, so of any `m - 3` neighbouring places one is the start of four bytes of
/// it that the filter knows. The filter may say yes wrongly, never no wrongly.
struct FormMatcher: Sendable {
    /// A pattern that stands somewhere.
    struct Match: Equatable {
        var start: Int
        var pattern: Int
    }

    let patterns: [FormPattern]
    private let stride: Int
    private let longest: Int
    private let bits: [UInt64]
    private let shift: UInt32
    /// For four bytes, in which patterns they stand and where.
    private let places: [UInt32: [(pattern: Int, offset: Int)]]

    /// Terms without a common start have patterns of their own; more of them than that have none.
    static let mostStarts = 10_000

    /// - Parameter starts: what all prefixes start with.
    init(starts: [[UInt8]]) {
        patterns = starts.count > Self.mostStarts ? [] : starts.flatMap(FormPattern.all)
        let shortest = patterns.map(\.bytes.count).min() ?? 0
        longest = patterns.map { $0.bytes.count }.max() ?? 0
        stride = max(1, min(shortest - 3, 16))
        var places: [UInt32: [(pattern: Int, offset: Int)]] = [:]
        for (number, pattern) in patterns.enumerated() {
            for offset in 0..<stride {
                places[Self.word(pattern.bytes.span, offset), default: []].append((number, offset))
            }
        }
        var power: UInt32 = 16
        while power < 26 && 1 << power < places.count * 64 { power += 1 }
        shift = 32 - power
        var table = [UInt64](repeating: 0, count: 1 << Int(power - 6))
        for word in places.keys {
            let bit = Self.hash(word) >> shift
            table[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
        }
        bits = table
        self.places = places
    }

    var isEmpty: Bool { patterns.isEmpty }

    @inline(__always)
    private static func hash(_ word: UInt32) -> UInt32 { (word ^ word >> 15) &* 0x9e37_79b1 }

    private static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    }

    /// Appends the patterns whose first character, lead included, stands within `starts`.
    func search(
        _ bytes: Span<UInt8>, starts: Range<Int>, acrossLines: Bool, into matches: inout [Match]
    ) {
        guard !patterns.isEmpty, bytes.count >= 4 else { return }
        let before = matches.count
        let raw = unsafe bytes.bytes
        let table = bits.span
        // A lead of two characters, and a line break between them, may lie before the pattern.
        var place = starts.lowerBound
        let end = min(bytes.count - 3, starts.upperBound + stride + 8)
        while place < end {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let word = UInt32(
                littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
            let bit = Self.hash(word) >> shift
            if table[Int(bit >> 6)] & (1 << UInt64(bit & 63)) != 0 {
                for (pattern, offset) in places[word] ?? [] {
                    check(bytes, at: place - offset, pattern, starts, into: &matches)
                }
            }
            place += stride
        }
        if acrossLines { searchAcrossLines(bytes, starts, into: &matches) }
        guard matches.count - before > 1 else { return }
        matches[before...].sort { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
    }

    private func check(
        _ bytes: Span<UInt8>, at first: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        let pattern = patterns[number]
        guard first >= 0, pattern.bytes.count <= bytes.count - first else { return }
        for index in pattern.bytes.indices where pattern.bytes[index] != bytes[first + index] { return }
        add(bytes, first, number, starts, into: &matches)
    }

    private func add(
        _ bytes: Span<UInt8>, _ first: Int, _ number: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        // The lead may be on the line before.
        var start = first
        for _ in 0..<patterns[number].lead {
            start -= 1
            while start >= 0, Self.isBreak(bytes[start]) { start -= 1 }
        }
        guard start >= 0, starts.contains(start), first - start <= 6 else { return }
        matches.append(Match(start: start, pattern: number))
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// Text that is wrapped as base64 goes on for at least so long, unlike the words at the ends of lines.
    private static let wrapped = 24

    /// Patterns of base64 that a line break cuts in two.
    private func searchAcrossLines(_ bytes: Span<UInt8>, _ starts: Range<Int>, into matches: inout [Match]) {
        let raw = unsafe bytes.bytes
        let newline = SIMD32<UInt8>(repeating: UInt8(ascii: "\n"))
        let tab = SIMD32<UInt8>(repeating: UInt8(ascii: "\t"))
        let endings = (
            SIMD32<UInt8>(repeating: UInt8(ascii: ";")), SIMD32<UInt8>(repeating: UInt8(ascii: "{")),
            SIMD32<UInt8>(repeating: UInt8(ascii: ","))
        )
        var place = max(starts.lowerBound, 1)
        let end = min(bytes.count, starts.upperBound + longest + 8)
        while place + 33 <= end {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let here = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: SIMD32<UInt8>.self)
            // Most lines of source code end or go on as those of base64 never do: these are cheap to pass over.
            let before = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place - 1, as: SIMD32<UInt8>.self)
            let after = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place + 1, as: SIMD32<UInt8>.self)
            let breaks = unsafe unsafeBitCast(here .== newline, to: SIMD4<UInt64>.self)
            let ends = unsafe unsafeBitCast(
                (before .== endings.0) .| (before .== endings.1) .| (before .== endings.2), to: SIMD4<UInt64>.self)
            let goesOn = unsafe unsafeBitCast((after .== newline) .| (after .== tab), to: SIMD4<UInt64>.self)
            // A lane is all ones or all zeros, whatever the type it is seen as.
            let words = breaks & ~(ends | goesOn)
            if words[0] | words[1] | words[2] | words[3] != 0 {
                for word in 0..<4 {
                    var lanes = words[word]
                    while lanes != 0 {
                        let lane = lanes.trailingZeroBitCount / 8
                        lanes &= ~(0xff << UInt64(lane * 8))
                        let at = place + word * 8 + lane
                        let last = bytes[at - 1]
                        guard Base64Text.isDigit(last) || last == UInt8(ascii: "\r") else { continue }
                        checkBreak(bytes, at: at, starts, into: &matches)
                    }
                }
            }
            place += 32
        }
        while place < end {
            if bytes[place] == UInt8(ascii: "\n") { checkBreak(bytes, at: place, starts, into: &matches) }
            place += 1
        }
    }

    private func checkBreak(
        _ bytes: Span<UInt8>, at newline: Int, _ starts: Range<Int>, into matches: inout [Match]
    ) {
        var last = newline
        if last > 0, bytes[last - 1] == UInt8(ascii: "\r") { last -= 1 }
        var next = newline + 1
        guard last > 0, Base64Text.isDigit(bytes[last - 1]) else { return }
        while next < bytes.count, next < newline + 40, bytes[next] == UInt8(ascii: " ") { next += 1 }
        var end = next
        let limit = min(bytes.count, next + max(longest, Self.wrapped))
        while end < limit, Base64Text.isDigit(bytes[end]) { end += 1 }
        guard end > next else { return }
        var first = last
        while first > 0, last - first < longest, Base64Text.isDigit(bytes[first - 1]) { first -= 1 }
        guard last - first + end - next >= Self.wrapped else { return }
        var joined: [UInt8] = []
        for index in first..<last { joined.append(bytes[index]) }
        for index in next..<end { joined.append(bytes[index]) }
        let span = joined.span
        for number in patterns.indices {
            let pattern = patterns[number]
            guard pattern.form == .base64 || pattern.form == .base64Twice else { continue }
            let length = pattern.bytes.count
            for start in max(0, last - first - length + 1)..<(last - first) where length <= span.count - start {
                guard span[start] == pattern.bytes[0], span.count - start >= Self.wrapped else { continue }
                var isEqual = true
                for index in 1..<length where span[start + index] != pattern.bytes[index] {
                    isEqual = false
                    break
                }
                if isEqual { add(bytes, first + start, number, starts, into: &matches) }
            }
        }
    }
}
