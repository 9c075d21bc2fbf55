/// The bytes of an index, in a file or in memory.
enum IndexBytes: Sendable {
    case file(InputFile)
    case memory(LongArray<UInt8>)

    /// - Throws: if there are fewer than `count` bytes at `offset`.
    func read(at offset: UInt64, count: Int) throws(GitReadError) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: count)
        try read(at: offset, count: count, into: buffer)
        return buffer
    }

    /// Reads into `buffer`, from its start.
    func read(at offset: UInt64, count: Int, into buffer: ByteBuffer) throws(GitReadError) {
        buffer.reset(capacity: count)
        switch self {
        case .file(let file):
            do { try file.read(at: offset, count: count, into: buffer) } catch { throw .system(error) }
        case .memory(let bytes):
            let end = offset.addingReportingOverflow(UInt64(count))
            guard !end.overflow, end.partialValue <= UInt64(bytes.count) else { break }
            buffer.append(bytes.span.extracting(Int(offset)..<Int(offset) + count))
        }
        guard buffer.count == count else { throw .damagedPack("its index is cut short") }
    }

    /// A big-endian number of four bytes.
    static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
            | UInt32(bytes[at + 3])
    }

    static func long(_ bytes: Span<UInt8>, _ at: Int) -> UInt64 {
        UInt64(word(bytes, at)) << 32 | UInt64(word(bytes, at + 4))
    }
}
