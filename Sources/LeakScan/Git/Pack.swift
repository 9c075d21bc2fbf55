import SystemPackage

/// A packfile of version 2 and its index, opened for reading.
final class Pack: Sendable {
    let path: FilePath
    let file: InputFile
    /// The file's content, where it can be mapped.
    let mapping: MappedFile?
    let index: PackIndex
    let format: RepositoryLayout.ObjectFormat
    /// Where the entries end and the trailing checksum starts.
    let end: UInt64

    var idLength: Int { format.idLength }

    /// Opens `path` (`….pack`) and the index beside it.
    ///
    /// - Parameter maps: whether the file is mapped; else it is read.
    init(_ path: FilePath, format: RepositoryLayout.ObjectFormat, maps: Bool = true) throws(GitReadError) {
        self.path = path
        self.format = format
        let size: UInt64
        do {
            file = try InputFile(path, followingSymlinks: true)
            size = try file.state().size
        } catch { throw .system(error) }
        mapping = maps ? MappedFile(file, length: size) : nil
        index = try PackIndex(Pack.indexPath(of: path), idLength: format.idLength)
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
        guard count == index.count else {
            throw .damagedPack("it says it holds \(count) objects, and its index names \(index.count)")
        }
        guard Array(copying: trailer.bytes) == index.packChecksum else {
            throw .damagedPack("its index belongs to another pack")
        }
    }

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

    /// The unit that the pack at `path` is, read from the ends of its two files; nil if they do not fit
    /// together.
    static func unit(at path: FilePath, idLength: Int) throws(GitReadError) -> (unit: ScanUnit, size: UInt64) {
        do {
            let pack = try InputFile(path, followingSymlinks: true)
            let index = try InputFile(indexPath(of: path), followingSymlinks: true)
            let packSize = try pack.state().size
            let indexSize = try index.state().size
            let trailer = ByteBuffer(capacity: 2 * idLength)
            guard packSize >= UInt64(12 + idLength), indexSize >= UInt64(1024 + 2 * idLength) else {
                throw GitReadError.damagedPack("it or its index is cut short")
            }
            try index.read(at: indexSize - UInt64(2 * idLength), count: 2 * idLength, into: trailer)
            guard trailer.count == 2 * idLength else {
                throw GitReadError.damagedPack("its index is cut short")
            }
            let sums = Array(copying: trailer.bytes)
            let own = ByteBuffer(capacity: idLength)
            try pack.read(at: packSize - UInt64(idLength), count: idLength, into: own)
            let checksum = Array(copying: own.bytes)
            guard checksum == Array(sums[..<idLength]) else {
                throw GitReadError.damagedPack("its index belongs to another pack")
            }
            let unit = unit(
                checksum: checksum, size: packSize - UInt64(idLength), indexChecksum: Array(sums[idLength...])
            )
            return (unit, packSize)
        } catch let error as Errno {
            throw .system(error)
        } catch let error as GitReadError {
            throw error
        } catch {
            throw .damagedPack("it cannot be read")
        }
    }
}
