/// PNG files (RFC 2083; PNG, third edition), of which some texts are compressed. Others are in the file as they are, and what is in
/// the picture itself is no text.
extension ArchiveSearch {
    /// The chunks that are looked at in one file.
    private static let mostChunks = 100_000
    /// The part of a chunk that has what comes before its text: a keyword of up to 79 bytes, a language, and the keyword in that.
    private static let longestHead = 1 << 10

    /// Opens the compressed texts of a file in memory.
    func openPNG(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        openPNG(size: bytes.count, above: above, depth: depth) { range, buffer in
            Self.copy(range, of: bytes, to: buffer)
        }
    }

    /// Opens the compressed texts of any source, each named by the type of its chunk and the offset of that.
    func openPNG(size: Int, above: [UInt8], depth: Int, _ read: Source) {
        let head = pool.take(capacity: Self.longestHead)
        defer { pool.give(head) }
        var (at, chunks, hasTexts, isDamaged) = (8, 0, false, false)
        while at + 12 <= size, !control.isCancelled {
            head.reset(capacity: 0)
            read(at..<at + 8, head)
            guard head.count == 8 else { break }
            let length = (0..<4).reduce(0) { $0 << 8 | Int(head.bytes[$1]) }
            let content = at + 8..<min(size, at + 8 + length)
            let isInternational = ArchiveMagic.matches("iTXt", in: head.bytes, at: 4)
            if isInternational || ArchiveMagic.matches("zTXt", in: head.bytes, at: 4) {
                let name = above + Array("\(isInternational ? "iTXt" : "zTXt")-\(at)".utf8)
                head.reset(capacity: 0)
                read(content.lowerBound..<min(content.upperBound, content.lowerBound + Self.longestHead), head)
                if let start = Self.stream(head.bytes, isInternational: isInternational) {
                    guard state.entriesLeft > 0, state.bytesLeft > 0 else { return state.fallShort(.bounded) }
                    state.entriesLeft -= 1
                    hasTexts = true
                    let inflation = inflate(from: content.lowerBound + start, name, depth: depth, isKnown: true) {
                        range, buffer in
                        read(range.clamped(to: content), buffer)
                    }
                    if inflation != .searched { isDamaged = true }
                }
            }
            at = content.lowerBound + length + 4
            chunks += 1
            guard chunks < Self.mostChunks else { return state.fallShort(.bounded) }
        }
        if hasTexts { state.counts.opened += 1 }
        if isDamaged { state.fallShort(.damaged) }
    }

    /// Where in a chunk its zlib stream begins; nil if there is none.
    private static func stream(_ chunk: Span<UInt8>, isInternational: Bool) -> Int? {
        func afterZero(_ start: Int?) -> Int? {
            guard let start, start < chunk.count else { return nil }
            return ByteSearch.first(0, in: chunk, start..<chunk.count).map { $0 + 1 }
        }
        guard let keyword = afterZero(0) else { return nil }
        guard isInternational else { return keyword < chunk.count && chunk[keyword] == 0 ? keyword + 1 : nil }
        guard keyword + 1 < chunk.count, chunk[keyword] == 1, chunk[keyword + 1] == 0 else { return nil }
        return afterZero(afterZero(keyword + 2))
    }
}
