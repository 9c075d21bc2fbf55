import SystemPackage

/// One thread's view of a pack: the last stretch that was read, and reading ahead where it goes forward.
///
/// git writes a pack so that a delta mostly lies close behind its base, so most entries are already there.
final class PackWindow {
    private let file: InputFile
    private let size: UInt64
    /// What was loaded last; see ``load(at:count:)``.
    let buffer = ByteBuffer(capacity: 256 << 10)
    private var start: UInt64 = 0

    private static let ahead = 256 << 10
    private static let apart = 8 << 10

    /// - Parameter size: where the pack's entries end; nothing at or past it is handed out.
    init(_ file: InputFile, size: UInt64) {
        self.file = file
        self.size = size
    }

    /// Makes sure that `count` bytes from `offset` on are there, or all up to the end of the entries.
    ///
    /// - Returns: where in ``buffer`` they are.
    func load(at offset: UInt64, count: Int) throws(GitReadError) -> Range<Int> {
        guard offset < size else { throw .damagedObject("it lies past the end of its pack") }
        let wanted = Int(min(UInt64(count), size - offset))
        let end = start + UInt64(buffer.count)
        if offset < start || offset + UInt64(wanted) > end {
            // Close ahead of what was read last: going forward.
            let isForward = offset >= start && offset < end + UInt64(Self.ahead)
            let length = Int(min(UInt64(max(wanted, isForward ? Self.ahead : Self.apart)), size - offset))
            buffer.reset(capacity: length)
            start = offset
            do { try file.read(at: offset, count: length, into: buffer) } catch { throw .system(error) }
            guard buffer.count >= wanted else { throw .damagedPack("it became shorter while it was read") }
        }
        let lower = Int(offset - start)
        return lower..<(lower + wanted)
    }
}
