import SystemPackage

/// A packfile of version 2 or 3 and its index, opened for reading.
final class Pack: Sendable {
    let path: FilePath
    let file: InputFile
    /// The mapped file, if it can be mapped.
    let mapping: MappedFile?
    let index: PackIndex
    let format: ObjectFormat
    /// The end of the entries, where the trailing checksum starts.
    let end: UInt64

    var idLength: Int { format.idLength }

    /// Opens `path` (`….pack`) and its index.
    ///
    /// - Parameter maps: whether to map the file; otherwise it is read.
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
                "it has no index of its own, and the multi-pack-index lists \(index.count) of its \(count) objects; "
                    + "git index-pack creates one")
        }
        guard index.count <= Self.mostEntries(inBytes: size) else {
            throw .damagedPack("its index lists \(index.count) objects, more than fit into it")
        }
        guard count == index.count else {
            throw .damagedPack("its header says \(count) objects, and its index lists \(index.count)")
        }
        guard Array(copying: trailer.bytes) == index.packChecksum else {
            throw .damagedPack("its index belongs to another pack")
        }
    }

    /// The maximum number of entries in a pack of a size: an entry has a header of at least one byte and a zlib stream
    /// of at least eight (RFC 1950). An index with more would waste memory.
    static func mostEntries(inBytes size: UInt64) -> Int { Int(clamping: size / 9) }

    static func indexPath(of pack: FilePath) -> FilePath {
        var path = pack
        path.extension = "idx"
        return path
    }

    /// The scan unit of this pack. The checksum of the pack identifies its content, and that of the index the objects
    /// that are found in it.
    var unit: ScanUnit {
        Self.unit(checksum: index.packChecksum, size: end, indexChecksum: index.ownChecksum)
    }

    private static func unit(checksum: [UInt8], size: UInt64, indexChecksum: [UInt8]) -> ScanUnit {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: size >> UInt64(8 * $0)) }
        return ScanUnit(kind: .pack, identity: checksum + length + indexChecksum)
    }

    /// The scan unit of the pack at `path`, read from the ends of its two files; throws if they do not match.
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
            let own = try MultiPackIndexes.checksum(ofIndexOf: path, idLength: idLength)
            return (unit(checksum: checksum, size: size - UInt64(idLength), indexChecksum: own), size)
        }
        guard trailer.count == 2 * idLength else { throw .damagedPack("its index is cut short") }
        let sums = Array(copying: trailer.bytes)
        guard checksum == Array(sums[..<idLength]) else { throw .damagedPack("its index belongs to another pack") }
        let own = Array(sums[idLength...])
        return (unit(checksum: checksum, size: size - UInt64(idLength), indexChecksum: own), size)
    }

    /// The checksum at the end of a pack, and the size of the pack in bytes.
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
