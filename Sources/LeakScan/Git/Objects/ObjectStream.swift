/// Inflates the content of an object that is too long for memory, piece by piece.
struct ObjectStream {
    /// The number of compressed bytes to request at a time.
    static let chunk = 128 << 10

    let inflater: StreamInflater
    /// The length of the content according to the header, in bytes.
    let size: UInt64
    /// The maximum length to inflate, in bytes.
    let limit: UInt64
    let control: ScanControl
    /// Gets the content, if its name is to be checked.
    var hash: ContentHash?

    /// - Parameters:
    ///   - sink: receives the content; it is finished when this returns.
    ///   - data: returns the compressed bytes from `at`, at most ``chunk``; `at` is the number of bytes consumed so
    ///     far.
    /// - Returns: the length of the content in bytes.
    /// - Throws: if there are more bytes than `size` or `limit`, or fewer than `size` and the scan was not cancelled.
    func inflate(
        into sink: inout some PieceSink, from data: (_ at: UInt64) throws(GitReadError) -> LoadedBytes
    ) throws(GitReadError) -> UInt64 {
        var at: UInt64 = 0
        var produced: UInt64 = 0
        while !inflater.isFinished && !control.isCancelled {
            let loaded = try data(at)
            let compressed = loaded.buffer
            let before = sink.buffer.count
            let taken: Int
            do {
                taken = try inflater.inflate(
                    compressed.bytes.extracting(loaded.range), room: sink.makeRoom(), into: sink.buffer)
            } catch { throw .inflating(error) }
            at += UInt64(taken)
            let gained = sink.buffer.count - before
            if let hash, gained > 0 {
                let buffer = sink.buffer
                hash.add(buffer.bytes.extracting(last: gained))
            }
            guard taken > 0 || gained > 0 || inflater.isFinished else {
                throw .damagedObject("its compressed data is cut short")
            }
            produced += UInt64(gained)
            guard produced <= size else { throw .inflating(.longerThanClaimed) }
            guard produced <= limit else { throw .tooLarge("only its start was searched") }
            sink.takeFullBuffer()
        }
        sink.finish()
        guard produced == size || control.isCancelled else { throw .inflating(.shorterThanClaimed) }
        return produced
    }
}
