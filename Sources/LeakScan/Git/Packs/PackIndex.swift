import SystemPackage

/// A pack index (gitformat-pack(5), "Original (version 1)" and "Version 2"): the offset of each object.
///
/// Only the fan-out table is in memory; names and offsets are read when needed.
final class PackIndex: Sendable {
    let count: Int
    /// The checksum of the pack to which this index belongs, and that of the index.
    let packChecksum: [UInt8]
    let ownChecksum: [UInt8]
    let idLength: Int
    /// Whether it is the pack's own index, which lists all objects; one from a multi-pack-index may list a part of
    /// them.
    let isWhole: Bool
    /// What ``ownChecksum`` was made of, up to its end: this index, or the multi-pack-index that it was taken from.
    let checked: (bytes: IndexBytes, end: UInt64)
    private let file: IndexBytes
    private let size: Int
    private let isVersion1: Bool
    private let fanout: [UInt32]
    private let largeOffsetCount: Int

    /// The index of a pack (`….pack`): the one next to it, or else that from a multi-pack-index.
    static func of(_ pack: FilePath, idLength: Int) throws(GitReadError) -> PackIndex {
        do {
            return try PackIndex(Pack.indexPath(of: pack), idLength: idLength)
        } catch  where error.kind == .vanished {
            return try MultiPackIndexes.index(of: pack, idLength: idLength)
        }
    }

    convenience init(_ path: FilePath, idLength: Int) throws(GitReadError) {
        let file: InputFile
        let state: InputFile.State
        do {
            file = try InputFile(path, followingSymlinks: true)
            state = try file.state()
        } catch { throw .system(error) }
        guard state.isRegular else { throw .damagedPack("its index is not a file") }
        try self.init(.file(file), size: Int(clamping: state.size), idLength: idLength)
    }

    /// - Parameter source: the multi-pack-index that this one was taken from, and where its checksum starts; nil for an
    ///   index of its own.
    init(
        _ file: IndexBytes, size: Int, idLength: Int, from source: (bytes: IndexBytes, end: UInt64)? = nil
    ) throws(GitReadError) {
        self.file = file
        isWhole = source == nil
        checked = source ?? (file, UInt64(max(0, size - idLength)))
        self.size = size
        self.idLength = idLength
        let trailer = 2 * idLength
        guard size >= 1024 + trailer else { throw .damagedPack("its index is cut short") }
        let head = try file.read(at: 0, count: 8 + 1024)
        let version1 = IndexBytes.word(head.bytes, 0) != 0xff74_4f63
        isVersion1 = version1
        if !version1 {
            let version = IndexBytes.word(head.bytes, 4)
            guard version == 2 else {
                throw .damagedPack("its index has version \(version), which is unknown")
            }
        }
        let start = version1 ? 0 : 8
        guard size >= start + 1024 + trailer else { throw .damagedPack("its index is cut short") }
        var fanout: [UInt32] = []
        for index in 0..<256 {
            let next = IndexBytes.word(head.bytes, start + 4 * index)
            guard next >= fanout.last ?? 0 else { throw .damagedPack("its index is not in order") }
            fanout.append(next)
        }
        self.fanout = fanout
        count = Int(fanout[255])
        let rowSize = version1 ? idLength + 4 : idLength + 8
        let large = size - start - 1024 - trailer - count * rowSize
        guard large >= 0, large % 8 == 0, !version1 || large == 0, large / 8 <= count else {
            throw .damagedPack("its index has a wrong size")
        }
        largeOffsetCount = large / 8
        let end = try file.read(at: UInt64(size - trailer), count: trailer)
        packChecksum = Array(copying: end.bytes.extracting(first: idLength))
        ownChecksum = Array(copying: end.bytes.extracting(last: idLength))
    }

    /// The offset of each object in the pack, in the order of object ids.
    func offsets(in space: ScratchSpace) throws(GitReadError) -> LongArray<UInt64> {
        var found = LongArray<UInt64>(in: space, capacity: count)
        found.beAlone()
        if isVersion1 {
            try forEachChunk(at: 1024, rows: count, rowSize: idLength + 4) { row, at in
                found.appendAlone(UInt64(IndexBytes.word(row, at)))
            }
            return found
        }
        var large = LongArray<UInt64>(in: space, capacity: largeOffsetCount)
        let tables = 8 + 1024 + count * (idLength + 4)
        try forEachChunk(at: tables + 4 * count, rows: largeOffsetCount, rowSize: 8) { row, at in
            large.append(IndexBytes.long(row, at))
        }
        var isBroken = false
        try forEachChunk(at: tables, rows: count, rowSize: 4) { row, at in
            let word = IndexBytes.word(row, at)
            if word & 0x8000_0000 == 0 {
                found.appendAlone(UInt64(word))
            } else if Int(word & 0x7fff_ffff) < large.count {
                found.appendAlone(large[Int(word & 0x7fff_ffff)])
            } else {
                isBroken = true
            }
        }
        if isBroken { throw .damagedPack("its index refers past its table of large offsets") }
        return found
    }

    /// The offset in the pack of the object at `position` in the order of ids.
    func offset(at position: Int) throws(GitReadError) -> UInt64 {
        precondition((0..<count).contains(position), "no such object")
        if isVersion1 {
            let row = try file.read(at: UInt64(1024 + position * (idLength + 4)), count: 4)
            return UInt64(IndexBytes.word(row.bytes, 0))
        }
        let tables = 8 + 1024 + count * (idLength + 4)
        let row = try file.read(at: UInt64(tables + 4 * position), count: 4)
        let word = IndexBytes.word(row.bytes, 0)
        guard word & 0x8000_0000 != 0 else { return UInt64(word) }
        let place = Int(word & 0x7fff_ffff)
        guard place < largeOffsetCount else {
            throw .damagedPack("its index refers past its table of large offsets")
        }
        let large = try file.read(at: UInt64(tables + 4 * count + 8 * place), count: 8)
        return IndexBytes.long(large.bytes, 0)
    }

    /// The id of the object at `position` in the order of ids.
    func name(at position: Int) throws(GitReadError) -> ObjectID {
        precondition((0..<count).contains(position), "no such object")
        let buffer = try file.read(at: nameStart(position), count: idLength)
        return ObjectID(buffer.bytes, at: 0, length: idLength)
    }

    /// The mapped index, if it can be mapped.
    func mapped() -> MappedFile? {
        if case .file(let file) = file { MappedFile(file, length: UInt64(size)) } else { nil }
    }

    /// The same in the result of ``mapped()``; nil if it can no longer be read.
    func name(at position: Int, in mapping: MappedFile) -> ObjectID? {
        mapping.withBytes(at: nameStart(position), count: idLength) { ObjectID($0, at: 0, length: idLength) }
    }

    /// How far the ids of neighbours are apart in the file, in bytes.
    var nameStride: Int { isVersion1 ? idLength + 4 : idLength }

    /// The bytes of the file from one id to the end of another, as far as they can be read.
    func copyNames(_ positions: Range<Int>, from mapping: MappedFile.Reader, into buffer: ByteBuffer) {
        buffer.reset(capacity: positions.count * nameStride)
        let count = (positions.count - 1) * nameStride + idLength
        try? mapping.read(at: nameStart(positions.lowerBound), count: count, into: buffer)
    }

    private func nameStart(_ position: Int) -> UInt64 {
        UInt64(isVersion1 ? 1024 + position * (idLength + 4) + 4 : 8 + 1024 + position * idLength)
    }

    /// The positions of the ids that start with this byte.
    func positions(firstByte: Int) -> Range<Int> {
        let lower = firstByte == 0 ? 0 : Int(fanout[firstByte - 1])
        return lower..<Int(fanout[firstByte])
    }

    private func forEachChunk(
        at start: Int, rows: Int, rowSize: Int, _ body: (Span<UInt8>, Int) -> Void
    ) throws(GitReadError) {
        let step = 32768
        var done = 0
        while done < rows {
            let now = min(step, rows - done)
            let buffer = try file.read(at: UInt64(start + done * rowSize), count: now * rowSize)
            let bytes = buffer.bytes
            for row in 0..<now { body(bytes, row * rowSize) }
            done += now
        }
    }
}
