import SystemPackage

/// One thread's search through loose objects.
final class LooseSearch {
    struct Result: Sendable {
        var hits: [(object: ObjectID, kind: ObjectKind, hits: [PlacedHit])] = []
        var problems: [(object: ObjectID, error: GitReadError)] = []
        /// Positions in the database's list of loose objects.
        var done: [Int] = []
        /// Those of them with archives that were not searched completely.
        var unopened: Set<Int> = []
        /// What the objects name and is not here.
        var absent: Set<ObjectID> = []
        var objects: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private var found = Result()
    private var absent: AbsentObjects
    private let database: ScanListing.Database
    private let context: SearchContext
    private var finder: HitFinder { context.finder }
    private var options: ScanOptions { context.options }
    private var control: ScanControl { context.control }
    private let reader = LooseReader()
    private let hash: ContentHash
    private let buffer = ByteBuffer()
    private var scratch: [RawMatch] = []
    private var hits: [Hit] = []
    private lazy var archives = ArchiveSearch(context)

    init(
        _ database: ScanListing.Database, _ context: SearchContext, absent: AbsentObjects
    ) {
        self.absent = absent
        self.database = database
        self.context = context.forOneThread()
        hash = ContentHash(idLength: database.layout.objectFormat.idLength)
    }

    /// What was found; the search is done with it.
    func finish() -> Result {
        var result = found
        absent.settle()
        result.absent = absent.ids
        return result
    }

    func search(_ index: Int) {
        let entry = database.loose[index]
        let path = LooseReader.path(of: entry.name, in: database.layout.objectDirectories[entry.directory])
        hash.restart()
        let shortfalls = archives.shortfalls
        do throws(GitReadError) {
            let header = try reader.read(path, limit: options.streamingThreshold, into: buffer)
            var placed: [PlacedHit]
            let fits: Bool
            if buffer.count > 0 {
                let buffer = buffer
                hash.add(buffer.bytes)
                let bytes = buffer.bytes.extracting(droppingFirst: header.length)
                absent.look(header.kind, bytes)
                hits.removeAll(keepingCapacity: true)
                fits = finder.find(
                    bytes, starts: 0..<bytes.count, inNames: header.kind == .tree, mayHoldMore: header.kind == .blob,
                    scratch: &scratch, into: &hits)
                placed =
                    header.kind == .blob
                    ? archives.place(hits, in: bytes, of: ArchiveSearch.subject(entry.name))
                    : finder.place(hits, in: bytes, all: options.allOccurrences)
            } else {
                var search = StreamSearch(context)
                hash.addHeader(header.kind, size: header.size)
                try reader.stream(
                    path, header, into: &search, limit: options.longestObject, control: control, hash: hash)
                placed = search.hits
                if header.kind == .blob, search.isArchive || search.holdsContainers {
                    placed = unpack(entry.name, path, header.size, beside: placed)
                }
                fits = !search.isOverfull
            }
            found.objects += 1
            found.bytes += header.size
            // Other repositories may have another object of this name, so what is found counts for what it is.
            let name = hash.finishID()
            if !placed.isEmpty { found.hits.append((control.isCancelled ? entry.name : name, header.kind, placed)) }
            guard name == entry.name || control.isCancelled else {
                throw .damagedObject("its content is not what its name says, but \(name.hex)")
            }
            guard fits else { throw .tooLarge("it holds more than \(HitFinder.limit) prefixes") }
            guard !control.isCancelled else { return }
            found.done.append(index)
            if archives.shortfalls > shortfalls { found.unopened.insert(index) }
        } catch {
            found.problems.append((entry.name, error))
        }
    }

    /// Looks into what holds something, after it was searched as a stream.
    private func unpack(
        _ name: ObjectID, _ path: FilePath, _ size: UInt64, beside outer: [PlacedHit]
    ) -> [PlacedHit] {
        guard size <= UInt64(options.memoryForLargeObjects), !control.isCancelled else {
            archives.passOver(ArchiveSearch.subject(name))
            return outer
        }
        return control.archives.withRoom {
            let whole = ByteBuffer()
            guard let header = try? reader.read(path, limit: Int(size), into: whole), whole.count > 0 else {
                return outer
            }
            return archives.search(
                whole.bytes.extracting(droppingFirst: header.length), of: ArchiveSearch.subject(name))
        }
    }
}
