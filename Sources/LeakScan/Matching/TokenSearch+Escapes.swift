/// Finds secrets with escapes: `ghp\_…`, `ghp\u005f…`, and those that have nothing else, `\x67\x68…`.
extension TokenSearch {
    /// One round of an escape has at most as many bytes.
    private static let longestEscape = 12

    /// Calls `body` with the places of secrets of which the first escape is at `mark`.
    func look(_ bytes: Span<UInt8>, around mark: Int, _ report: Report, _ body: (Int) -> Void) {
        guard let unit = Escapes.unit(bytes, at: mark, depth: Escapes.deepest, marks: .all), unit.end > mark + 1,
            Self.isToken(unit.value)
        else { return }
        var start = mark
        while true {
            if let place = report.place(of: start), isEscaped(bytes, at: start) { body(place) }
            guard start > 0, mark - start < Self.window, Self.isToken(bytes[start - 1]) else { return }
            start -= 1
        }
    }

    /// Whether what begins at `start` may be a secret with escapes, as far as ``window`` bytes say. One that begins with an escape
    /// begins a word.
    func isEscaped(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard Escapes.isMark(bytes[start]) || Self.isStart(bytes, start), mayBeEscapedBrand(bytes, at: start) else {
            return false
        }
        let seen = bytes.extracting(start..<min(bytes.count, start + Self.window))
        let isCut = seen.count == Self.window
        let text = FormDecoder.unescaped(
            seen, at: 0, depth: Escapes.deepest, marks: .all, limit: seen.count, onlyTokens: true)
        guard let escape = text.firstEscape else { return false }
        var count = text.count
        // An escape that is cut is read as something else.
        while isCut, count > 0, text.end(of: count - 1) > Self.window - Self.longestEscape { count -= 1 }
        let buffer = text.buffer
        let all = buffer.bytes
        let (ends, shapes) = (ends, shapes)
        for shape in Self.candidates(all, 0, ends.span).lazy.map({ shapes[$0] }) {
            let whole = shape.brand.count + shape.lengths.lowerBound
            var at = 0
            while at < min(count, whole), isPart(all[at], at: at, of: shape) { at += 1 }
            guard at > 0, at >= min(shape.brand.count, count), escape < text.end(of: at - 1) else { continue }
            return at == whole || at == count && isCut
                || at < count && at >= shortest && Gap.splits(with: all[at])
        }
        return false
    }

    /// Whether the first byte that is none of a secret at `start`, at most `limit` bytes behind it, begins an escape or a gap.
    func mayBeLoose(_ bytes: Span<UInt8>, at start: Int, limit: Int) -> Bool {
        guard Escapes.isMark(bytes[start]) || Self.isStart(bytes, start) else { return false }
        var at = start
        while at < min(bytes.count, start + limit), Self.isToken(bytes[at]) { at += 1 }
        return at < bytes.count && (Escapes.isMark(bytes[at]) || Gap.endOfSplit(bytes, at: at) != nil)
            && mayBeEscapedBrand(bytes, at: start)
    }

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
            guard let unit = Escapes.unit(bytes, at: at, depth: Escapes.deepest, marks: .all) else { return false }
            head[index] = unit.value
            at = unit.end
        }
        let ends = ends
        return !Self.candidates(head.span, 0, ends.span).isEmpty
    }
}
