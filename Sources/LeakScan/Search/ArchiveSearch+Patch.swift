/// Binary patches (git-diff(1), `--binary`): files, or what is new in them, compressed and written in base 85, also in quoted-printable
/// mails.
extension ArchiveSearch {
    /// The first line of a binary patch.
    static let patchMark: StaticString = "GIT binary patch"
    /// What is before it in its line, and so in each line of the patch: of a quotation, an indentation, or a patch of a patch.
    private static let longestQuotation = 32
    /// The longest line of a patch: a letter and 65 digits.
    private static let longestPatchLine = 66

    /// Searches the hunks of the binary patch at `start`: whole files, and deltas, in which what they insert is as it is.
    func searchPatch(_ bytes: Span<UInt8>, at start: Int, depth: Int) -> [PlacedHit] {
        var first = start
        while first > 0, start - first <= Self.longestQuotation, bytes[first - 1] != 0x0a { first -= 1 }
        guard start - first <= Self.longestQuotation else { return [] }
        var lines = PatchLines(bytes, quotation: first..<start)
        let before = state.found.count
        state.textDepth += 1
        guard let mark = lines.next(), mark.count == Self.patchMark.utf8CodeUnitCount else {
            return found(since: before)
        }
        while let header = lines.next(), Self.isHunk(bytes.extracting(header)), !control.isCancelled {
            guard state.entriesLeft > 0, state.bytesLeft > 0 else {
                state.fallShort(.bounded)
                break
            }
            state.entriesLeft -= 1
            searchHunk(bytes, &lines, depth: depth)
        }
        return found(since: before)
    }

    /// Takes what was found in decoded text off the list.
    private func found(since before: Int) -> [PlacedHit] {
        state.textDepth -= 1
        let found = Array(state.found[before...])
        state.found.removeSubrange(before...)
        return found
    }

    private static func isHunk(_ line: Span<UInt8>) -> Bool {
        ArchiveMagic.matches("literal ", in: line, at: 0) || ArchiveMagic.matches("delta ", in: line, at: 0)
    }

    private func searchHunk(_ bytes: Span<UInt8>, _ lines: inout PatchLines, depth: Int) {
        let limit = min(state.bytesLeft, options.streamingThreshold)
        var stream = pool.take(capacity: 4 << 10)
        defer { pool.give(stream) }
        // An empty line ends the hunk.
        while let line = lines.next(), line.count > 0 {
            if stream.capacity - stream.count < Self.longestPatchLine {
                let larger = pool.take(capacity: 4 * stream.capacity)
                larger.append(stream.bytes)
                pool.give(stream)
                stream = larger
            }
            guard
                GitBase85.decode(bytes.extracting(line), into: stream)
                    || decodeQuoted(bytes, line, &lines, into: stream)
            else { break }
            guard stream.count < limit else {
                state.fallShort(.bounded)
                break
            }
        }
        guard stream.count > 0 else { return }
        state.bytesLeft -= stream.count
        let inflation = inflate(from: 0, [], depth: depth, isKnown: true) { range, buffer in
            Self.copy(range, of: stream.bytes, to: buffer)
        }
        if inflation == .damaged { state.fallShort(.damaged) }
    }
}

extension ArchiveSearch {
    /// Appends what a line in quoted-printable text (RFC 2045, 6.7) decodes to.
    ///
    /// - Parameter lines: have passed the line; those in which it goes on are passed, too.
    /// - Returns: false for what is no such line.
    private func decodeQuoted(
        _ bytes: Span<UInt8>, _ line: Range<Int>, _ lines: inout PatchLines, into stream: ByteBuffer
    ) -> Bool {
        let text = ByteBuffer(capacity: Self.longestPatchLine)
        var part: Range<Int>? = line
        while let range = part, let last = range.last {
            // An equals sign at the end of a line says that it goes on in the next one.
            let isOpen = bytes[last] == UInt8(ascii: "=")
            var at = range.lowerBound
            while at < (isOpen ? last : range.upperBound) {
                guard text.count < text.capacity else { return false }
                var byte = bytes[at]
                at += 1
                if byte == UInt8(ascii: "="), at + 1 < range.upperBound, let high = Escapes.digit(bytes[at]),
                    let low = Escapes.digit(bytes[at + 1])
                {
                    byte = UInt8(high << 4 | low)
                    at += 2
                }
                text.append(byte)
            }
            part = isOpen ? lines.nextUnquoted() : nil
        }
        return GitBase85.decode(text.bytes, into: stream)
    }
}

/// The lines of a patch, without what quotes them.
private struct PatchLines: ~Escapable {
    private let bytes: Span<UInt8>
    private let quotation: Range<Int>
    private var at: Int

    /// - Parameter quotation: where it is in the first line.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, quotation: Range<Int>) {
        self.bytes = bytes
        self.quotation = quotation
        at = quotation.lowerBound
    }

    /// The next line without its end; nil at the end of the text, and where a line is not quoted as the first one is.
    mutating func next() -> Range<Int>? {
        guard let line = nextUnquoted() else { return nil }
        let (start, last) = (line.lowerBound, line.upperBound)
        for index in 0..<quotation.count {
            let place = start + index
            // Of an empty line the blanks of a quotation may have been removed.
            guard place < last else { return last..<last }
            guard bytes[place] == bytes[quotation.lowerBound + index] else { return nil }
        }
        return min(start + quotation.count, last)..<last
    }

    /// The next line as it is, without the blanks at its end.
    mutating func nextUnquoted() -> Range<Int>? {
        guard at < bytes.count else { return nil }
        let start = at
        var last = ByteSearch.first(0x0a, in: bytes, at..<bytes.count) ?? bytes.count
        at = last + 1
        while last > start, Self.isBlank(bytes[last - 1]) { last -= 1 }
        return start..<last
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x0d || byte == 0x20 || byte == 0x09 }
}
