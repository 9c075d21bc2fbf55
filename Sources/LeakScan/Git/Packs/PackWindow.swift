import SystemPackage

/// One thread's view of a pack: the range that was copied last from its mapping or, if it cannot be mapped, the blocks
/// that were read last.
///
/// A walk through the delta forest moves back and forth within a few megabytes, because git writes deltas close to
/// their bases. With many small blocks the total that is read stays close to the size of the pack; with one large
/// moving window it was twenty times that.
final class PackWindow {
    private struct Slot {
        var block: UInt64?
        let buffer: ByteBuffer
    }

    private static let blockSize: UInt64 = 16 << 10
    /// A block is read together with the start of the next, so that an entry across the boundary is contiguous.
    private static let overlap = 4 << 10
    private let file: InputFile
    private let mapping: MappedFile.Reader?
    private let end: UInt64
    private var slots: [Slot?]
    /// The last range that is too long for a block or comes from a mapping.
    private let long = ByteBuffer()
    private var longStart: UInt64 = 0

    /// - Parameter blocks: the number of blocks to keep, if the file is not mapped.
    init(_ pack: Pack, blocks: Int = 256) {
        file = pack.file
        mapping = pack.mapping?.reader()
        end = pack.end
        slots = .init(repeating: nil, count: mapping == nil ? blocks : 0)
    }

    /// The `count` bytes from `offset`, or fewer at the end of the entries.
    func load(at offset: UInt64, count: Int) throws(GitReadError) -> LoadedBytes {
        guard offset < end else { throw .damagedObject("it lies past the end of its pack") }
        let wanted = Int(min(UInt64(count), end - offset))
        if offset >= longStart, offset + UInt64(wanted) <= longStart + UInt64(long.count) {
            let start = Int(offset - longStart)
            return LoadedBytes(buffer: long, range: start..<(start + wanted))
        }
        if let mapping {
            long.reset(capacity: wanted)
            do { try mapping.read(at: offset, count: wanted, into: long) } catch { throw lost(error) }
            longStart = offset
            return LoadedBytes(buffer: long, range: 0..<wanted)
        }
        let block = offset / Self.blockSize
        let start = Int(offset % Self.blockSize)
        guard start + wanted <= Int(Self.blockSize) + Self.overlap else {
            try read(at: offset, count: wanted, atLeast: wanted, into: long)
            longStart = offset
            return LoadedBytes(buffer: long, range: 0..<wanted)
        }
        let place = Int(block % UInt64(slots.count))
        let buffer = slots[place]?.buffer ?? ByteBuffer(capacity: Int(Self.blockSize) + Self.overlap)
        if slots[place]?.block != block {
            slots[place] = Slot(block: nil, buffer: buffer)
            let there = Int(min(Self.blockSize + UInt64(Self.overlap), end - block * Self.blockSize))
            try read(at: block * Self.blockSize, count: there, atLeast: start + wanted, into: buffer)
            slots[place] = Slot(block: block, buffer: buffer)
        }
        guard buffer.count >= start + wanted else { throw Self.shrunk }
        return LoadedBytes(buffer: buffer, range: start..<(start + wanted))
    }

    private static let shrunk = GitReadError.damagedPack("it was truncated while it was read")

    /// The reason for an unreadable page of the mapping.
    private func lost(_ error: Errno) -> GitReadError {
        guard let mapping, let size = try? file.state().size, size < mapping.length else { return .system(error) }
        return Self.shrunk
    }

    private func read(at offset: UInt64, count: Int, atLeast: Int, into buffer: ByteBuffer)
        throws(GitReadError)
    {
        buffer.reset(capacity: count)
        do { try file.read(at: offset, count: count, into: buffer) } catch { throw .system(error) }
        guard buffer.count >= atLeast else { throw Self.shrunk }
    }
}
