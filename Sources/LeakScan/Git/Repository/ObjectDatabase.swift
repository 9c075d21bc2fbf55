import SystemPackage

/// Reads single objects by name, out of all packs and object directories of a repository. For provenance: the
/// scan itself goes through packs in their own order.
final class ObjectDatabase {
    /// An object in memory.
    struct Object {
        let kind: ObjectKind
        private let buffer: ByteBuffer
        /// Where the content starts; before it lies a loose object's header.
        private let start: Int

        init(kind: ObjectKind, buffer: ByteBuffer, start: Int) {
            self.kind = kind
            self.buffer = buffer
            self.start = start
        }

        var count: Int { buffer.count - start }

        func withBytes<Result, Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Result)
            throws(Failure) -> Result
        {
            let buffer = buffer
            return try body(buffer.bytes.extracting(droppingFirst: start))
        }
    }

    private struct ReadablePack {
        let pack: Pack
        let names: PackNames
        let window: PackWindow
    }

    private struct Place: Hashable {
        let pack: Int
        let offset: UInt64
    }

    private var packs: [ReadablePack] = []
    private let objectDirectories: [FilePath]
    private let limit: Int
    private let inflater = Inflater()
    private let looseReader = LooseReader()
    private var bases: [Place: Object] = [:]
    private var basesSize = 0
    /// So much of what was read is kept for the next objects that build on it, in bytes.
    private static let basesLimit = 16 << 20

    /// - Parameters:
    ///   - limit: longer objects are not read.
    ///   - opened: packs that are open already; the names of their objects are shared.
    init(
        packs paths: [FilePath], objectDirectories: [FilePath], format: ObjectFormat,
        limit: Int, opened: [FilePath: OpenedPack] = [:]
    ) {
        self.objectDirectories = objectDirectories
        self.limit = limit
        for path in paths {
            // A pack that cannot be opened was reported when it was searched; here its objects are merely
            // missing.
            guard let open = try? opened[path] ?? OpenedPack(Pack(path, format: format)), let names = try? open.names()
            else { continue }
            packs.append(ReadablePack(pack: open.pack, names: names, window: PackWindow(open.pack, blocks: 32)))
        }
    }

    /// The object of this name, or nil if it is not here, too long, or damaged.
    func read(_ name: ObjectID) -> Object? {
        for index in packs.indices {
            guard let position = packs[index].names.position(of: name) else { continue }
            if let object = try? read(index, at: packs[index].pack.index.offset(at: position)) { return object }
        }
        for directory in objectDirectories {
            let buffer = ByteBuffer()
            let path = LooseReader.path(of: name, in: directory)
            guard let header = try? looseReader.read(path, limit: limit, into: buffer), buffer.count > 0
            else { continue }
            return Object(kind: header.kind, buffer: buffer, start: header.length)
        }
        return nil
    }

    /// The names of all objects in the packs.
    func forEachPackedName(_ body: (ObjectID) -> Void) {
        for open in packs {
            for position in 0..<open.pack.index.count { body(open.names.name(at: position)) }
        }
    }

    private func read(_ pack: Int, at first: UInt64) throws(GitReadError) -> Object {
        // Down to the root or to something known, then up again.
        var chain: [UInt64] = []
        var offset = first
        var current: Object?
        while current == nil {
            if let known = bases[Place(pack: pack, offset: offset)] {
                current = known
                break
            }
            // Reference deltas can lead in a circle; no honest chain is that long.
            guard chain.count < 20_000 else { throw .damagedObject("its chain of deltas has no end") }
            let header = try header(pack, at: offset)
            switch header.content {
            case .whole(let kind):
                let buffer = try inflate(pack, at: offset, header)
                current = Object(kind: kind, buffer: buffer, start: 0)
                keep(current, Place(pack: pack, offset: offset))
            case .offsetDelta(let distance):
                guard distance > 0, distance < offset else {
                    throw .damagedObject("its base is not in its pack")
                }
                chain.append(offset)
                offset -= distance
            case .referenceDelta(let name):
                guard let position = packs[pack].names.position(of: name) else {
                    throw .damagedObject("its base is not in its pack")
                }
                chain.append(offset)
                offset = try packs[pack].pack.index.offset(at: position)
            }
        }
        guard var object = current else { throw .damagedObject("it cannot be read") }
        for offset in chain.reversed() {
            object = try apply(pack, at: offset, to: object)
            keep(object, Place(pack: pack, offset: offset))
        }
        return object
    }

    private func apply(_ pack: Int, at offset: UInt64, to base: Object) throws(GitReadError) -> Object {
        let deltaBuffer = try inflate(pack, at: offset, try header(pack, at: offset))
        let sizes = try Delta.sizes(deltaBuffer.bytes)
        guard sizes.base == UInt64(base.count), sizes.result <= UInt64(limit) else {
            throw .damagedObject("its delta does not fit its base")
        }
        let result = ByteBuffer(capacity: Int(sizes.result))
        var delta = Delta()
        try base.withBytes { bytes throws(GitReadError) in
            try delta.apply(
                deltaBuffer.bytes, at: sizes.at, to: bytes, count: Int(sizes.result), into: result,
                reach: nil, hits: [])
        }
        return Object(kind: base.kind, buffer: result, start: 0)
    }

    private func keep(_ object: Object?, _ place: Place) {
        guard let object, object.count <= Self.basesLimit / 8 else { return }
        if basesSize + object.count > Self.basesLimit {
            bases.removeAll(keepingCapacity: true)
            basesSize = 0
        }
        basesSize += object.count
        bases[place] = object
    }

    private func header(_ pack: Int, at offset: UInt64) throws(GitReadError) -> PackEntryHeader {
        let window = packs[pack].window
        let loaded = try window.load(at: offset, count: PackEntryHeader.longest)
        let buffer = loaded.buffer
        return try PackEntryHeader(buffer.bytes.extracting(loaded.range), idLength: packs[pack].pack.idLength)
    }

    private func inflate(_ pack: Int, at offset: UInt64, _ header: PackEntryHeader) throws(GitReadError)
        -> ByteBuffer
    {
        guard header.size <= UInt64(limit) else { throw .tooLarge("it has \(header.size) bytes") }
        let size = Int(header.size)
        let output = ByteBuffer(capacity: size)
        let window = packs[pack].window
        // What zlib needs at most for data that cannot be compressed; only an odd writer needs more.
        var failure = InflateError.damaged
        for length in [size + size >> 8 + 256, 6 * size + 4096] {
            let loaded = try window.load(at: offset + UInt64(header.length), count: length)
            let compressed = loaded.buffer
            output.reset(capacity: size)
            do {
                _ = try inflater.inflate(compressed.bytes.extracting(loaded.range), count: size, into: output)
                return output
            } catch { failure = error }
        }
        throw .inflating(failure)
    }
}
