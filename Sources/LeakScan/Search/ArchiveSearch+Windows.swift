/// Looking through what may be too large for memory, for words that say what it is.
extension ArchiveSearch {
    /// Copies a range of what is searched to a buffer: less at its end, and where it cannot be read.
    typealias Source = (_ range: Range<Int>, _ buffer: ByteBuffer) -> Void

    /// How much is looked through at once.
    private static let window = 1 << 20

    static func copy(_ range: Range<Int>, of bytes: Span<UInt8>, to buffer: ByteBuffer) {
        buffer.append(bytes.extracting(range.clamped(to: 0..<bytes.count)))
    }

    /// Calls `body` with one window after another, until it returns false. Each place is in the range of one window.
    ///
    /// - Parameters:
    ///   - lead: how many bytes before a place of the range are in the window, unless the source begins there.
    ///   - tail: how many bytes from a place of the range on are in the window, unless the source ends there.
    ///   - body: is called with the window, the range, and where in the source the window begins.
    func forEachWindow(
        size: Int, before lead: Int, after tail: Int, _ read: Source,
        _ body: (_ bytes: Span<UInt8>, _ range: Range<Int>, _ begin: Int) -> Bool
    ) {
        let window = pool.take(capacity: min(size, Self.window))
        defer { pool.give(window) }
        var (begin, isLast) = (0, false)
        while !isLast, !control.isCancelled {
            window.reset(capacity: 0)
            let part = begin..<min(size, begin + Self.window)
            read(part, window)
            let bytes = window.bytes
            isLast = part.upperBound == size || bytes.count < part.count
            let first = begin == 0 ? 0 : min(lead, bytes.count)
            let range = first..<max(first, isLast ? bytes.count : bytes.count - tail)
            guard body(bytes, range, begin) else { return }
            begin += range.upperBound - lead
        }
    }

    /// The first place before `end` at which a word begins, which may go on behind it.
    static func first(_ word: StaticString, in bytes: Span<UInt8>, from start: Int, upTo end: Int) -> Int? {
        let initial = word.withUTF8Buffer { unsafe $0[0] }
        var at = start
        while at < end, let found = ByteSearch.first(initial, in: bytes, at..<end) {
            if ArchiveMagic.matches(word, in: bytes, at: found) { return found }
            at = found + 1
        }
        return nil
    }
}
