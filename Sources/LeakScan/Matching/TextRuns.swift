/// Long runs of base64 or hexadecimal digits that may be something that has to be decoded as a whole: compressed data, an archive,
/// or text that is itself in another form.
enum TextRuns {
    /// The minimum length of a run, without line breaks.
    static let shortest = 48

    /// The length of runs that are asked for where nothing else is searched for.
    static let shortestVisible = LongRuns.lengths.upperBound

    /// The maximum number of bytes in which as many digits are, if some are written with a backslash: `\/`, `\u002B`.
    private static let longestStart = 64

    /// The number of bytes from a place that decide whether a run is there, and what it is; the end record of a zip file has fewer.
    static let reach = longestStart + 1

    /// Calls `body` with the places of runs of digits in a run that ``LongRuns`` has found, if they begin within `starts`: the
    /// byte before the run, or the start of the object.
    ///
    /// - Parameter isFirst: whether `bytes` begin with the start of the object.
    @inline(never)
    static func check(
        _ bytes: Span<UInt8>, in run: Range<Int>, startingIn starts: Range<Int>, isFirst: Bool, _ body: (Int) -> Void
    ) {
        // A long run has a byte at one of the places that are as far apart as it is long.
        var place = run.lowerBound + shortest - 1
        var last = -1
        while place < run.upperBound {
            var from = place
            place += shortest
            while from < run.upperBound, bytes[from] == backslash { from += 1 }
            guard from < run.upperBound, Base64Text.isDigit(bytes[from]) else { continue }
            // What is longer is known by an earlier place.
            let start = WordScan.start(bytes, from: from, notBefore: max(0, from - shortest + 1), others: others)
            let end = WordScan.end(
                bytes, from: from + 1, notBehind: min(bytes.count, start + shortest), others: others)
            if end < start + shortest { place = end + shortest }
            let first = start > 0 && bytes[start - 1] == backslash ? self.first(bytes, before: start) : start
            guard end == start + shortest || first < start || end < bytes.count && bytes[end] == backslash,
                first == 0 ? isFirst : !Base64Text.isDigit(bytes[first - 1])
            else { continue }
            let marked = max(0, first - 1)
            guard marked != last, starts.contains(marked), self.run(bytes, at: first) != nil else { continue }
            last = marked
            body(marked)
        }
    }

    private static let backslash = UInt8(ascii: "\\")

    /// The first of the digits that end before `start` with an escape, which goes on there; `start` if there are none.
    private static func first(_ bytes: Span<UInt8>, before start: Int) -> Int {
        let lowest = max(0, start - longestStart)
        var first = start
        while first > lowest, bytes[first - 1] == backslash, isEscaped(bytes, at: first) {
            var mark = first - 1
            while mark > lowest, bytes[mark - 1] == backslash { mark -= 1 }
            guard mark > lowest, Base64Text.isDigit(bytes[mark - 1]) else { return start }
            first = WordScan.start(bytes, from: mark - 1, notBefore: lowest, others: others)
        }
        return first
    }

    /// Whether what follows a backslash at `place` makes it an escape of a digit that is no letter and no number.
    private static func isEscaped(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        Escapes.unit(bytes, at: place - 1, depth: 1, marks: []).map { isSign($0.value) } ?? false
    }

    private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "+") }

    /// The highest bit of each of eight bytes that is no digit.
    @inline(__always)
    private static func others(_ word: UInt64) -> UInt64 {
        let low = word & 0x7f7f_7f7f_7f7f_7f7f
        @inline(__always)
        func above(_ character: UInt64) -> UInt64 { WordScan.above(character, low) }
        let others =
            ~above(0x2a) | above(0x2b) & ~above(0x2c) | above(0x2d) & ~above(0x2e) | above(0x39) & ~above(0x40)
            | above(0x5a) & ~above(0x5e) | above(0x5f) & ~above(0x60) | above(0x7a)
        return (others | word) & 0x8080_8080_8080_8080
    }

    /// How a run is written.
    enum Kind {
        case base64, hexadecimal
    }

    /// A run that is worth to be read.
    struct Run {
        let kind: Kind
        /// Where its digits begin.
        let start: Int
    }

    /// The run at `start`, if what it begins with is worth it.
    static func run(_ bytes: Span<UInt8>, at start: Int) -> Run? {
        guard start + shortest <= bytes.count else { return nil }
        var head = InlineArray<36, UInt8>(repeating: 0)
        let digits = endOfMark(bytes, at: start)
        if (digits..<(start + shortest)).allSatisfy({ Escapes.digit(bytes[$0]) != nil }) {
            var count = 0
            while count < (start + shortest - digits) / 2, let high = Escapes.digit(bytes[digits + 2 * count]),
                let low = Escapes.digit(bytes[digits + 2 * count + 1])
            {
                head[count] = UInt8(high << 4 | low)
                count += 1
            }
            if isWorth(head.span.extracting(first: count)) { return Run(kind: .hexadecimal, start: digits) }
        }
        var count = 0
        var bits: UInt32 = 0
        var at = start
        for index in 0..<shortest {
            guard let digit = digit(bytes, at: at, before: start + longestStart) else { return nil }
            at = digit.end
            bits = bits << 6 | UInt32(digit.value)
            guard index % 4 == 3 else { continue }
            head[count] = UInt8(truncatingIfNeeded: bits >> 16)
            head[count + 1] = UInt8(truncatingIfNeeded: bits >> 8)
            head[count + 2] = UInt8(truncatingIfNeeded: bits)
            count += 3
            // Most runs are paths, names and checksums.
            if index == 3, !mayBegin(head[0], head[1], head[2]) { return nil }
        }
        return isWorth(head.span.extracting(first: count)) ? Run(kind: .base64, start: start) : nil
    }

    /// Where hexadecimal digits begin: behind `0x`, or the `\x` of PostgreSQL.
    private static func endOfMark(_ bytes: Span<UInt8>, at start: Int) -> Int {
        if bytes[start] == UInt8(ascii: "x"), start > 0, bytes[start - 1] == backslash { return start + 1 }
        return bytes[start] == UInt8(ascii: "0") && bytes[start + 1] | 0x20 == UInt8(ascii: "x") ? start + 2 : start
    }

    /// The value of the digit of base64 at `place`, as it is or with a backslash, and where it ends.
    @inline(__always)
    private static func digit(_ bytes: Span<UInt8>, at place: Int, before limit: Int) -> Escapes.Unit? {
        guard place < min(bytes.count, limit) else { return nil }
        if let value = Base64Text.value(bytes[place]) { return Escapes.Unit(value: value, end: place + 1) }
        guard bytes[place] == backslash, let unit = Escapes.unit(bytes, at: place, depth: 2, marks: []),
            unit.end <= limit, isSign(unit.value), let value = Base64Text.value(unit.value)
        else { return nil }
        return Escapes.Unit(value: value, end: unit.end)
    }

    private static func mayBegin(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
        ArchiveMagic.mayBegin(first, second) || isText(first) && isText(second) && isText(third) || first == 0
            || second == 0
            || first == 0xff && second == 0xfe || first == 0xfe && second == 0xff || first == 0xef && second == 0xbb
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7f || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    /// Whether bytes begin like an archive, compressed data, or text in ASCII, UTF-16 or UTF-32.
    private static func isWorth(_ head: Span<UInt8>) -> Bool {
        if ArchiveMagic.begins(head) || WideText.width(of: head) != nil { return true }
        var text = 0
        while text < head.count, isText(head[text]) { text += 1 }
        // The name of the first entry of a tar file is followed by zeros, and a script may have an archive behind it.
        return text >= 8 || text > 2 && (text..<head.count).allSatisfy { head[$0] == 0 }
    }

    /// What is written in the run at `start`, up to `limit` bytes of it.
    ///
    /// - Parameter output: gets it.
    /// - Returns: where what was read ends.
    @discardableResult
    static func decode(
        _ bytes: Span<UInt8>, at start: Int, _ kind: Kind, limit: Int, into output: ByteBuffer
    ) -> Int {
        let sign = Gap.sign(bytes, before: start)
        var bits: UInt32 = 0
        var count = 0
        var at = start
        while at < bytes.count, output.count < limit {
            if kind == .base64, count == 0 { at = decodeGroups(bytes, at: at, limit: limit, into: output) }
            guard at < bytes.count, output.count < limit else { break }
            let digit = kind == .base64 ? Base64Text.value(bytes[at]).map { UInt32($0) } : Escapes.digit(bytes[at])
            var end = at + 1
            var value = digit
            if value == nil {
                if let gap = Gap.end(bytes, at: at, sign: sign) {
                    at = gap
                    continue
                }
                guard kind == .base64, let unit = Escapes.unit(bytes, at: at, depth: 2, marks: .common) else { break }
                value = Base64Text.value(unit.value).map { UInt32($0) }
                end = unit.end
            }
            guard let value else { break }
            at = end
            let width = kind == .base64 ? 6 : 4
            bits = bits << UInt32(width) | value
            count += width
            guard count >= 8 else { continue }
            count -= 8
            output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return at
    }

    /// Decodes groups of four digits of base64, up to one that has something else in it.
    ///
    /// - Returns: where that begins.
    private static func decodeGroups(_ bytes: Span<UInt8>, at start: Int, limit: Int, into output: ByteBuffer) -> Int {
        let all = values
        let values = all.span
        var at = start
        while at + 4 <= bytes.count, output.count + 3 <= limit {
            let first = UInt32(values[Int(bytes[at])])
            let second = UInt32(values[Int(bytes[at + 1])])
            let third = UInt32(values[Int(bytes[at + 2])])
            let fourth = UInt32(values[Int(bytes[at + 3])])
            guard first | second | third | fourth < 64 else { break }
            let bits = first << 18 | second << 12 | third << 6 | fourth
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
            at += 4
        }
        return at
    }

    /// The value of each byte as a digit of base64, from 0 to 63; 255 for a byte that is not a digit.
    private static let values = (UInt8.min...UInt8.max).map { Base64Text.value($0) ?? UInt8.max }
}
