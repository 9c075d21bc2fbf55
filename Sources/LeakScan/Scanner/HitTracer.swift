import SystemPackage

/// Makes occurrences of the hits in git objects: where they are in history, and which of them say the same.
struct HitTracer {
    private let database: ScanListing.Database
    private let found: FoundObjects
    private let copies: Copies
    private var reader: HistoryReader
    private let pool: CommitPool
    private let terms: SearchTerms
    private let options: ScanOptions
    private let control: ScanControl
    private let objects: ObjectDatabase
    private let refs: Refs
    private var authors: [ObjectID: Occurrence.Author?] = [:]
    private var paths: PathTable
    /// The commits of copies that no ref leads to, by the item that tells of each.
    private var copyCommits: [UInt64: ObjectID] = [:]
    /// Commits at the borders of a shallow clone.
    private let borders: Set<ObjectID>
    /// Whether a commit's parents are not here, as far as that was asked.
    private var isAtBorder: [ObjectID: Bool] = [:]
    /// Where the indexes of the working trees have objects that no commit has; read when it is first asked for.
    private lazy var staged = StagedFiles(
        database.layout, most: options.tracing.placesOfObject, where: found.contains)

    /// - Parameter found: what was found, in the blobs of `copies` too.
    init(
        _ reader: HistoryReader, _ found: FoundObjects, copies: Copies, borders: Set<ObjectID>, _ context: SearchContext
    ) {
        var reader = reader
        (terms, options, control) = (context.finder.terms, context.options, context.control)
        self.borders = borders
        self.copies = copies
        pool = reader.pool
        database = reader.database
        self.found = found
        objects = reader.objects
        refs = Refs(database.layout)
        self.reader = reader
        paths = PathTable(in: options.scratch)
    }

    /// New places of blobs that were searched by earlier scans, and are in none of the new packs and loose objects.
    struct Copies {
        /// The paths, each with the commit that brought the blob there.
        private(set) var places: [ObjectID: [(path: [UInt8], commit: ObjectID)]] = [:]

        var blobs: some Collection<ObjectID> { places.keys }

        init(_ found: [ObjectPlace: ObjectID] = [:]) {
            for (place, commit) in found.sorted(by: { $0.key.path.lexicographicallyPrecedes($1.key.path) }) {
                places[place.object, default: []].append((place.path, commit))
            }
        }
    }

    /// Something is at more places, or deeper in history, than was followed.
    private(set) var isCutShort = false

    /// What is new is in new commits: as long as all of it is found there, old history is not read.
    ///
    /// - Parameter deliver: gets the occurrences, oldest first, some at a time.
    mutating func trace(_ fresh: HistoryReader.Fresh?, deliver: ([Occurrence]) throws -> Void) rethrows {
        if let fresh, try trace(within: fresh, deliver) { return }
        _ = try trace(within: nil, deliver)
    }

    /// - Returns: false if it takes more history than is fresh.
    private mutating func trace(within fresh: HistoryReader.Fresh?, _ deliver: ([Occurrence]) throws -> Void) rethrows
        -> Bool
    {
        let space = options.scratch
        var inTrees = IDTable(in: space)
        for number in found.numbers
        where (found.kind(of: number) == .blob || found.kind(of: number) == .tree) && !isCopy(number) {
            _ = inTrees.insert(found.id(of: number))
        }
        let closure = reader.closure(above: inTrees, noting: found, within: fresh)
        let history = History(
            from: refs.tips.union(database.tips), in: objects, pool: pool, onlyKnown: fresh != nil, in: space, control)
        let idLength = database.layout.objectFormat.idLength
        var provenance = Provenance(
            of: inTrees, in: history, closure, objects, idLength: idLength, bounds: options.tracing, in: space, control)
        let tips = Tips(&provenance, refs, database)
        var trail = Trail(provenance: provenance, lost: nil, tips: tips)
        if found.numbers.contains(where: { isLost($0, provenance, fresh) }) {
            guard fresh == nil else { return false }
            let ends = pool.table.ids.lazy.filter { history.position(of: $0) == nil }
            let dangling = History(from: ends, in: objects, pool: pool, known: history, in: space, control)
            var missing = IDTable(in: space)
            for id in inTrees.ids where !provenance.places.has(id) { _ = missing.insert(id) }
            trail.lost = Provenance(
                of: missing, in: dangling, closure, objects, idLength: idLength, bounds: options.tracing, in: space,
                control)
        }
        var items = TracedHits(in: space)
        copyCommits = [:]
        for object in found.numbers where !control.isCancelled {
            if isCopy(object) { addCopy(object, history, to: &items) } else { add(object, trail, to: &items) }
        }
        guard !control.isCancelled else { return true }
        isCutShort = isCutShort || refs.isCutShort || trail.provenance.isCutShort || trail.lost?.isCutShort == true
        try deliverOccurrences(items, trail, deliver)
        return true
    }

    /// Where objects were found to come from.
    private struct Trail {
        var provenance: Provenance
        /// The same for what no ref leads to.
        var lost: Provenance?
        var tips: Tips

        var reachable: History { provenance.history }

        /// The commit at a place in all of history: what is reachable first.
        func commit(_ order: Int) -> ObjectID? {
            order < reachable.count ? reachable.commit(at: order) : lost?.history.commit(at: order - reachable.count)
        }
    }

    private func isCopy(_ object: Int) -> Bool { copies.places[found.id(of: object)] != nil }

    private func isLost(_ object: Int, _ provenance: Provenance, _ fresh: HistoryReader.Fresh?) -> Bool {
        if isCopy(object) { return false }
        return switch found.kind(of: object) {
        case .blob, .tree: !provenance.places.has(found.id(of: object))
        case .commit: provenance.history.position(of: found.id(of: object)) == nil
        case .tag: fresh != nil
        }
    }

    /// Adds the hits of an object, at each of its places.
    private mutating func add(_ object: Int, _ trail: Trail, to items: inout TracedHits) {
        let id = found.id(of: object)
        let reachable = trail.reachable
        let hits = found.hits(of: object)
        func item(_ hit: Int, _ path: [UInt8]?, _ order: Int?, isReachable: Bool) -> TracedHits.Item {
            var item = TracedHits.Item(object: UInt32(object), hit: UInt32(hit))
            item.path = path.map { number(ofPath: $0) } ?? PathTable.none
            item.order = order.map { UInt32($0) } ?? TracedHits.noCommit
            item.isReachable = isReachable
            return item
        }
        switch found.kind(of: object) {
        case .commit:
            let position = reachable.position(of: id)
            let order = position ?? trail.lost?.history.position(of: id).map { $0 + reachable.count }
            for hit in hits { items.append(item(hit, nil, order, isReachable: position != nil)) }
        case .tag:
            for hit in hits { items.append(item(hit, nil, nil, isReachable: reachable.others.contains(id))) }
        case .blob, .tree:
            let names = found.kind(of: object) == .tree ? entryNames(in: id) : nil
            func path(_ hit: Int, in place: [UInt8]) -> [UInt8]? {
                guard let names else { return found.hit(hit).path(in: place) }
                guard let name = names.name(at: found.hit(hit).start) else { return place.isEmpty ? nil : place }
                return place.isEmpty ? name : place + [UInt8(ascii: "/")] + name
            }
            let isReachable = trail.provenance.places.has(id)
            let all = isReachable ? trail.provenance.places[id] : trail.lost?.places[id]
            guard let all else {
                let stagedPaths = names == nil ? staged.paths(of: id) : []
                for hit in hits {
                    for path in stagedPaths {
                        items.append(item(hit, found.hit(hit).path(in: path), nil, isReachable: true))
                    }
                    guard stagedPaths.isEmpty else { continue }
                    let inside = found.hit(hit).inside.map { _ in found.hit(hit).path(in: Array(id.hex.utf8)) }
                    let name = names?.name(at: found.hit(hit).start)
                    items.append(item(hit, name ?? inside, nil, isReachable: reachable.others.contains(id)))
                }
                return
            }
            let places = all.prefix(max(1, options.tracing.hitsOfObject / max(1, hits.count)))
            if places.count < all.count { isCutShort = true }
            for place in places {
                let isInHead = isReachable && trail.tips.head[place.path] == id
                let isAtTip =
                    isReachable && trail.tips.places.contains(ObjectPlace(object: id, path: place.path))
                let order = isReachable ? place.commit : place.commit + reachable.count
                for hit in hits {
                    var item = item(hit, path(hit, in: place.path), order, isReachable: isReachable)
                    item.isInHead = isInHead
                    item.isAtTip = isAtTip
                    items.append(item)
                }
            }
        }
    }

    /// The number of a path; of none when paths take too much memory.
    private mutating func number(ofPath path: [UInt8]) -> UInt32 {
        guard paths.byteCount + path.count <= 4 * options.tracing.pathBytes else {
            isCutShort = true
            return paths.knownNumber(of: path) ?? PathTable.none
        }
        return paths.number(of: path)
    }

    /// Adds the hits of a blob at its new places.
    private mutating func addCopy(_ object: Int, _ history: History, to items: inout TracedHits) {
        let id = found.id(of: object)
        let head = refs.head.flatMap(objects.tree(ofCommit:))
        for place in copies.places[id] ?? [] {
            let position = history.position(of: place.commit)
            let idLength = database.layout.objectFormat.idLength
            let isInHead = head.map { objects.object(at: place.path, in: $0, idLength: idLength) } == id
            for number in found.hits(of: object) {
                var item = TracedHits.Item(object: UInt32(object), hit: UInt32(number))
                item.path = paths.number(of: found.hit(number).path(in: place.path))
                item.order = position.map { UInt32($0) } ?? TracedHits.noCommit
                item.isReachable = position != nil
                item.isInHead = isInHead
                item.isAtTip = true
                if position == nil { copyCommits[Self.key(item)] = place.commit }
                items.append(item)
            }
        }
    }

    private static func key(_ item: TracedHits.Item) -> UInt64 { UInt64(item.object) << 32 | UInt64(item.path) }

    /// The names in a tree, to be found by where they are in it.
    private struct EntryNames {
        var names: [(range: Range<Int>, bytes: [UInt8])] = []

        /// The name that an offset lies in.
        func name(at offset: UInt64) -> [UInt8]? {
            let offset = Int(clamping: offset)
            var lower = 0
            var upper = names.count
            while lower < upper {
                let middle = (lower + upper) / 2
                if names[middle].range.upperBound <= offset { lower = middle + 1 } else { upper = middle }
            }
            return lower < names.count && names[lower].range.contains(offset) ? names[lower].bytes : nil
        }
    }

    private func entryNames(in tree: ObjectID) -> EntryNames {
        var found = EntryNames()
        objects.read(tree)?.withBytes { bytes in
            Tree.forEach(bytes, idLength: database.layout.objectFormat.idLength) { _, name, _ in
                found.names.append((name, name.map { bytes[$0] }))
            }
        }
        return found
    }

    /// The maximum number of objects that one delivery names.
    private static let batch = 4096

    /// One occurrence for each object and offset if all are asked for; else one for each term, secret and
    /// place.
    private mutating func deliverOccurrences(
        _ items: TracedHits, _ trail: Trail, _ deliver: ([Occurrence]) throws -> Void
    ) rethrows {
        let groups = items.groups(of: found, paths, all: options.allOccurrences)
        var some: [Occurrence] = []
        var count = 0
        for group in 0..<groups.count {
            some.append(occurrence(groups[group], trail))
            count += some.last?.objectCount ?? 0
            if count >= Self.batch {
                try deliver(some)
                some = []
                count = 0
                authors = [:]
            }
        }
        if !some.isEmpty { try deliver(some) }
    }

    private mutating func occurrence(_ group: TracedHits.Group, _ trail: Trail) -> Occurrence {
        let item = group.first
        let object = found.id(of: Int(item.object))
        let kind = found.kind(of: Int(item.object))
        let hit = found.hit(Int(item.hit))
        let source: Occurrence.Source =
            switch kind {
            case .blob: .blob
            case .commit: .commit
            case .tag: .tag
            case .tree: .tree
            }
        var commit =
            item.order == TracedHits.noCommit ? copyCommits[Self.key(item)] : trail.commit(Int(item.order))
        // What the oldest commit that is here has, it did not bring, if there were others before.
        let isBeforeHistory = (kind == .blob || kind == .tree) && (commit.map { isBorder($0) } ?? false)
        if isBeforeHistory { commit = nil }
        return Occurrence(
            term: terms.id(of: hit.term),
            grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention, form: hit.form,
            source: source, repository: database.layout.root, object: object.hex, offset: hit.start,
            path: item.path == PathTable.none ? nil : FilePath(bytes: paths[item.path]),
            line: kind == .tree ? nil : hit.line, column: kind == .tree ? nil : hit.column, commit: commit?.hex,
            isBeforeHistory: isBeforeHistory,
            author: author(of: commit ?? (kind == .tag ? object : nil)),
            isReachable: item.isReachable, isInHead: group.isInHead, objectCount: group.objects.count,
            objects: group.objects.map { found.id(of: Int($0)).hex }.sorted(), isAtTip: group.isAtTip)
    }

    /// Whether there was history before a commit that is not here.
    private mutating func isBorder(_ id: ObjectID) -> Bool {
        if let known = isAtBorder[id] { return known }
        var isBorder = borders.contains(id)
        if !isBorder, let links = objects.read(id)?.withBytes({ CommitLinks($0) }) {
            let parents = [links.firstParent].compactMap(\.self) + links.otherParents
            isBorder = parents.contains { objects.read($0) == nil }
        }
        isAtBorder[id] = isBorder
        return isBorder
    }

    private mutating func author(of id: ObjectID?) -> Occurrence.Author? {
        guard let id else { return nil }
        if let known = authors[id] { return known }
        var author: Occurrence.Author?
        if let object = objects.read(id) {
            author = object.withBytes { bytes in
                object.kind == .tag ? Tag(bytes).tagger : Commit.author(bytes)
            }
        }
        authors[id] = author
        return author
    }
}
