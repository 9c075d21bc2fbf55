/// Reads and inflates the entries of a pack, on one thread.
final class PackEntryReader {
    /// The header of an entry, and the entry in memory; valid until the next call.
    struct Opened {
        let header: PackEntryHeader
        /// The whole entry, or its first ``longestAtOnce`` bytes.
        fileprivate let data: LoadedBytes
    }

    private let pack: Pack
    private let table: PackTable
    private let window: PackWindow
    private let inflater = Inflater()
    private let longestAtOnce: Int

    /// - Parameter longestAtOnce: the maximum number of compressed bytes that ``open(_:)`` reads.
    init(_ pack: Pack, _ table: PackTable, longestAtOnce: Int) {
        self.pack = pack
        self.table = table
        self.longestAtOnce = longestAtOnce
        window = PackWindow(pack)
    }

    /// Reads the header of an entry, and its data.
    func open(_ entry: Int) throws(GitReadError) -> Opened {
        let loaded = try window.load(at: table.offsets[entry], count: min(table.length(of: entry), longestAtOnce))
        let buffer = loaded.buffer
        let header = try PackEntryHeader(buffer.bytes.extracting(loaded.range), idLength: pack.idLength)
        return Opened(header: header, data: loaded)
    }

    /// Inflates the entry that was opened last into `output`, whose content is replaced.
    func inflate(_ entry: Int, _ opened: Opened, into output: ByteBuffer) throws(GitReadError) {
        let header = opened.header
        let length = table.length(of: entry) - header.length
        // DEFLATE expands one byte to at most 1,032 bytes (RFC 1951: 258 bytes for two bits).
        guard header.size <= UInt64(length) * 1032 + 64 else {
            throw .damagedObject("it claims more bytes than its data can hold")
        }
        output.reset(capacity: Int(header.size))
        let data = opened.data
        let start = header.length
        guard data.range.count == table.length(of: entry) else {
            return try inflateInPieces(entry, header, into: output)
        }
        let compressed = data.buffer
        let consumed: Int
        do {
            consumed = try inflater.inflate(
                compressed.bytes.extracting((data.range.lowerBound + start)..<data.range.upperBound),
                count: Int(header.size), into: output)
        } catch { throw .inflating(error) }
        guard consumed == length else {
            throw .damagedPack("\(length - consumed) bytes after it belong to no object in the index")
        }
    }

    /// Inflates a long entry without holding all of its compressed bytes.
    private func inflateInPieces(
        _ entry: Int, _ header: PackEntryHeader, into output: ByteBuffer
    ) throws(GitReadError) {
        let inflater = StreamInflater()
        var at = table.offsets[entry] + UInt64(header.length)
        let end = table.offsets[entry + 1]
        while !inflater.isFinished {
            guard at < end else { throw .damagedObject("its compressed data is cut short") }
            let loaded = try window.load(at: at, count: Int(min(end - at, 128 << 10)))
            let compressed = loaded.buffer
            let before = output.count
            let taken: Int
            do {
                taken = try inflater.inflate(
                    compressed.bytes.extracting(loaded.range), room: Int(header.size) - before, into: output)
            } catch { throw .inflating(error) }
            at += UInt64(taken)
            guard taken > 0 || output.count > before || inflater.isFinished else {
                throw .inflating(output.count == Int(header.size) ? .longerThanClaimed : .damaged)
            }
        }
        guard output.count == Int(header.size) else { throw .inflating(.shorterThanClaimed) }
        guard at == end else {
            throw .damagedPack("\(end - at) bytes after it belong to no object in the index")
        }
    }

    /// Compressed bytes of an entry from `offset`; valid until the next call.
    func data(at offset: UInt64, count: Int) throws(GitReadError) -> LoadedBytes {
        try window.load(at: offset, count: count)
    }
}
