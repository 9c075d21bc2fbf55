import SystemPackage

/// Makes occurrences of the hits in git objects: where they stand in history, and which of them say the same.
struct HitTracer {
    typealias Found = [ObjectID: (kind: ObjectKind, hits: [PlacedHit])]

    private let database: ScanListing.Database
    private let found: Found
    /// Those packs that were gone through already; the others are if they are needed.
    private let known: [FilePath: KnownPack]
    /// The commits of the packs that were gone through.
    private let pool: CommitPool
    private let terms: SearchTerms
    private let options: ScanOptions
    private let control: ScanControl
    private let objects: ObjectDatabase
    private let refs: Refs
    private var authors: [ObjectID: Occurrence.Author?] = [:]

    init(
        _ database: ScanListing.Database, _ found: Found, _ known: [FilePath: KnownPack], _ pool: CommitPool,
        _ terms: SearchTerms, _ options: ScanOptions, _ control: ScanControl
    ) {
        self.pool = pool
        self.database = database
        self.found = found
        self.known = known
        self.terms = terms
        self.options = options
        self.control = control
        objects = ObjectDatabase(
            packs: database.allPacks, objectDirectories: database.layout.objectDirectories,
            format: database.layout.objectFormat, limit: 256 << 20, known: known)
        refs = Refs(database.layout)
    }

    /// A hit at one place in history.
    private struct Item {
        var object: ObjectID
        var kind: ObjectKind
        var hit: PlacedHit
        var path: [UInt8]?
        /// Its commit's position in history: reachable history first, then what dangles, then what has no
        /// commit.
        var order: Int
        var commit: ObjectID?
        var isReachable: Bool
        var isInHead: Bool
    }

    /// What a scan has read for the first time, where the rest of the repository was read by earlier ones.
    struct Fresh {
        var packs: Set<FilePath>
        /// Positions in the listing.
        var loose: [Int]
    }

    /// What is new stands in commits that are new: as long as all of it is found there, old history is not gone into.
    mutating func trace(_ fresh: Fresh?) -> [Occurrence] {
        if let fresh, let occurrences = trace(within: fresh) { return occurrences }
        return trace(within: nil) ?? []
    }

    /// - Returns: nil if it takes more history than is fresh.
    private mutating func trace(within fresh: Fresh?) -> [Occurrence]? {
        let inTrees = Set(found.filter { $0.value.kind == .blob || $0.value.kind == .tree }.keys)
        let packs = knownPacks(inTrees, fresh)
        let loose = looseHistory(fresh)
        for (commit, links) in loose.commits { pool.add(commit, links) }
        let history = History(
            from: refs.tips.union(database.tips), in: objects, pool: pool, onlyKnown: fresh != nil,
            in: options.scratch, control)
        let closure = TreeClosure(
            above: inTrees, packs: packs, loose: loose.trees, threads: options.threads,
            mostEdges: options.mostTreeEdges, in: options.scratch, control)
        let idLength = database.layout.objectFormat.idLength
        var provenance = Provenance(
            of: inTrees, in: history, closure, objects, idLength: idLength, control)
        var inHead: [[UInt8]: ObjectID] = [:]
        if let head = refs.head, let position = history.position(of: head) {
            inHead = provenance.addPlaces(inHead: position)
        }
        var lost: History?
        var lostProvenance: Provenance?
        let isLost = { (id: ObjectID, kind: ObjectKind) -> Bool in
            switch kind {
            case .blob, .tree: provenance.places[id] == nil
            case .commit: history.position(of: id) == nil
            case .tag: fresh != nil
            }
        }
        if fresh != nil, found.contains(where: { isLost($0.key, $0.value.kind) }) { return nil }
        if found.contains(where: { isLost($0.key, $0.value.kind) }) {
            let tips = pool.table.ids.lazy.filter { history.position(of: $0) == nil }
            let dangling = History(
                from: tips, in: objects, pool: pool, known: history, in: options.scratch, control)
            let missing = inTrees.filter { provenance.places[$0] == nil }
            lost = dangling
            lostProvenance = Provenance(
                of: missing, in: dangling, closure, objects, idLength: idLength, control)
        }
        var items: [Item] = []
        for (id, object) in found {
            for hit in object.hits {
                items += self.items(id, object.kind, hit, provenance, lost, lostProvenance, inHead)
            }
        }
        items.sort {
            ($0.order, $0.object, $0.hit.start, $0.hit.term, $0.path?.count ?? 0)
                < ($1.order, $1.object, $1.hit.start, $1.hit.term, $1.path?.count ?? 0)
        }
        return occurrences(items)
    }

    private func knownPacks(_ sought: Set<ObjectID>, _ fresh: Fresh?) -> [KnownPack] {
        let nothing = try? SearchTerms([])
        // Trees are noted whether they are asked for or not.
        let blobs = sought.filter { found[$0]?.kind == .blob }
        return database.allPacks.filter { fresh?.packs.contains($0) ?? true }.compactMap { path in
            if let pack = known[path], pack.trees != nil, pack.sought.isSuperset(of: blobs) { return pack }
            guard let nothing,
                let pack = try? known[path]?.pack ?? Pack(path, format: database.layout.objectFormat),
                let table = try? known[path]?.table
                    ?? PackTable(
                        pack, threads: options.threads, large: options.memoryPerThread / 3, in: options.scratch)
            else { return nil }
            let finder = HitFinder(terms: nothing, recognizer: NoSecretsKnown(), engine: .naive)
            // What cannot be read was a problem of the pack's search.
            return try? PackSearch.run(
                pack, table, finder, options, control, searches: false, sought: sought, pool: pool
            ).known
        }
    }

    private func looseHistory(_ fresh: Fresh?) -> (trees: [ObjectID: [ObjectID]], commits: [ObjectID: CommitLinks]) {
        var trees: [ObjectID: [ObjectID]] = [:]
        var commits: [ObjectID: CommitLinks] = [:]
        for file in fresh.map({ $0.loose.map { database.loose[$0] } }) ?? database.loose {
            guard let object = objects.read(file.name) else { continue }
            object.withBytes { bytes in
                switch object.kind {
                case .tree:
                    var held: [ObjectID] = []
                    Tree.forEach(bytes, idLength: database.layout.objectFormat.idLength) { held.append($2) }
                    trees[file.name] = held
                case .commit: commits[file.name] = CommitLinks(bytes)
                case .blob, .tag: break
                }
            }
        }
        return (trees, commits)
    }

    private func items(
        _ id: ObjectID, _ kind: ObjectKind, _ hit: PlacedHit, _ provenance: Provenance, _ lost: History?,
        _ lostProvenance: Provenance?, _ inHead: [[UInt8]: ObjectID]
    ) -> [Item] {
        let reachable = provenance.history
        func item(_ path: [UInt8]?, _ position: Int?, in history: History?, isReachable: Bool, inHead: Bool)
            -> Item
        {
            let start = isReachable ? 0 : reachable.count
            return Item(
                object: id, kind: kind, hit: hit, path: path, order: position.map { $0 + start } ?? Int.max,
                commit: position.flatMap { history?.commit(at: $0) }, isReachable: isReachable, isInHead: inHead)
        }
        switch kind {
        case .commit:
            if let position = reachable.position(of: id) {
                return [item(nil, position, in: reachable, isReachable: true, inHead: false)]
            }
            return [item(nil, lost?.position(of: id), in: lost, isReachable: false, inHead: false)]
        case .tag:
            return [item(nil, nil, in: nil, isReachable: reachable.others.contains(id), inHead: false)]
        case .blob, .tree:
            let suffix = kind == .tree ? entryName(in: id, at: hit.start) : nil
            func path(_ place: [UInt8]) -> [UInt8]? {
                guard kind == .tree else { return hit.path(in: place) }
                guard let suffix else { return place.isEmpty ? nil : place }
                return place.isEmpty ? suffix : place + [UInt8(ascii: "/")] + suffix
            }
            if let places = provenance.places[id] {
                return places.map {
                    item(
                        path($0.path), $0.commit, in: reachable, isReachable: true,
                        inHead: inHead[$0.path] == id)
                }
            }
            if let places = lostProvenance?.places[id] {
                return places.map {
                    item(path($0.path), $0.commit, in: lost, isReachable: false, inHead: false)
                }
            }
            let staged = database.staged[id]
            let isHeld = staged != nil || reachable.others.contains(id)
            let inside = hit.inside.map { _ in hit.path(in: Array(id.hex.utf8)) }
            return [item(suffix ?? staged.map(hit.path) ?? inside, nil, in: nil, isReachable: isHeld, inHead: false)]
        }
    }

    /// The name of the tree's entry that `offset` lies in.
    private func entryName(in tree: ObjectID, at offset: UInt64) -> [UInt8]? {
        var found: [UInt8]?
        objects.read(tree)?.withBytes { bytes in
            Tree.forEach(bytes, idLength: database.layout.objectFormat.idLength) { _, name, _ in
                guard name.contains(Int(clamping: offset)) else { return }
                found = name.map { bytes[$0] }
            }
        }
        return found
    }

    /// One occurrence for each object and offset if all are asked for; else one for each term, secret and
    /// place.
    private mutating func occurrences(_ items: [Item]) -> [Occurrence] {
        struct Key: Hashable {
            var what: HitSelection.What
            var source: ObjectKind
            var path: [UInt8]?
            var object: ObjectID?
            var offset: UInt64
        }
        var order: [Key] = []
        var groups: [Key: (first: Item, objects: Set<ObjectID>, isInHead: Bool)] = [:]
        for item in items {
            let all = options.allOccurrences
            let what = HitSelection.What(
                Hit(start: item.hit.start, term: item.hit.term, secret: item.hit.secret, form: item.hit.form))
            let key = Key(
                what: what, source: item.kind, path: all ? item.hit.inside : item.path, object: all ? item.object : nil,
                offset: all ? item.hit.start : 0)
            if groups[key] == nil {
                groups[key] = (item, [item.object], item.isInHead)
                order.append(key)
            } else {
                groups[key]?.objects.insert(item.object)
                if item.isInHead { groups[key]?.isInHead = true }
            }
        }
        return order.compactMap { key in
            groups[key].map { occurrence($0.first, isInHead: $0.isInHead, $0.objects) }
        }
    }

    private mutating func occurrence(_ item: Item, isInHead: Bool, _ objects: Set<ObjectID>) -> Occurrence {
        let source: Occurrence.Source =
            switch item.kind {
            case .blob: .blob
            case .commit: .commit
            case .tag: .tag
            case .tree: .tree
            }
        return Occurrence(
            term: terms.ids[Int(item.hit.term)],
            grade: item.hit.secret.map { .confirmed(secret: $0) } ?? .mention, form: item.hit.form,
            source: source, repository: database.layout.root, object: item.object.hex, offset: item.hit.start,
            path: item.path.map { FilePath(bytes: $0) }, line: item.kind == .tree ? nil : item.hit.line,
            column: item.kind == .tree ? nil : item.hit.column, commit: item.commit?.hex,
            author: author(of: item.commit ?? (item.kind == .tag ? item.object : nil)),
            isReachable: item.isReachable, isInHead: isInHead, objectCount: objects.count,
            objects: objects.map(\.hex).sorted())
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
