import SystemPackage

/// A packfile of version 2 and its index, opened for reading.
final class Pack: Sendable {
    let path: FilePath
    let file: InputFile
    /// The file's content, where it can be mapped.
    let mapping: MappedFile?
    let index: PackIndex
    let format: ObjectFormat
    /// Where the entries end and the trailing checksum starts.
    let end: UInt64

    var idLength: Int { format.idLength }

    /// Opens `path` (`….pack`) and its index.
    ///
    /// - Parameter maps: whether the file is mapped; else it is read.
    init(_ path: FilePath, format: ObjectFormat, maps: Bool = true) throws(GitReadError) {
        self.path = path
        self.format = format
        let size: UInt64
        do {
            file = try InputFile(path, followingSymlinks: true)
            size = try file.state().size
        } catch { throw .system(error) }
        mapping = maps ? MappedFile(file, length: size) : nil
        index = try PackIndex.of(path, idLength: format.idLength)
        guard size >= UInt64(12 + format.idLength) else { throw .damagedPack("it is cut short") }
        end = size - UInt64(format.idLength)
        let header = ByteBuffer(capacity: 12)
        let trailer = ByteBuffer(capacity: format.idLength)
        do {
            try file.read(at: 0, count: 12, into: header)
            try file.read(at: end, count: format.idLength, into: trailer)
        } catch { throw .system(error) }
        guard header.count == 12, trailer.count == format.idLength else {
            throw .damagedPack("it is cut short")
        }
        let words = Array(copying: header.bytes)
        guard words.starts(with: Array("PACK".utf8)) else { throw .damagedPack("it is not a packfile") }
        let version = words[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        guard version == 2 || version == 3 else { throw .damagedPack("its version \(version) is unknown") }
        let count = words[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
        guard index.isWhole || count == index.count else {
            throw .damagedPack(
                "it has no index of its own, and the multi-pack-index names \(index.count) of its \(count) objects; "
                    + "git index-pack makes one")
        }
        guard index.count <= Self.mostEntries(inBytes: size) else {
            throw .damagedPack("its index names \(index.count) objects, more than fit into it")
        }
        guard count == index.count else {
            throw .damagedPack("it says it holds \(count) objects, and its index names \(index.count)")
        }
        guard Array(copying: trailer.bytes) == index.packChecksum else {
            throw .damagedPack("its index belongs to another pack")
        }
    }

    /// An entry has a header of a byte at least, and a zlib stream of eight (RFC 1950). What an index says beyond that
    /// would cost memory for nothing.
    static func mostEntries(inBytes size: UInt64) -> Int { Int(clamping: size / 9) }

    static func indexPath(of pack: FilePath) -> FilePath {
        var path = pack
        path.extension = "idx"
        return path
    }

    /// The unit that this pack is: what it holds is named by its own checksum, and which of that is seen by
    /// the index.
    var unit: ScanUnit {
        Self.unit(checksum: index.packChecksum, size: end, indexChecksum: index.ownChecksum)
    }

    private static func unit(checksum: [UInt8], size: UInt64, indexChecksum: [UInt8]) -> ScanUnit {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: size >> UInt64(8 * $0)) }
        return ScanUnit(kind: .pack, identity: checksum + length + indexChecksum)
    }

    /// The unit that the pack at `path` is, read from the ends of its two files; it throws if they do not fit
    /// together.
    static func unit(at path: FilePath, idLength: Int) throws(GitReadError) -> (unit: ScanUnit, size: UInt64) {
        let (checksum, size) = try checksum(of: path, idLength: idLength)
        let trailer = ByteBuffer(capacity: 2 * idLength)
        do {
            let index = try InputFile(indexPath(of: path), followingSymlinks: true)
            let indexSize = try index.state().size
            if indexSize >= UInt64(1024 + 2 * idLength) {
                try index.read(at: indexSize - UInt64(2 * idLength), count: 2 * idLength, into: trailer)
            }
        } catch {
            guard error == .noSuchFileOrDirectory else { throw .system(error) }
            let own = try MultiPackIndex.naming(path, idLength: idLength).0.checksum
            return (unit(checksum: checksum, size: size - UInt64(idLength), indexChecksum: own), size)
        }
        guard trailer.count == 2 * idLength else { throw .damagedPack("its index is cut short") }
        let sums = Array(copying: trailer.bytes)
        guard checksum == Array(sums[..<idLength]) else { throw .damagedPack("its index belongs to another pack") }
        let own = Array(sums[idLength...])
        return (unit(checksum: checksum, size: size - UInt64(idLength), indexChecksum: own), size)
    }

    /// The checksum at the end of a pack, and its size.
    static func checksum(
        of path: FilePath, idLength: Int
    ) throws(GitReadError) -> (bytes: [UInt8], size: UInt64) {
        let trailer = ByteBuffer(capacity: idLength)
        let size: UInt64
        do {
            let pack = try InputFile(path, followingSymlinks: true)
            size = try pack.state().size
            if size >= UInt64(12 + idLength) {
                try pack.read(at: size - UInt64(idLength), count: idLength, into: trailer)
            }
        } catch { throw .system(error) }
        guard trailer.count == idLength else { throw .damagedPack("it is cut short") }
        return (Array(copying: trailer.bytes), size)
    }
}
