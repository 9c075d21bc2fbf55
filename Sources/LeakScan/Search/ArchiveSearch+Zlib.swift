/// Streams of zlib (RFC 1950): by themselves, and in PDF files, whose text, metadata and attachments are compressed with it.
extension ArchiveSearch {
    func openZlib(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        if inflate(bytes, above + Array("data".utf8), depth) { state.counts.opened += 1 }
    }

    /// Opens the compressed streams of a PDF file (ISO 32000, 7.3.8), each named by its offset.
    func openPDF(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        state.counts.opened += 1
        let word = Array("stream".utf8)
        var at = 0
        while let found = ByteSearch.first(UInt8(ascii: "m"), in: bytes, at..<bytes.count), !control.isCancelled {
            at = found + 1
            let first = found - 5
            guard first >= 0, word.indices.allSatisfy({ bytes[first + $0] == word[$0] }) else { continue }
            var start = at
            if start < bytes.count, bytes[start] == 0x0d { start += 1 }
            if start < bytes.count, bytes[start] == 0x0a { start += 1 }
            guard start > at, start < bytes.count else { continue }
            let stream = bytes.extracting(start..<bytes.count)
            guard LoosePiece.mayBe(stream) else { continue }
            guard state.entriesLeft > 0, state.bytesLeft > 0 else {
                state.fallShort(.bounded)
                return
            }
            state.entriesLeft -= 1
            _ = inflate(stream, above + Array("stream-\(start)".utf8), depth)
        }
    }

    /// Searches what a stream inflates to.
    ///
    /// - Returns: false if it is none.
    private func inflate(_ bytes: Span<UInt8>, _ name: [UInt8], _ depth: Int) -> Bool {
        let limit = min(state.bytesLeft, options.streamingThreshold)
        let inflater = StreamInflater()
        var buffer = pool.take(capacity: min(limit, 64 << 10))
        defer { pool.give(buffer) }
        var taken = 0
        while !inflater.isFinished, taken < bytes.count, buffer.count < limit {
            if buffer.count == buffer.capacity {
                let larger = pool.take(capacity: min(limit, 4 * buffer.capacity))
                larger.append(buffer.bytes)
                pool.give(buffer)
                buffer = larger
            }
            let before = buffer.count
            guard
                let count = try? inflater.inflate(
                    bytes.extracting(taken..<bytes.count), room: min(limit, buffer.capacity) - before, into: buffer)
            else { break }
            taken += count
            if count == 0, buffer.count == before { break }
        }
        guard buffer.count > 0 else { return false }
        state.bytesLeft -= buffer.count
        if !inflater.isFinished, buffer.count >= limit { state.fallShort(.bounded) }
        searchWhole(buffer.bytes, name, depth)
        return true
    }
}
