/// Text that was decoded, and where it comes from. It may be a secret, so its memory is zeroed before it is freed.
final class DecodedText {
    let buffer: ByteBuffer
    /// Where what each byte is written as ends, from the start of what was decoded.
    private(set) var ends: [Int] = []
    /// Where what each byte is written as begins.
    private(set) var starts: [Int] = []
    private let limit: Int

    /// - Parameter limit: the maximum length in bytes.
    init(limit: Int) {
        self.limit = limit
        buffer = ByteBuffer(capacity: limit)
    }

    var count: Int { buffer.count }

    var isFull: Bool { buffer.count >= limit }

    /// Whether each byte is written as itself, without gaps.
    var isVerbatim: Bool { ends.isEmpty || ends[ends.count - 1] - starts[0] == ends.count }

    func append(_ byte: UInt8, from start: Int, to end: Int) {
        buffer.append(byte)
        starts.append(start)
        ends.append(end)
    }

    /// This text, decoded from `outer`, with the places in what `outer` was decoded from.
    func within(_ outer: DecodedText) -> DecodedText {
        for index in ends.indices {
            starts[index] = outer.starts[min(starts[index], outer.starts.count - 1)]
            ends[index] = outer.ends[ends[index] - 1]
        }
        return self
    }
}
