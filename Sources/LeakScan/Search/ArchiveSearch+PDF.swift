/// PDF files (ISO 32000), whose text, metadata and attachments are in compressed streams.
extension ArchiveSearch {
    /// The longest dictionary that is looked at before a stream.
    private static let dictionary = 1 << 10
    /// The longest word that is looked for, with what follows it.
    private static let word = 16

    /// The names of filters (7.4), with those that are for inline images only, and are read elsewhere, too.
    private static let names85: Set = ["ASCII85Decode", "A85"]
    private static let namesOfFlate: Set = ["FlateDecode", "Fl"]
    private static let namesOfLZW: Set = ["LZWDecode", "LZW"]

    /// Opens the compressed streams of a file in memory.
    func openPDF(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        openPDF(size: bytes.count, above: above, depth: depth) { range, buffer in
            Self.copy(range, of: bytes, to: buffer)
        }
    }

    /// Opens the compressed streams of any source, each named by its offset. Those of an encrypted file cannot be read.
    func openPDF(size: Int, above: [UInt8], depth: Int, _ read: Source) {
        state.counts.opened += 1
        var (isEncrypted, isDamaged) = (false, false)
        forEachWindow(size: size, before: Self.dictionary, after: Self.word, read) { bytes, words, begin in
            if Self.mentionsEncryption(bytes, words) { isEncrypted = true }
            var at = words.lowerBound
            while let found = Self.first("stream", in: bytes, from: at, upTo: words.upperBound), !control.isCancelled {
                at = found + 6
                guard let start = Self.content(bytes, after: at), !Self.isEnd(bytes, found) else { continue }
                guard state.entriesLeft > 0, state.bytesLeft > 0 else {
                    state.fallShort(.bounded)
                    return false
                }
                let dictionary = Self.dictionary(bytes, before: found)
                let name = above + Array("stream-\(begin + start)".utf8)
                if !open(streamAt: begin + start, dictionary, name, depth: depth, read) { isDamaged = true }
            }
            return true
        }
        if isEncrypted { state.fallShort(.encrypted) } else if isDamaged { state.fallShort(.damaged) }
    }

    /// - Returns: false if a part of it is damaged, and was not searched.
    private func open(
        streamAt start: Int, _ dictionary: Span<UInt8>, _ name: [UInt8], depth: Int, _ read: Source
    ) -> Bool {
        var filters = Self.filters(dictionary)[...]
        guard Self.names85.contains(filters.first ?? "") else {
            return open(streamAt: start, filters: filters, dictionary, name, depth: depth, read)
        }
        filters.removeFirst()
        let text = decode(streamAt: start, read)
        defer { pool.give(text) }
        let isCompressed = !Self.namesOfFlate.union(Self.namesOfLZW).isDisjoint(with: filters.prefix(1))
        guard isCompressed else {
            state.entriesLeft -= 1
            searchWhole(text.bytes, name, depth)
            return true
        }
        return open(streamAt: 0, filters: filters, dictionary, name, depth: depth) { range, buffer in
            Self.copy(range, of: text.bytes, to: buffer)
        }
    }

    /// The same for a stream without base 85.
    private func open(
        streamAt start: Int, filters: ArraySlice<String>, _ dictionary: Span<UInt8>, _ name: [UInt8], depth: Int,
        _ read: Source
    ) -> Bool {
        if Self.namesOfLZW.contains(filters.first ?? "") {
            state.entriesLeft -= 1
            let isEarly = Self.first("/EarlyChange 0", in: dictionary, from: 0, upTo: dictionary.count) == nil
            let (text, isDamaged) = decompress(streamAt: start, LZW(early: isEarly ? 1 : 0), read)
            defer { pool.give(text) }
            searchWhole(text.bytes, name, depth)
            return !isDamaged
        }
        let isCompressed = Self.namesOfFlate.contains(filters.first ?? "")
        let inflation = inflate(from: start, name, depth: depth, isKnown: isCompressed, read)
        if inflation != .noStream { state.entriesLeft -= 1 }
        return inflation == .searched || !isCompressed
    }

    /// Decodes a stream in base 85.
    private func decode(streamAt start: Int, _ read: Source) -> ByteBuffer {
        var decoder = ASCII85()
        let output = decode(streamAt: start, read) { input, output, _ in
            decoder.decode(input, into: output)
            return !decoder.isFinished
        }
        decoder.finish(into: output)
        return output
    }

    /// Decompresses a stream.
    private func decompress(
        streamAt start: Int, _ decoder: LZW, _ read: Source
    ) -> (output: ByteBuffer, isDamaged: Bool) {
        var decoder = decoder
        let output = decode(streamAt: start, read) { input, output, limit in
            decoder.decode(input, into: output, limit: limit)
            return !decoder.isFinished
        }
        return (output, decoder.isDamaged)
    }

    /// Decodes a stream part by part, until `step` returns false, within the bounds.
    private func decode(
        streamAt start: Int, _ read: Source, _ step: (_ input: Span<UInt8>, _ output: ByteBuffer, _ limit: Int) -> Bool
    ) -> ByteBuffer {
        let limit = min(state.bytesLeft, options.streamingThreshold)
        let part = 4 << 10
        let input = pool.take(capacity: part)
        defer { pool.give(input) }
        let output = pool.take(capacity: 64 << 10)
        var next = start
        while output.count < limit {
            input.reset(capacity: 0)
            read(next..<next + part, input)
            next += input.count
            guard input.count > 0, step(input.bytes, output, limit) else { break }
        }
        if output.count >= limit { state.fallShort(.bounded) }
        state.bytesLeft -= output.count
        return output
    }

    /// Where the content of a stream begins; nil if no line ends after the word `stream`, which is then another one.
    private static func content(_ bytes: Span<UInt8>, after word: Int) -> Int? {
        var start = word
        if start < bytes.count, bytes[start] == 0x0d { start += 1 }
        if start < bytes.count, bytes[start] == 0x0a { start += 1 }
        return start > word && start < bytes.count ? start : nil
    }

    /// Whether the word is the end of `endstream`.
    private static func isEnd(_ bytes: Span<UInt8>, _ word: Int) -> Bool {
        word >= 3 && ArchiveMagic.matches("end", in: bytes, at: word - 3)
    }

    /// What is before the word `stream`, from the start of the object on.
    @_lifetime(copy bytes)
    private static func dictionary(_ bytes: Span<UInt8>, before word: Int) -> Span<UInt8> {
        let lowest = max(0, word - Self.dictionary)
        var start = lowest
        while let found = first("obj", in: bytes, from: start, upTo: word) { start = found + 3 }
        return bytes.extracting(start..<word)
    }

    /// The names of the filters of a stream, in the order in which they are undone; none where the dictionary refers to them.
    private static func filters(_ dictionary: Span<UInt8>) -> [String] {
        guard let found = first("/Filter", in: dictionary, from: 0, upTo: dictionary.count) else { return [] }
        var names: [String] = []
        var isInName = false
        for at in (found + 7)..<dictionary.count {
            switch dictionary[at] {
            case UInt8(ascii: "/"):
                names.append("")
                isInName = true
            case UInt8(ascii: "["), 0, 0x09, 0x0a, 0x0c, 0x0d, 0x20: isInName = false
            case UInt8(ascii: "]"), UInt8(ascii: ">"): return names
            case let byte where isInName: names[names.count - 1].unicodeScalars.append(UnicodeScalar(byte))
            default: return names
            }
        }
        return names
    }

    /// Whether the trailer names a dictionary of encryption (7.6.1): by a reference, or directly.
    private static func mentionsEncryption(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        while let found = first("/Encrypt", in: bytes, from: at, upTo: range.upperBound) {
            at = found + 8
            guard at < bytes.count else { return false }
            switch bytes[at] {
            case 0x09, 0x0a, 0x0d, 0x20, UInt8(ascii: "<"): return true
            // EncryptMetadata is an entry of that dictionary.
            default: break
            }
        }
        return false
    }
}
