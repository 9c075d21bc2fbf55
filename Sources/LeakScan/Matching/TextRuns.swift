/// Long runs of base64 or hexadecimal digits that may be something that has to be decoded as a whole: compressed data, an archive,
/// or text that is itself in another form.
enum TextRuns {
    /// The minimum length of a run, without line breaks.
    static let shortest = 48

    /// The number of bytes from a place that decide whether a run is there, and what it is; the end record of a zip file has fewer.
    static let reach = shortest + 1

    /// The distance of examined places (``LongRuns``): every run has eight bytes at one of them.
    static let distance = shortest - 8

    /// The examined places, for runs that begin within `starts`.
    static func places(of starts: Range<Int>) -> ClosedRange<Int> {
        starts.lowerBound...(starts.upperBound + shortest)
    }

    /// Whether there may be a run at an examined place: the sixteen bytes behind its word, or before it, may be digits.
    @inline(__always)
    static func mayBeRun(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        LongRuns.mayBeRun(bytes, at: place + 8) || LongRuns.mayBeRun(bytes, at: place - 16)
    }

    /// Calls `body` with the place of the run of which a part is at `place`, if it begins within `starts`: the byte before the
    /// run, or the start of the object.
    ///
    /// - Parameter isFirst: whether `bytes` begin with the start of the object.
    /// - Returns: where to go on.
    @inline(never)
    static func check(
        _ bytes: Span<UInt8>, at place: Int, startingIn starts: Range<Int>, isFirst: Bool, _ body: (Int) -> Void
    ) -> Int {
        var end = place
        while end < bytes.count, end < place + shortest, Base64Text.isDigit(bytes[end]) { end += 1 }
        var start = place
        while start > 0, start >= place - shortest, Base64Text.isDigit(bytes[start - 1]) { start -= 1 }
        let next = max(end, place + distance)
        guard start == 0 ? isFirst : !Base64Text.isDigit(bytes[start - 1]) else { return next }
        let marked = max(0, start - 1)
        while end < bytes.count, end < start + shortest, Base64Text.isDigit(bytes[end]) { end += 1 }
        guard end >= start + shortest, starts.contains(marked), kind(bytes, at: start) != nil else { return next }
        body(marked)
        return next
    }

    /// How a run is written.
    enum Kind {
        case base64, hexadecimal
    }

    /// How the run at `start` has to be read, if what it begins with is worth it.
    static func kind(_ bytes: Span<UInt8>, at start: Int) -> Kind? {
        guard start + shortest <= bytes.count else { return nil }
        var head = InlineArray<36, UInt8>(repeating: 0)
        var count = 0
        if (start..<(start + shortest)).allSatisfy({ Escapes.digit(bytes[$0]) != nil }) {
            while count < shortest / 2, let high = Escapes.digit(bytes[start + 2 * count]),
                let low = Escapes.digit(bytes[start + 2 * count + 1])
            {
                head[count] = UInt8(high << 4 | low)
                count += 1
            }
            if isWorth(head.span.extracting(first: count)) { return .hexadecimal }
            count = 0
        }
        var bits: UInt32 = 0
        for index in 0..<shortest {
            guard let value = Base64Text.value(bytes[start + index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            guard index % 4 == 3 else { continue }
            head[count] = UInt8(truncatingIfNeeded: bits >> 16)
            head[count + 1] = UInt8(truncatingIfNeeded: bits >> 8)
            head[count + 2] = UInt8(truncatingIfNeeded: bits)
            count += 3
            // Most runs are paths, names and checksums.
            if index == 3, !mayBegin(head[0], head[1], head[2]) { return nil }
        }
        return isWorth(head.span.extracting(first: count)) ? .base64 : nil
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
}
