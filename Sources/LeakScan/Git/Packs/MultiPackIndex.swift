import SystemPackage

/// An index over several packs (gitformat-pack(5), "multi-pack-index (MIDX) files"), versions 1 and 2, which differ
/// only in the order of the pack names.
///
/// Used only for packs without an index of their own. git can use such a pack only after `git index-pack`, but its
/// content has leaked nevertheless. A multi-pack-index lists each object once, in one of the packs that contain it, so
/// it may list only a part of a pack that shares objects with another. Such a pack is reported as not searched
/// (``Pack``), because the missing objects cannot be distinguished from damage.
struct MultiPackIndex: Sendable {
    /// The packs' names, each with a NUL behind it: those of their indexes.
    let packNames: [UInt8]
    /// How many packs it names.
    let packCount: Int
    /// How many objects it lists.
    var objectCount: Int { count }
    /// Where ``checksum`` starts.
    private let end: UInt64
    /// Of all before it; the last bytes of the file.
    let checksum: [UInt8]
    private let bytes: IndexBytes
    private let idLength: Int
    private let count: Int
    private let names: Range<UInt64>
    private let places: Range<UInt64>
    private let largeOffsets: Range<UInt64>

    /// A thousand packs have 60 kB of names.
    private static let longestNames: UInt64 = 2 << 20
    /// A longer list of objects is not read: 10 times what the largest repositories have.
    private static let mostObjects = 1 << 28
    /// The maximum memory for the index of one pack, in bytes.
    private static let mostInMemory = 16 << 20
    /// The number of rows to read at a time.
    private static let step = 32768

    init(_ path: FilePath, idLength: Int) throws(GitReadError) {
        let size: UInt64
        do {
            let file = try InputFile(path, followingSymlinks: true)
            let state = try file.state()
            guard state.isRegular else { throw GitReadError.damagedPack("the multi-pack-index is not a file") }
            size = state.size
            bytes = .file(file)
        } catch { throw error as? GitReadError ?? .system(error as? Errno ?? .ioError) }
        self.idLength = idLength
        guard size >= UInt64(12 + 12 + idLength) else { throw Self.damaged("is cut short") }
        let header = try bytes.read(at: 0, count: 12)
        let head = header.bytes
        guard IndexBytes.word(head, 0) == 0x4d49_4458, head[4] == 1 || head[4] == 2 else {
            throw Self.damaged("has an unknown version")
        }
        guard head[5] == (idLength == 20 ? 1 : 2) else { throw Self.damaged("is for another object format") }
        let chunks = try Self.chunks(bytes, count: Int(head[6]), end: size - UInt64(idLength))
        guard let fanout = chunks["OIDF"], fanout.count == 1024, let names = chunks["OIDL"],
            let places = chunks["OOFF"], let packNames = chunks["PNAM"], packNames.count <= Self.longestNames
        else { throw Self.damaged("lacks a chunk") }
        let total = try bytes.read(at: fanout.lowerBound + 1020, count: 4)
        count = Int(IndexBytes.word(total.bytes, 0))
        guard count <= Self.mostObjects else { throw Self.damaged("lists too many objects") }
        guard names.count == count * idLength, places.count == count * 8 else {
            throw Self.damaged("has a chunk of a wrong size")
        }
        self.names = names
        self.places = places
        largeOffsets = chunks["LOFF"] ?? 0..<0
        let list = try bytes.read(at: packNames.lowerBound, count: packNames.count)
        self.packNames = Array(copying: list.bytes)
        var named = 0
        Self.forEachName(self.packNames) { _, _ in named += 1 }
        packCount = named
        guard named == Int(IndexBytes.word(head, 8)) else { throw Self.damaged("names another number of packs") }
        end = size - UInt64(idLength)
        let trailer = try bytes.read(at: end, count: idLength)
        checksum = Array(copying: trailer.bytes)
    }

    /// The chunk lookup table (gitformat-chunk(5)): the start of each chunk, which is the end of the previous one.
    private static func chunks(
        _ bytes: IndexBytes, count: Int, end: UInt64
    ) throws(GitReadError) -> [String: Range<UInt64>] {
        let table = try bytes.read(at: 12, count: (count + 1) * 12)
        let rows = table.bytes
        var chunks: [String: Range<UInt64>] = [:]
        for row in 0..<count {
            let name = (0..<4).map { Character(Unicode.Scalar(rows[row * 12 + $0])) }
            let start = IndexBytes.long(rows, row * 12 + 4)
            let next = IndexBytes.long(rows, row * 12 + 16)
            guard start <= next, next <= end else { throw damaged("has chunks that overlap or exceed the file") }
            chunks[String(name)] = start..<next
        }
        return chunks
    }

    private static func damaged(_ what: String) -> GitReadError {
        .damagedPack("it has no index of its own, and the multi-pack-index \(what)")
    }

    /// Calls `body` with the number and the place of each name. The padding is zeros, too: what is empty is no name.
    static func forEachName(_ bytes: [UInt8], _ body: (Int, Range<Int>) -> Void) {
        var number = 0
        var start = 0
        for end in 0...bytes.count where end == bytes.count || bytes[end] == 0 {
            if end > start {
                body(number, start..<end)
                number += 1
            }
            start = end + 1
        }
    }

    /// The part of this index for one pack, as a pack index of version 2: 28 bytes for each object, in an unnamed file
    /// if there are many.
    ///
    /// - Parameters:
    ///   - trailer: the checksum of the pack, which is not in this file.
    ///   - most: the maximum number of objects that the pack can contain.
    func index(ofPack number: Int, trailer: [UInt8], most: Int) throws(GitReadError) -> PackIndex {
        let space = ScratchSpace(memory: Self.mostInMemory)
        var positions = LongArray<UInt32>(in: space)
        var offsets = LongArray<UInt64>(in: space)
        var isBroken = false
        try forEachRow(of: places, size: 8) { position, row, at in
            guard IndexBytes.word(row, at) == UInt32(number), positions.count <= most else { return }
            positions.append(UInt32(position))
            offsets.append(UInt64(IndexBytes.word(row, at + 4)))
        }
        guard positions.count <= most else { throw Self.damaged("lists more objects than fit into it") }
        // If there are large offsets, the highest bit indicates one.
        if !largeOffsets.isEmpty {
            for index in offsets.indices where offsets[index] & 0x8000_0000 != 0 {
                let place = largeOffsets.lowerBound + (offsets[index] & 0x7fff_ffff) * 8
                guard place + 8 <= largeOffsets.upperBound else {
                    isBroken = true
                    break
                }
                let row = try bytes.read(at: place, count: 8)
                offsets[index] = IndexBytes.long(row.bytes, 0)
            }
        }
        guard !isBroken else { throw Self.damaged("points past its table of large offsets") }
        var writer = PackIndexWriter(count: positions.count, in: space)
        var next = 0
        try forEachRow(of: names, size: idLength) { position, row, at in
            guard next < positions.count, Int(positions[next]) == position else { return }
            writer.add(row.extracting(at..<at + idLength), offset: offsets[next])
            next += 1
        }
        let written = writer.finish(packChecksum: trailer, ownChecksum: checksum)
        return try PackIndex(.memory(written), size: written.count, idLength: idLength, from: (bytes, end))
    }

    private func forEachRow(
        of part: Range<UInt64>, size: Int, _ body: (Int, Span<UInt8>, Int) -> Void
    ) throws(GitReadError) {
        var done = 0
        while done < count {
            let now = min(Self.step, count - done)
            let buffer = try bytes.read(at: part.lowerBound + UInt64(done * size), count: now * size)
            let rows = buffer.bytes
            for row in 0..<now { body(done + row, rows, row * size) }
            done += now
        }
    }
}
