/// Streams of zlib (RFC 1950).
extension ArchiveSearch {
    /// How much of a source is read at once.
    private static let part = 64 << 10

    /// Opens a zlib stream, or several that are joined, of which a source in memory consists.
    func openZlib(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        openZlib(above: above, depth: depth) { range, buffer in Self.copy(range, of: bytes, to: buffer) }
    }

    /// The same, of any source.
    func openZlib(above: [UInt8], depth: Int, _ read: Source) {
        guard inflate(from: 0, above + Array("data".utf8), depth: depth, isJoined: true, read) != .noStream
        else { return }
        state.counts.opened += 1
    }

    /// How an attempt to inflate ended.
    enum Inflation {
        case noStream
        /// It ends where the stream does, or at a bound.
        case searched
        /// The rest of the stream is damaged, or missing.
        case damaged
    }

    /// Searches what a stream inflates to.
    ///
    /// - Parameters:
    ///   - isKnown: whether something says that it is one; else it is by how most begin, with a window of 32 kB.
    ///   - isJoined: whether what follows may be another one, whose content continues that of the first.
    func inflate(
        from start: Int, _ name: [UInt8], depth: Int, isKnown: Bool = false, isJoined: Bool = false, _ read: Source
    ) -> Inflation {
        let input = pool.take(capacity: Self.part)
        defer { pool.give(input) }
        read(start..<start + Self.part, input)
        guard isKnown || LoosePiece.mayBe(input.bytes) else { return .noStream }
        let limit = min(state.bytesLeft, options.streamingThreshold)
        let inflater = StreamInflater()
        var output = pool.take(capacity: min(limit, Self.part))
        defer { pool.give(output) }
        var (next, taken) = (start + input.count, 0)
        var isDamaged = false
        while true {
            if inflater.isFinished {
                guard isJoined else { break }
                if input.count - taken < ArchiveMagic.length {
                    (next, taken) = (next - (input.count - taken), 0)
                    input.reset(capacity: 0)
                    read(next..<next + Self.part, input)
                    next += input.count
                }
                guard LoosePiece.mayBe(input.bytes.extracting(taken..<input.count)) else { break }
                guard state.entriesLeft > 0 else {
                    state.fallShort(.bounded)
                    break
                }
                state.entriesLeft -= 1
                inflater.reset()
            }
            guard output.count < limit else { break }
            if output.count == output.capacity {
                let larger = pool.take(capacity: min(limit, 4 * output.capacity))
                larger.append(output.bytes)
                pool.give(output)
                output = larger
            }
            if taken == input.count {
                input.reset(capacity: 0)
                read(next..<next + Self.part, input)
                (next, taken) = (next + input.count, 0)
            }
            let before = output.count
            let rest = input.bytes.extracting(taken..<input.count)
            let room = min(limit, output.capacity) - before
            guard let count = try? inflater.inflate(rest, room: room, into: output), count > 0 || output.count > before
            else {
                isDamaged = !inflater.isOnlyCheckWrong
                break
            }
            taken += count
        }
        guard output.count > 0 else { return inflater.isFinished ? .searched : .noStream }
        state.bytesLeft -= output.count
        if !inflater.isFinished, output.count >= limit { state.fallShort(.bounded) }
        searchWhole(output.bytes, name, depth)
        return isDamaged ? .damaged : .searched
    }
}
