/// One thread's walk through the delta forest of a pack, from each root depth first.
///
/// So every entry is inflated once, and only the objects on the path from the root are in memory: of a chain
/// without branches, two.
struct PackWalker: ~Copyable {
    private struct Frame {
        var entry: Int
        /// Nil if it was given up for lack of memory.
        var buffer: ByteBuffer?
        /// Nil if they were given up: all of what builds on it is searched.
        var hits: [Hit]?
        var nextChild: UInt32
    }

    private var result: Result
    private let pack: Pack
    private let table: PackTable
    private let context: SearchContext
    private let finder: HitFinder
    private let options: ScanOptions
    private let control: ScanControl
    private let reader: PackEntryReader
    private let deltaBuffer = ByteBuffer()
    private let startBuffer = ByteBuffer()
    private var pool = BufferPool()
    private var delta = Delta()
    private var scratch: [RawMatch] = []
    private var path: [Frame] = []
    private var liveBytes = 0
    private var liveHits = 0
    /// How much may still be rebuilt.
    private var rest: UInt64
    private let reach: Int?
    private let searches: Bool
    private var absent: AbsentObjects?
    private let sought: IDHeads?
    private let notesCommits: Bool
    private lazy var archives = ArchiveSearch(context)
    private let hash: ContentHash

    init(
        _ pack: Pack, _ table: PackTable, _ context: SearchContext, aim: Aim, absent: AbsentObjects?
    ) {
        self.absent = absent
        searches = aim.searches
        sought = aim.sought.map { IDHeads(copyOf: $0) }
        notesCommits = sought != nil || absent != nil
        self.pack = pack
        self.table = table
        self.context = context.forOneThread()
        finder = self.context.finder
        options = context.options
        control = context.control
        reader = PackEntryReader(pack, table, longestAtOnce: min(options.streamingThreshold, 4 << 20))
        rest = max(options.mostRebuilt, 1000 * pack.end)
        result = Result(idLength: pack.idLength, in: options.scratch)
        hash = ContentHash(idLength: pack.idLength)
        // What is left out of a result must cut neither a hit nor an entry of a tree.
        reach =
            options.engine == .seams ? max(finder.terms.longestReach, TreeGraph.reach(idLength: pack.idLength)) : nil
    }

    /// What was found; the walker is done with it.
    consuming func finish() -> Result {
        absent?.settle()
        result.absent = absent?.ids ?? []
        return result
    }

    /// Searches the objects that grow from these roots.
    mutating func walk(roots: Range<Int>) {
        var bytes: UInt64 = 0
        var objects: UInt64 = 0
        for root in roots {
            if control.isCancelled || result.isExhausted { break }
            let before = result.objects
            bytes += walk(root: Int(table.roots[root]))
            objects += UInt64(result.objects - before)
        }
        if searches { control.advance(bytes: bytes, objects: objects) }
    }

    /// - Returns: how many bytes of the pack were read.
    private mutating func walk(root: Int) -> UInt64 {
        let bytes = UInt64(table.length(of: root))
        guard let kind = search(root: root) else { return bytes }
        return bytes + walkOn(kind)
    }

    /// Searches what was postponed, and what builds on it, with more memory.
    mutating func walk(postponed entries: LongArray<UInt32>) {
        for entry in entries where !control.isCancelled && !result.isExhausted {
            let entry = Int(entry)
            do throws(GitReadError) {
                let base = try rebuild(Int(table.bases[entry]))
                path.append(
                    Frame(
                        entry: Int(table.bases[entry]), buffer: base.buffer, hits: nil, nextChild: PackTable.none))
                try search(child: entry, of: 0, base.kind)
                _ = walkOn(base.kind)
            } catch {
                fail(entry, error)
            }
            while !path.isEmpty { leave() }
        }
    }

    /// Searches what builds on the path, as long as there is a path.
    private mutating func walkOn(_ kind: ObjectKind) -> UInt64 {
        var bytes: UInt64 = 0
        while let top = path.indices.last {
            let next = path[top].nextChild
            guard next != PackTable.none, !control.isCancelled, !result.isExhausted else {
                leave()
                continue
            }
            let child = Int(next)
            path[top].nextChild = table.nextSibling[child]
            bytes += UInt64(table.length(of: child))
            do throws(GitReadError) {
                try search(child: child, of: top, kind)
            } catch  where error.kind == .tooLarge && options.memoryPerThread < options.memoryForLargeObjects {
                result.postponed.append(UInt32(child))
            } catch {
                fail(child, error)
            }
        }
        return bytes
    }

    /// Puts a frame on the path. Hits at its start are given up if there are too many.
    private mutating func enter(_ new: Frame) {
        path.append(new)
        liveHits += new.hits?.count ?? 0
        var frame = 0
        while liveHits > options.mostHitsHeld && frame < path.count - 1 {
            if let hits = path[frame].hits, !hits.isEmpty {
                path[frame].hits = nil
                liveHits -= hits.count
            }
            frame += 1
        }
    }

    /// Takes the last frame off the path.
    private mutating func leave() {
        guard let frame = path.popLast() else { return }
        liveHits -= frame.hits?.count ?? 0
        if let buffer = frame.buffer { release(buffer) }
    }

    private mutating func release(_ buffer: ByteBuffer) {
        liveBytes -= buffer.count
        pool.give(buffer)
    }

    /// Searches a root, and puts it on the path if something builds on it.
    private mutating func search(root: Int) -> ObjectKind? {
        do throws(GitReadError) {
            let opened = try reader.open(root)
            let header = opened.header
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
                try reader.inflate(root, opened, into: buffer)
            } catch {
                liveBytes -= Int(header.size)
                pool.give(buffer)
                throw error
            }
            let bytes = buffer.bytes
            var hits: [Hit] = []
            find(root, kind, bytes, starts: 0..<bytes.count, into: &hits)
            record(root, kind, bytes, count: bytes.count, hits: hits)
            if hasChildren {
                enter(Frame(entry: root, buffer: buffer, hits: hits, nextChild: table.firstChild[root]))
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
    private mutating func search(child: Int, of top: Int, _ kind: ObjectKind) throws(GitReadError) {
        if path[top].buffer == nil { path[top].buffer = try rebuild(path[top].entry).buffer }
        guard let base = path[top].buffer else { return }
        // What a tree copies is not looked at again.
        delta.keepsCopies = kind == .tree && (sought != nil || absent != nil)
        let whole = path[top].hits == nil
        let inherited = path[top].hits ?? []
        let hasChildren = table.firstChild[child] != PackTable.none
        // Commits, and trees that are too long for the graph's deltas, are noted whole.
        let isNoted =
            kind == .commit && notesCommits || kind == .tag && absent != nil
            || sought != nil && base.count >= TreeGraph.longestDelta
        if !hasChildren && inherited.isEmpty && !isNoted && !whole && reach != nil {
            if try isClean(child, of: base, kind) {
                if path[top].nextChild == PackTable.none { leave() }
                return
            }
        }
        let buffer = try rebuild(child, from: base, hits: inherited, reach: whole ? nil : reach).buffer
        let bytes = buffer.bytes
        var hits = delta.carried
        var isSorted = hits.isEmpty
        for starts in delta.starts {
            let before = hits.count
            // Where the hits of the base were given up, what is copied may hold some.
            let copied = whole || !inherited.isEmpty ? 0 : copied(starts)
            find(child, kind, bytes, starts: starts, copied: copied, into: &hits)
            if hits.count > before && before > 0 { isSorted = false }
        }
        if !isSorted { hits.sort { ($0.start, $0.term) < ($1.start, $1.term) } }
        record(child, kind, bytes, count: bytes.count, hits: hits)
        // A base that nothing more builds on makes room before the path grows.
        if path[top].nextChild == PackTable.none { leave() }
        if hasChildren {
            enter(Frame(entry: child, buffer: buffer, hits: hits, nextChild: table.firstChild[child]))
        } else {
            release(buffer)
        }
    }

    /// Searches what is new in an entry that nothing builds on, without putting all of it together.
    ///
    /// - Returns: false if there is something; then it has to be put together.
    private mutating func isClean(_ child: Int, of base: ByteBuffer, _ kind: ObjectKind) throws(GitReadError) -> Bool {
        let (buffer, count) = try rebuild(child, from: base, hits: [], reach: reach, sparsely: true)
        defer { release(buffer) }
        if sought != nil, kind == .tree, count >= TreeGraph.longestDelta { return false }
        // What may be an archive is looked into as a whole.
        if searches, kind == .blob, try mayBeArchive(of: base) { return false }
        let bytes = buffer.bytes
        var hits: [Hit] = []
        let isTree = kind == .tree
        for starts in delta.starts where searches {
            guard
                finder.find(
                    bytes, starts: starts, copied: copied(starts), inNames: isTree, mayHoldMore: kind == .blob,
                    scratch: &scratch, into: &hits)
            else {
                return false
            }
        }
        guard hits.isEmpty else { return false }
        record(child, kind, bytes, count: count, hits: [])
        return true
    }

    /// Whether what the last delta makes of `base` begins like an archive.
    private func mayBeArchive(of base: ByteBuffer) throws(GitReadError) -> Bool {
        let deltaBuffer = deltaBuffer
        let bytes = deltaBuffer.bytes
        let at = try Delta.sizes(bytes).at
        guard !Delta.copiesStart(bytes, at: at, atLeast: ArchiveMagic.length) else {
            return ArchiveMagic.begins(base.bytes)
        }
        let start = startBuffer
        Delta.writeStart(bytes, at: at, of: base.bytes, count: ArchiveMagic.length, into: start)
        return ArchiveMagic.begins(start.bytes)
    }

    /// - Returns: the object, and how long it is; the buffer has less of it if it was made sparsely.
    private mutating func rebuild(
        _ child: Int, from base: ByteBuffer, hits: [Hit], reach: Int?, sparsely: Bool = false
    ) throws(GitReadError) -> (buffer: ByteBuffer, count: Int) {
        let opened = try reader.open(child)
        let header = opened.header
        guard header.size <= UInt64(options.memoryPerThread) else {
            throw .tooLarge("it is a delta of \(header.size) bytes")
        }
        let deltaBuffer = deltaBuffer
        deltaBuffer.reset(capacity: Int(header.size))
        try reader.inflate(child, opened, into: deltaBuffer)
        let sizes = try Delta.sizes(deltaBuffer.bytes)
        guard sizes.base == UInt64(base.count) else {
            throw .damagedObject("its delta is for a base of another length")
        }
        guard sizes.result <= UInt64(options.memoryPerThread) else {
            throw .tooLarge("it is a delta whose result has \(sizes.result) bytes")
        }
        let count = Int(sizes.result)
        makeRoom(for: count)
        // What is left out of a sparse result takes no memory.
        guard sparsely || base.count + count <= options.memoryPerThread else {
            throw .tooLarge("it and its base have \(base.count + count) bytes")
        }
        let buffer = pool.take(capacity: count)
        do {
            try delta.apply(
                deltaBuffer.bytes, at: sizes.at, to: base.bytes, count: count, into: buffer, reach: reach,
                hits: hits, sparsely: sparsely)
        } catch {
            pool.give(buffer)
            throw error
        }
        liveBytes += buffer.count
        spend(deltaBuffer.count + buffer.count)
        return (buffer, count)
    }

    private mutating func spend(_ bytes: Int) {
        let bytes = UInt64(bytes)
        if bytes > rest { result.isExhausted = true }
        rest -= min(bytes, rest)
    }

    /// Gives up objects at the start of the path, all but the last, if another of `count` bytes would be too
    /// much.
    private mutating func makeRoom(for count: Int) {
        var frame = 0
        while liveBytes + count > options.memoryPerThread && frame < path.count - 1 {
            if let buffer = path[frame].buffer {
                path[frame].buffer = nil
                release(buffer)
            }
            frame += 1
        }
    }

    /// Rebuilds an object from its root on: one that was given up, or that another thread has had.
    private mutating func rebuild(_ entry: Int) throws(GitReadError) -> (buffer: ByteBuffer, kind: ObjectKind) {
        var chain: [Int] = [entry]
        while let last = chain.last, table.bases[last] != PackTable.none {
            chain.append(Int(table.bases[last]))
        }
        let root = chain.removeLast()
        let opened = try reader.open(root)
        guard case .whole(let kind) = opened.header.content else {
            throw .damagedObject("its chain of deltas has no start")
        }
        var current = pool.take(capacity: Int(opened.header.size))
        try reader.inflate(root, opened, into: current)
        liveBytes += current.count
        for entry in chain.reversed() {
            let base = current
            defer { release(base) }
            current = try rebuild(entry, from: base, hits: [], reach: nil).buffer
        }
        return (current, kind)
    }

    /// Searches an object that is too long to be held, piece by piece.
    private mutating func stream(_ entry: Int, _ header: PackEntryHeader, _ kind: ObjectKind) throws(GitReadError) {
        var search = StreamSearch(context)
        let start = table.offsets[entry] + UInt64(header.length)
        let end = table.offsets[entry + 1]
        hash.restart()
        hash.addHeader(kind, size: header.size)
        let stream = ObjectStream(
            inflater: StreamInflater(), size: header.size, limit: options.longestObject, control: control, hash: hash)
        let reader = reader
        let produced = try stream.inflate(into: &search) { at throws(GitReadError) in
            try reader.data(at: start + at, count: Int(min(end - start - at, UInt64(ObjectStream.chunk))))
        }
        result.objects += 1
        result.bytes += produced
        if search.isOverfull { overfull(entry) }
        var hits = search.hits
        if kind == .blob, search.isArchive || search.holdsContainers { hits = unpack(entry, header, beside: hits) }
        if !hits.isEmpty { append(entry, kind, hits) }
    }

    /// Records what is in an object, whose content is in ``hash``.
    private mutating func append(_ entry: Int, _ kind: ObjectKind, _ hits: [PlacedHit]) {
        result.hits.append(entry, kind, hits)
        let name = hash.finishID()
        guard !control.isCancelled, let listed = try? pack.index.name(at: Int(table.namePositions[entry])),
            listed != name
        else { return }
        // Other repositories may have another object of this name, so what is found counts for what it is.
        result.hits.rename(entry, name)
        result.problems.add(
            entry, .damagedObject("its content is not what the index of its pack says, but \(name.hex)"))
    }

    /// Looks into what holds something, after it was searched as a stream.
    private mutating func unpack(_ entry: Int, _ header: PackEntryHeader, beside outer: [PlacedHit]) -> [PlacedHit] {
        guard header.size <= UInt64(options.memoryForLargeObjects), !control.isCancelled else {
            archives.passOver(Self.subject(pack, table, entry))
            return outer
        }
        let (pack, table) = (pack, table)
        return control.archives.withRoom {
            let whole = ByteBuffer()
            do throws(GitReadError) {
                try reader.inflate(entry, try reader.open(entry), into: whole)
            } catch { return outer }
            return archives.search(whole.bytes, of: Self.subject(pack, table, entry))
        }
    }

    /// How an object is named where its path is not known.
    private static func subject(_ pack: Pack, _ table: PackTable, _ entry: Int) -> [UInt8] {
        ArchiveSearch.subject(try? pack.index.name(at: Int(table.namePositions[entry])))
    }

    private mutating func find(
        _ entry: Int, _ kind: ObjectKind, _ bytes: Span<UInt8>, starts: Range<Int>, copied: Int = 0,
        into hits: inout [Hit]
    ) {
        guard searches else { return }
        let isTree = kind == .tree
        if !finder.find(
            bytes, starts: starts, copied: copied, inNames: isTree, mayHoldMore: kind == .blob,
            tokensFrom: kind == .commit ? CommitLinks.end(bytes) : 0, scratch: &scratch, into: &hits)
        {
            overfull(entry)
        }
    }

    /// How many bytes at the start of a stretch of ``Delta/starts`` come from one place of the base.
    private func copied(_ starts: Range<Int>) -> Int {
        let most = (reach ?? 1) - 1
        return starts.lowerBound == 0 ? min(delta.copiedAtStart, most) : most
    }

    private mutating func overfull(_ entry: Int) {
        result.problems.add(entry, .tooLarge("it holds more than \(HitFinder.limit) prefixes"))
    }

    /// - Parameters:
    ///   - count: how long the object is; `bytes` may have less of it if nothing builds on it and it has no hits.
    private mutating func record(
        _ entry: Int, _ kind: ObjectKind, _ bytes: Span<UInt8>, count: Int, hits: [Hit]
    ) {
        result.objects += 1
        result.bytes += UInt64(count)
        switch kind {
        case .commit: if notesCommits { note(commit: entry, bytes) }
        case .tree: note(tree: entry, bytes, count: count)
        case .tag: if searches { absent?.look(tag: bytes) }
        case .blob: break
        }
        // Of an archive nothing was left out.
        let isArchive = kind == .blob && searches && bytes.count == count && ArchiveMagic.begins(bytes)
        guard !hits.isEmpty || isArchive else { return }
        let (pack, table) = (pack, table)
        let placed =
            kind == .blob && searches
            ? archives.place(hits, in: bytes, of: Self.subject(pack, table, entry))
            : finder.place(hits, in: bytes, all: options.allOccurrences)
        guard !placed.isEmpty else { return }
        hash.restart()
        hash.addHeader(kind, size: UInt64(count))
        hash.add(bytes)
        append(entry, kind, placed)
    }

    private mutating func note(commit entry: Int, _ bytes: Span<UInt8>) {
        guard let links = CommitLinks(bytes) else { return }
        result.commits.append(UInt32(entry), links)
        if searches { absent?.look(commit: links) }
    }

    private mutating func note(tree entry: Int, _ bytes: Span<UInt8>, count: Int) {
        let isDelta = table.bases[entry] != PackTable.none
        if let sought {
            let isShort = count < TreeGraph.longestDelta && delta.baseCount < TreeGraph.longestDelta
            result.trees.add(entry, bytes, copied: isDelta && isShort ? delta.copies : [], sought)
        }
        if searches { absent?.look(tree: bytes, copied: isDelta ? delta.copies : []) }
    }

    private mutating func fail(_ entry: Int, _ error: GitReadError) {
        result.problems.add(entry, error)
        failChildren(of: entry, .damagedObject("it builds on an object that cannot be read"))
    }

    /// Everything that builds on `entry`, at any depth, cannot be read: one problem for each.
    private mutating func failChildren(of entry: Int, _ error: GitReadError) {
        var waiting: [UInt32] = [table.firstChild[entry]]
        while let next = waiting.popLast() {
            guard next != PackTable.none else { continue }
            result.problems.add(Int(next), error)
            waiting.append(table.nextSibling[Int(next)])
            waiting.append(table.firstChild[Int(next)])
        }
    }
}
