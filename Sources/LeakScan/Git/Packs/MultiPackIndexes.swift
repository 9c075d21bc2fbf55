import Synchronization
import SystemPackage

/// The multi-pack-indexes of one directory of packs: `multi-pack-index`, and the layers of an incremental chain. They are
/// asked for each pack without an index of its own.
final class MultiPackIndexes: Sendable {
    private let folder: FilePath
    private let states: [InputFile.State]
    private let indexes: [MultiPackIndex]
    /// The index that names a pack, and the number of the pack in it, by the stem of the pack's name.
    private let places: [[UInt8]: (index: Int, number: Int)]
    /// What kept one from being read.
    private let failure: GitReadError?
    /// How many rows may still be read: each pack is looked for in all rows of its index.
    private let rowsLeft = Mutex(1 << 30)

    /// git merges layers by halves, so it never makes as many.
    private static let mostLayers = 256
    /// All indexes of a directory have no more names, in bytes.
    private static let longestNames = 4 << 20

    /// The last directory that was asked for: packs are read directory by directory.
    private static let last = Mutex<MultiPackIndexes?>(nil)

    /// The index of a pack, taken from the multi-pack-index that lists it.
    static func index(of pack: FilePath, idLength: Int) throws(GitReadError) -> PackIndex {
        let indexes = Self.of(pack.removingLastComponent(), idLength: idLength)
        let (index, number) = try indexes.place(of: pack)
        let (checksum, size) = try Pack.checksum(of: pack, idLength: idLength)
        let isWithin = indexes.rowsLeft.withLock { left in
            left -= index.objectCount
            return left >= 0
        }
        guard isWithin else {
            throw .tooLarge("it has no index, and too many packs beside it have none; git index-pack creates one")
        }
        return try index.index(ofPack: number, trailer: checksum, most: Pack.mostEntries(inBytes: size))
    }

    /// The checksum of the multi-pack-index that lists a pack.
    static func checksum(ofIndexOf pack: FilePath, idLength: Int) throws(GitReadError) -> [UInt8] {
        try Self.of(pack.removingLastComponent(), idLength: idLength).place(of: pack).0.checksum
    }

    private static func of(_ folder: FilePath, idLength: Int) -> MultiPackIndexes {
        let states = states(in: folder)
        if let known = last.withLock(\.self), known.folder == folder, known.states == states { return known }
        let indexes = MultiPackIndexes(folder, states, idLength: idLength)
        last.withLock { $0 = indexes }
        return indexes
    }

    private static func states(in folder: FilePath) -> [InputFile.State] {
        [folder.appending("multi-pack-index"), chain(in: folder)].compactMap {
            try? InputFile.state(of: $0, followingSymlinks: true)
        }
    }

    private init(_ folder: FilePath, _ states: [InputFile.State], idLength: Int) {
        self.folder = folder
        self.states = states
        var indexes: [MultiPackIndex] = []
        var places: [[UInt8]: (index: Int, number: Int)] = [:]
        var failure: GitReadError?
        var room = Self.longestNames
        for path in [folder.appending("multi-pack-index")] + Self.layers(in: folder, idLength: idLength) {
            do throws(GitReadError) {
                let index = try MultiPackIndex(path, idLength: idLength)
                room -= index.packNames.count
                guard room >= 0 else { throw .tooLarge("its directory has multi-pack-indexes of too many packs") }
                MultiPackIndex.forEachName(index.packNames) { number, range in
                    let name = index.packNames[range]
                    guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return }
                    let stem = Array(name[..<dot])
                    if places[stem] == nil { places[stem] = (indexes.count, number) }
                }
                indexes.append(index)
            } catch {
                if error.kind != .vanished { failure = error }
                if error.kind == .tooLarge { break }
            }
        }
        self.indexes = indexes
        self.places = places
        self.failure = failure
    }

    private func place(of pack: FilePath) throws(GitReadError) -> (MultiPackIndex, number: Int) {
        guard let place = places[Array((pack.stem ?? "").utf8)] else {
            throw failure ?? .damagedPack("it has no index, so it cannot be read; git index-pack creates one")
        }
        return (indexes[place.index], place.number)
    }

    private static func chain(in folder: FilePath) -> FilePath {
        folder.appending("multi-pack-index.d").appending("multi-pack-index-chain")
    }

    private static func layers(in folder: FilePath, idLength: Int) -> [FilePath] {
        guard let chain = try? InputFile.contents(of: chain(in: folder), limit: 1 << 20) else { return [] }
        return chain.split(separator: UInt8(ascii: "\n")).prefix(Self.mostLayers).compactMap { line in
            // Only the digits of a checksum, so that the path stays in the directory.
            guard line.count == 2 * idLength, let id = ObjectID(hex: Array(line)) else { return nil }
            return folder.appending("multi-pack-index.d").appending("multi-pack-index-\(id.hex).midx")
        }
    }
}
