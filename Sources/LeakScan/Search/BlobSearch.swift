import SystemPackage

/// Searches single blobs, and what they hold if they are archives.
struct BlobSearch {
    private let context: SearchContext

    init(_ context: SearchContext) { self.context = context }

    func hits(in blob: ObjectDatabase.Object, _ id: ObjectID) -> [PlacedHit] {
        blob.withBytes { hits(in: $0, of: ArchiveSearch.subject(id)) }
    }

    /// Searches a file on disk, of any length.
    func hits(inFile path: FilePath) throws(Errno) -> [PlacedHit] {
        let file = try InputFile(path)
        let size = try file.state().size
        guard size > UInt64(context.options.streamingThreshold) else {
            let whole = ByteBuffer(capacity: Int(size))
            try file.read(at: 0, count: Int(size), into: whole)
            return hits(in: whole.bytes, of: path.bytes)
        }
        var search = StreamSearch(context)
        var at: UInt64 = 0
        while !context.control.isCancelled {
            let before = search.buffer.count
            try file.read(at: at, count: search.makeRoom(), into: search.buffer)
            guard search.buffer.count > before else { break }
            at += UInt64(search.buffer.count - before)
            search.takeFullBuffer()
        }
        search.finish()
        let archives = ArchiveSearch(context)
        guard search.isArchive else {
            if search.holdsContainers { archives.passOver(path.bytes) }
            return search.hits
        }
        let packed = archives.search(file, size: size, of: path.bytes)
        return archives.distinct(search.hits, beside: packed[...]) + packed
    }

    /// - Parameter subject: the path of the file, or the id of the object.
    func hits(in bytes: Span<UInt8>, of subject: @autoclosure () -> [UInt8]) -> [PlacedHit] {
        ArchiveSearch(context).search(bytes, of: subject())
    }
}
