/// Finds secrets with escapes, `ghp\_…`, `ghp\u005f…`, and those that have nothing else, `\x67\x68…`; and secrets of which a first
/// part is before a long run: `ghp%5F…`, `"ghp_" + "…"`.
extension TokenSearch {
    /// One round of an escape has at most as many bytes.
    private static let longestEscape = 12

    /// So far before a long run a secret may begin that is found by it, in bytes.
    static let farthest = 24

    /// Calls `body` with the places of secrets of which the first escape is at `mark`.
    func look(_ bytes: Span<UInt8>, around mark: Int, _ report: Report, _ body: (Int) -> Void) {
        guard let unit = Escapes.unit(bytes, at: mark, depth: Escapes.deepest, marks: .tokens), unit.end > mark + 1,
            Self.isToken(unit.value)
        else { return }
        var start = mark
        while true {
            if let place = report.place(of: start), isEscaped(bytes, at: start) { body(place) }
            guard start > 0, mark - start < Self.window, Self.isToken(bytes[start - 1]) else { return }
            start -= 1
        }
    }

    /// Calls `body` with the places of secrets that begin before the run at `run`, and go on in it behind an escape or a gap.
    @inline(__always)
    func look(_ bytes: Span<UInt8>, before run: Int, _ report: Report, _ body: (Int) -> Void) {
        if Escapes.mayHoldInvisible(bytes[run - 1]) { lookForEscapes(bytes, before: run, report, body) }
        guard Gap.maySplit(bytes, before: run) else { return }
        if let gap = Gap.startOfSplit(bytes, upTo: run) { lookForParts(bytes, before: run, gap: gap, report, body) }
    }

    @inline(never)
    private func lookForEscapes(_ bytes: Span<UInt8>, before run: Int, _ report: Report, _ body: (Int) -> Void) {
        guard Escapes.mayEndToken(bytes, inRunAt: run) else { return }
        var start = run
        while start > max(0, run - Self.farthest),
            LongRuns.isVisible(bytes[start - 1]) || Escapes.mayHoldInvisible(bytes[start - 1])
        {
            start -= 1
            if let place = report.place(of: start), isEscaped(bytes, at: start) { body(place) }
        }
    }

    @inline(never)
    private func lookForParts(
        _ bytes: Span<UInt8>, before run: Int, gap: Int, _ report: Report, _ body: (Int) -> Void
    ) {
        var gap: Int? = gap
        while let end = gap {
            var start = end
            while start > max(0, run - Self.farthest), Self.isToken(bytes[start - 1]) {
                start -= 1
                if let place = report.place(of: start), isSplit(bytes, at: start) { body(place) }
            }
            gap = start < end ? Gap.startOfSplit(bytes, upTo: start) : nil
        }
    }

    /// Whether what begins at `start` may be a secret with escapes, as far as ``window`` bytes say. One that begins with an escape
    /// begins a word.
    func isEscaped(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard mayBegin(with: bytes[start]),
            let lead = Self.lead(bytes, before: start) ?? (Escapes.isMark(bytes[start]) ? 0 : nil),
            mayBeEscapedBrand(bytes, at: start)
        else { return false }
        let seen = bytes.extracting(start..<min(bytes.count, start + Self.window))
        let isCut = seen.count == Self.window
        let text = FormDecoder.unescaped(
            seen, at: 0, depth: Escapes.deepest, marks: .tokens, limit: seen.count)
        guard let escape = text.firstEscape else { return false }
        var count = text.count
        // An escape that is cut is read as something else.
        while isCut, count > 0, text.end(of: count - 1) > Self.window - Self.longestEscape { count -= 1 }
        let buffer = text.buffer
        guard let length = length(ofSecretIn: buffer.bytes.extracting(first: count), isCut: isCut) else { return false }
        let end = text.end(of: length - 1)
        return escape < end
            && ((0..<end).allSatisfy { LongRuns.isVisible(seen[$0]) }
                || (1..<end).contains {
                    Escapes.mayHoldInvisible(seen[$0 - 1]) && hasRun(seen, at: $0, lead: lead)
                        && Escapes.mayEndToken(seen, inRunAt: $0)
                })
    }

    /// Whether what begins at `start` may be a secret in parts, as far as ``window`` bytes say, of which the first ones are before a
    /// long run.
    func isSplit(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard mayBegin(with: bytes[start]), let lead = Self.lead(bytes, before: start) else { return false }
        let seen = bytes.extracting(start..<min(bytes.count, start + Self.window))
        let text = FormDecoder.joined(seen, at: 0, limit: seen.count, sign: nil, onlySplits: true)
        let buffer = text.buffer
        guard !text.isVerbatim, let length = length(ofSecretIn: buffer.bytes, isCut: seen.count == Self.window) else {
            return false
        }
        return (1..<length).contains { index in
            let place = text.start(of: index)
            return place > text.end(of: index - 1) && hasRun(seen, at: place, lead: lead)
                && Gap.maySplit(seen, before: place)
        }
    }

    /// Whether a long run begins at `place`, as near as one has to be.
    ///
    /// - Parameter lead: how many bytes before what is seen matter, too.
    private func hasRun(_ seen: Span<UInt8>, at place: Int, lead: Int) -> Bool {
        place + max(0, lead - 1) <= Self.farthest && place + shortest <= seen.count
            && !LongRuns.isVisible(seen[place - 1])
            && (place..<(place + shortest)).allSatisfy { LongRuns.isVisible(seen[$0]) }
    }

    /// How much of a decoded text may be of a secret, if that is enough: the shortest secret of its shape, all that is there, or, before an
    /// escape or a gap, as much as a run has that is looked at.
    private func length(ofSecretIn text: Span<UInt8>, isCut: Bool) -> Int? {
        let (ends, shapes) = (ends, shapes)
        for shape in Self.candidates(text, 0, ends.span).lazy.map({ shapes[$0] }) {
            let whole = shape.brand.count + shape.lengths.lowerBound
            var at = 0
            while at < min(text.count, whole), isPart(text[at], at: at, of: shape) { at += 1 }
            guard at > 0, at >= min(shape.brand.count, text.count) else { continue }
            let isEnough =
                at == whole || at == text.count && isCut
                || at < text.count && at >= shortest && Self.mayGoOn(with: text[at])
            return isEnough ? at : nil
        }
        return nil
    }

    /// Whether the first byte that is none of a secret at `start`, at most `limit` bytes behind it, begins an escape or a gap.
    func mayBeLoose(_ bytes: Span<UInt8>, at start: Int, limit: Int) -> Bool {
        guard Escapes.isMark(bytes[start]) || Self.isStart(bytes, start) else { return false }
        var at = start
        while at < min(bytes.count, start + limit), Self.isToken(bytes[at]) { at += 1 }
        return at < bytes.count
            && (Escapes.isMark(bytes[at]) || Gap.endOfSplit(bytes, at: at) ?? Escapes.endOfMarkup(bytes, at: at) != nil)
    }

    /// Whether a secret may begin with a byte, or with an escape that does.
    @inline(__always)
    private func mayBegin(with byte: UInt8) -> Bool { firsts[Int(byte >> 6)] & 1 << UInt64(byte & 63) != 0 }

    /// Whether a secret of a shape may have `byte` at an index.
    private func isPart(_ byte: UInt8, at index: Int, of shape: Shape) -> Bool {
        index < shape.brand.count
            ? brands[shape.brand.lowerBound + index] == byte : alphabets[shape.alphabet + Int(byte)]
    }

    /// Whether a brand may begin with the first three bytes that are written at `start`.
    private func mayBeEscapedBrand(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        var head = InlineArray<3, UInt8>(repeating: 0)
        var at = start
        for index in head.indices {
            guard let unit = Escapes.unit(bytes, at: at, depth: Escapes.deepest, marks: .tokens) else { return false }
            head[index] = unit.value
            at = unit.end
        }
        let ends = ends
        return !Self.candidates(head.span, 0, ends.span).isEmpty
    }
}
