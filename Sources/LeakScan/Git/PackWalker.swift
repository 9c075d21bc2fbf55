/// One thread's walk through the delta forest of a pack, from each root depth first.
///
/// So every entry is inflated once, and only the objects on the path from the root are in memory: of a chain
/// without branches, two.
final class PackWalker {
    /// What one object holds.
    struct ObjectHits: Sendable {
        var entry: UInt32
        var kind: ObjectKind
        var hits: [PlacedHit]
    }

    /// What was found, and what could not be read.
    struct Result: Sendable {
        var hits: [ObjectHits] = []
        var commits: [(entry: UInt32, links: CommitLinks)] = []
        var trees: TreeGraph
        var problems: [(entry: Int, error: GitReadError)] = []
        var objects = 0
        var bytes: UInt64 = 0
    }

    /// What a walk is for.
    enum Aim: Sendable {
        /// Every object, for secrets.
        case secrets
        /// Secrets, and what trees hold and commits link to.
        case secretsAndHistory
        /// Only what trees hold and commits link to; nothing is searched or counted as progress.
        case history

        var searches: Bool { self != .history }
        var notesHistory: Bool { self != .secrets }
    }

    private struct Frame {
        var entry: Int
        /// Nil if it was given up for lack of memory.
        var buffer: ByteBuffer?
        var hits: [Hit]
        var nextChild: UInt32
    }

    private(set) var result: Result
    private let pack: Pack
    private let table: PackTable
    private let finder: HitFinder
    private let options: ScanOptions
    private let control: ScanControl
    private let window: PackWindow
    private let inflater = Inflater()
    private let deltaBuffer = ByteBuffer()
    private var pool = BufferPool()
    private var delta = Delta()
    private var scratch: [RawMatch] = []
    private var path: [Frame] = []
    private var liveBytes = 0
    private let reach: Int?
    private let aim: Aim
    private lazy var archives = ArchiveSearch(finder, options, control)

    init(
        _ pack: Pack, _ table: PackTable, _ finder: HitFinder, _ options: ScanOptions, _ control: ScanControl,
        _ aim: Aim = .secrets
    ) {
        self.aim = aim
        self.pack = pack
        self.table = table
        self.finder = finder
        self.options = options
        self.control = control
        window = PackWindow(pack.file, end: pack.end)
        result = Result(trees: TreeGraph(idLength: pack.idLength))
        delta.keepsCopies = aim.notesHistory
        reach = options.engine == .seams ? finder.terms.longestReach : nil
    }

    /// Searches the objects that grow from these roots.
    func walk(roots: Range<Int>) {
        var bytes: UInt64 = 0
        var objects: UInt64 = 0
        for root in roots {
            if control.isCancelled { break }
            let before = result.objects
            bytes += walk(root: Int(table.roots[root]))
            objects += UInt64(result.objects - before)
        }
        if aim.searches { control.advance(bytes: bytes, objects: objects) }
    }

    /// - Returns: how many bytes of the pack were read.
    private func walk(root: Int) -> UInt64 {
        var bytes = UInt64(table.length(of: root))
        guard let kind = search(root: root) else { return bytes }
        while let top = path.indices.last {
            let next = path[top].nextChild
            guard next != PackTable.none, !control.isCancelled else {
                leave()
                continue
            }
            let child = Int(next)
            path[top].nextChild = table.nextSibling[child]
            bytes += UInt64(table.length(of: child))
            do {
                try search(child: child, of: top, kind)
            } catch {
                fail(child, error)
            }
        }
        return bytes
    }

    /// Takes the last frame off the path.
    private func leave() {
        guard let frame = path.popLast(), let buffer = frame.buffer else { return }
        release(buffer)
    }

    private func release(_ buffer: ByteBuffer) {
        liveBytes -= buffer.count
        pool.give(buffer)
    }

    /// Searches a root, and puts it on the path if something builds on it.
    private func search(root: Int) -> ObjectKind? {
        do throws(GitReadError) {
            let header = try header(of: root)
            guard case .whole(let kind) = header.content else { return nil }
            let hasChildren = table.firstChild[root] != PackTable.none
            let isLong = header.size > UInt64(options.streamingThreshold)
            if isLong && (!hasChildren || header.size > UInt64(options.memoryPerThread)) {
                try stream(root, header, kind)
                if hasChildren { failChildren(of: root, .tooLarge("its base has \(header.size) bytes")) }
                return kind
            }
            let buffer = pool.take(capacity: Int(header.size))
            liveBytes += Int(header.size)
            do {
                try inflate(root, header, into: buffer)
            } catch {
                liveBytes -= Int(header.size)
                pool.give(buffer)
                throw error
            }
            let bytes = buffer.bytes
            var hits: [Hit] = []
            find(root, kind, bytes, starts: 0..<bytes.count, into: &hits)
            record(root, kind, bytes, hits)
            if hasChildren {
                path.append(Frame(entry: root, buffer: buffer, hits: hits, nextChild: table.firstChild[root]))
            } else {
                release(buffer)
            }
            return kind
        } catch {
            fail(root, error)
            return nil
        }
    }

    /// Rebuilds and searches an entry that is a delta against the frame at `top`, and puts it on the path in
    /// turn if something builds on it.
    private func search(child: Int, of top: Int, _ kind: ObjectKind) throws(GitReadError) {
        if path[top].buffer == nil { try restore(upTo: top) }
        guard let base = path[top].buffer else { return }
        let buffer = try rebuild(child, from: base, hits: path[top].hits)
        let bytes = buffer.bytes
        var hits = delta.carried
        var isSorted = hits.isEmpty
        for starts in delta.starts {
            let before = hits.count
            find(child, kind, bytes, starts: starts, into: &hits)
            if hits.count > before && before > 0 { isSorted = false }
        }
        if !isSorted { hits.sort { ($0.start, $0.term) < ($1.start, $1.term) } }
        record(child, kind, bytes, hits)
        // A base that nothing more builds on makes room before the path grows.
        if path[top].nextChild == PackTable.none { leave() }
        if table.firstChild[child] != PackTable.none {
            path.append(Frame(entry: child, buffer: buffer, hits: hits, nextChild: table.firstChild[child]))
        } else {
            release(buffer)
        }
    }

    private func rebuild(_ child: Int, from base: ByteBuffer, hits: [Hit]) throws(GitReadError) -> ByteBuffer {
        let header = try header(of: child)
        guard header.size <= UInt64(options.memoryPerThread) else {
            throw .tooLarge("it is a delta of \(header.size) bytes")
        }
        let deltaBuffer = deltaBuffer
        deltaBuffer.reset(capacity: Int(header.size))
        try inflate(child, header, into: deltaBuffer)
        let sizes = try Delta.sizes(deltaBuffer.bytes)
        guard sizes.base == UInt64(base.count) else {
            throw .damagedObject("its delta is for a base of another length")
        }
        guard sizes.result <= UInt64(options.memoryPerThread) else {
            throw .tooLarge("it is a delta whose result has \(sizes.result) bytes")
        }
        let count = Int(sizes.result)
        makeRoom(for: count)
        let buffer = pool.take(capacity: count)
        do {
            try delta.apply(
                deltaBuffer.bytes, at: sizes.at, to: base.bytes, count: count, into: buffer, reach: reach,
                hits: hits)
        } catch {
            pool.give(buffer)
            throw error
        }
        liveBytes += count
        return buffer
    }

    /// Gives up objects at the start of the path, all but the last, if another of `count` bytes would be too
    /// much.
    private func makeRoom(for count: Int) {
        var frame = 0
        while liveBytes + count > options.memoryPerThread && frame < path.count - 1 {
            if let buffer = path[frame].buffer {
                path[frame].buffer = nil
                release(buffer)
            }
            frame += 1
        }
    }

    /// Rebuilds the object of a frame that was given up, from the nearest one below it that is still there.
    ///
    /// The path leaves out entries that nothing more built on, so the way down goes by the table.
    private func restore(upTo top: Int) throws(GitReadError) {
        var chain: [Int] = [path[top].entry]
        while let last = chain.last, table.bases[last] != PackTable.none {
            chain.append(Int(table.bases[last]))
        }
        guard let root = chain.popLast() else { return }
        let header = try header(of: root)
        var current = pool.take(capacity: Int(header.size))
        try inflate(root, header, into: current)
        liveBytes += current.count
        for entry in chain.reversed() {
            let next = try rebuild(entry, from: current, hits: [])
            release(current)
            current = next
        }
        path[top].buffer = current
    }

    private func header(of entry: Int) throws(GitReadError) -> PackEntryHeader {
        // The whole entry is asked for, so that the data is there when the header has been read.
        let length = table.length(of: entry)
        let loaded = try window.load(at: table.offsets[entry], count: min(length, options.streamingThreshold))
        let buffer = loaded.buffer
        return try PackEntryHeader(buffer.bytes.extracting(loaded.range), idLength: pack.idLength)
    }

    private func inflate(_ entry: Int, _ header: PackEntryHeader, into buffer: ByteBuffer)
        throws(GitReadError)
    {
        let length = table.length(of: entry) - header.length
        // Deflate gives at most 1,032 bytes for one (RFC 1951: 258 bytes for two bits).
        guard header.size <= UInt64(length) * 1032 + 64 else {
            throw .damagedObject("it claims more bytes than its data can hold")
        }
        let loaded = try window.load(at: table.offsets[entry] + UInt64(header.length), count: length)
        let compressed = loaded.buffer
        buffer.reset(capacity: Int(header.size))
        let consumed: Int
        do {
            consumed = try inflater.inflate(
                compressed.bytes.extracting(loaded.range), count: Int(header.size), into: buffer)
        } catch { throw .inflating(error) }
        guard consumed == length else {
            throw .damagedPack("\(length - consumed) bytes after it belong to no object that the index names")
        }
    }

    /// Searches an object that is too long to be held, piece by piece.
    private func stream(_ entry: Int, _ header: PackEntryHeader, _ kind: ObjectKind) throws(GitReadError) {
        var search = StreamSearch(finder, options)
        let inflater = StreamInflater()
        var at = table.offsets[entry] + UInt64(header.length)
        let end = table.offsets[entry + 1]
        var produced: UInt64 = 0
        while !inflater.isFinished && !control.isCancelled {
            guard at < end else { throw .damagedObject("its compressed data is cut short") }
            let loaded = try window.load(at: at, count: Int(min(end - at, 128 << 10)))
            let compressed = loaded.buffer
            let room = search.makeRoom()
            let before = search.buffer.count
            let taken: Int
            do {
                taken = try inflater.inflate(
                    compressed.bytes.extracting(loaded.range), room: room, into: search.buffer)
            } catch { throw .inflating(error) }
            at += UInt64(taken)
            let gained = search.buffer.count - before
            guard taken > 0 || gained > 0 || inflater.isFinished else { throw .inflating(.damaged) }
            produced += UInt64(gained)
            guard produced <= header.size else { throw .inflating(.longerThanClaimed) }
            guard produced <= options.longestObject else { throw .tooLarge("only its start was searched") }
            search.searchFullBuffer()
        }
        search.finish()
        guard produced == header.size || control.isCancelled else { throw .inflating(.shorterThanClaimed) }
        result.objects += 1
        result.bytes += produced
        if search.isOverfull { overfull(entry) }
        var hits = search.hits
        if kind == .blob, search.isArchive { hits = unpack(entry, header, beside: hits) }
        if !hits.isEmpty { result.hits.append(ObjectHits(entry: UInt32(entry), kind: kind, hits: hits)) }
    }

    /// Looks into an archive that was searched as a stream.
    private func unpack(_ entry: Int, _ header: PackEntryHeader, beside outer: [PlacedHit]) -> [PlacedHit] {
        guard Int(header.size) + liveBytes <= options.memoryPerThread, !control.isCancelled else {
            archives.passOver()
            return outer
        }
        let whole = ByteBuffer()
        do { try inflate(entry, header, into: whole) } catch { return outer }
        return archives.search(whole.bytes, beside: outer)
    }

    private func find(
        _ entry: Int, _ kind: ObjectKind, _ bytes: Span<UInt8>, starts: Range<Int>, into hits: inout [Hit]
    ) {
        guard aim.searches else { return }
        let isTree = kind == .tree
        if !finder.find(bytes, starts: starts, isTree: isTree, scratch: &scratch, into: &hits) { overfull(entry) }
    }

    private func overfull(_ entry: Int) {
        result.problems.append((entry, .tooLarge("it holds more than \(HitFinder.limit) prefixes")))
    }

    private func record(_ entry: Int, _ kind: ObjectKind, _ bytes: Span<UInt8>, _ hits: [Hit]) {
        result.objects += 1
        result.bytes += UInt64(bytes.count)
        if aim.notesHistory { note(entry, kind, bytes) }
        let isArchive = kind == .blob && aim.searches && ArchiveMagic.begins(bytes)
        guard !hits.isEmpty || isArchive else { return }
        var placed = HitSelection.place(hits, in: bytes, all: options.allOccurrences)
        if isArchive { placed = archives.search(bytes, beside: placed) }
        guard !placed.isEmpty else { return }
        result.hits.append(ObjectHits(entry: UInt32(entry), kind: kind, hits: placed))
    }

    private func note(_ entry: Int, _ kind: ObjectKind, _ bytes: Span<UInt8>) {
        switch kind {
        case .commit:
            if let links = CommitLinks(bytes) { result.commits.append((UInt32(entry), links)) }
        case .tree:
            let isDelta = table.bases[entry] != PackTable.none
            result.trees.add(entry, bytes, copied: isDelta ? delta.copies : [])
        case .blob, .tag: break
        }
    }

    private func fail(_ entry: Int, _ error: GitReadError) {
        result.problems.append((entry, error))
        failChildren(of: entry, .damagedObject("it builds on an object that cannot be read"))
    }

    /// Everything that builds on `entry`, at any depth, cannot be read: one problem for each.
    private func failChildren(of entry: Int, _ error: GitReadError) {
        var waiting: [UInt32] = [table.firstChild[entry]]
        while let next = waiting.popLast() {
            guard next != PackTable.none else { continue }
            result.problems.append((Int(next), error))
            waiting.append(table.nextSibling[Int(next)])
            waiting.append(table.firstChild[Int(next)])
        }
    }
}
