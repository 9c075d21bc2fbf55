import SystemPackage

/// Objects that were here before a push, and that no ref has led to until now: what was only unreachable, or lay in a
/// repository that objects are borrowed from. Git does not send them again, so nothing of them is in what came.
final class ExposedObjects {
    private let layout: RepositoryLayout
    private let objects: ObjectDatabase
    private let finder: HitFinder
    private let contents: BlobSearch
    private let options: ScanOptions
    private let control: ScanControl
    private let idLength: Int
    private var found: [Occurrence] = []
    /// Trees and blobs that were searched.
    private var seen: Set<ObjectID> = []
    /// What should have been searched, and is not here, damaged or too large.
    private(set) var unread: Set<ObjectID> = []

    /// The maximum number of trees that are read to find the path of something.
    private static let mostTrees = 100_000

    init(
        _ layout: RepositoryLayout, packs: [FilePath], _ context: SearchContext
    ) {
        self.layout = layout
        (finder, options, control) = (context.finder, context.options, context.control)
        idLength = layout.objectFormat.idLength
        objects = ObjectDatabase(
            packs: packs, objectDirectories: layout.objectDirectories, format: layout.objectFormat,
            limit: options.memoryForLargeObjects)
        contents = BlobSearch(context)
    }

    /// What is in the objects that `entries` lead to and the refs do not.
    ///
    /// - Parameters:
    ///   - entries: objects that were here before, and that new ones or new refs name.
    ///   - tips: what the new refs lead to.
    func occurrences(from entries: Set<ObjectID>, tips: [ObjectID]) -> [Occurrence] {
        var commits: [ObjectID] = []
        var others: Set<ObjectID> = []
        var waiting = Array(entries)
        var known: Set<ObjectID> = []
        let old = Array(RefTips(layout).ids)
        while let id = waiting.popLast() {
            guard known.insert(id).inserted, let object = read(id) else { continue }
            switch object.kind {
            case .commit: commits.append(id)
            case .tree, .blob: others.insert(id)
            case .tag:
                // One that a ref leads to was searched with it.
                guard !old.contains(id) else { continue }
                add(contents.hits(in: object, id), id, .tag, path: nil, commit: id)
                if let target = object.withBytes({ Tag($0).object }) { waiting.append(target) }
            }
        }
        let walk = NewCommits(from: commits, besides: old, in: objects, control)
        for commit in walk.new where !control.isCancelled { search(commit) }
        if !others.isEmpty { search(others, beside: walk.border, tips) }
        return found
    }

    /// Reads what is to be searched.
    private func read(_ id: ObjectID) -> ObjectDatabase.Object? {
        let object = objects.read(id)
        if object == nil { noteUnread(id) }
        return object
    }

    private func noteUnread(_ id: ObjectID) { if id != layout.objectFormat.emptyTree { unread.insert(id) } }

    /// Searches a commit, and what its tree has and those of its parents have not.
    private func search(_ commit: NewCommits.Commit) {
        if let object = read(commit.id) {
            add(contents.hits(in: object, commit.id), commit.id, .commit, path: nil, commit: commit.id)
        }
        let parents = commit.parents.compactMap { objects.tree(ofCommit: $0) }
        search(tree: commit.tree, beside: parents, at: [], commit: commit.id)
    }

    private func search(tree: ObjectID, beside bases: [ObjectID], at path: [UInt8], commit: ObjectID?) {
        var waiting = [(tree, bases, path)]
        while let (tree, bases, folder) = waiting.popLast(), !control.isCancelled {
            guard !bases.contains(tree) else { continue }
            var old: [[UInt8]: [ObjectID]] = [:]
            for base in bases { objects.forEachEntry(of: base, idLength: idLength) { old[$1, default: []].append($2) } }
            let isRead = objects.forEachEntry(of: tree, idLength: idLength) { kind, name, id in
                let before = old[name] ?? []
                guard kind != .submodule, !before.contains(id), folder.count < 8192 else { return }
                let path = folder + (folder.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                if before.isEmpty { addName(name, at: path, in: tree, commit: commit) }
                guard seen.insert(id).inserted else { return }
                if kind == .directory {
                    waiting.append((id, before, path))
                } else if let object = read(id) {
                    add(contents.hits(in: object, id), id, .blob, path: path, commit: commit)
                }
            }
            if !isRead { noteUnread(tree) }
        }
    }

    /// Searches what new trees took from here, as far as it is not in the commits that the new ones build on.
    private func search(_ entries: Set<ObjectID>, beside border: [ObjectID], _ tips: [ObjectID]) {
        var rest = entries
        for tree in border.compactMap(objects.tree(ofCommit:)) {
            rest.remove(tree)
            forEachEntry(below: tree) { _, id in rest.remove(id) }
        }
        var paths: [ObjectID: [UInt8]] = [:]
        for tip in tips where !rest.isEmpty {
            guard let tree = objects.tree(ofCommit: tip) else { continue }
            forEachEntry(below: tree) { path, id in if rest.contains(id), paths[id] == nil { paths[id] = path } }
        }
        for id in rest.sorted() where seen.insert(id).inserted {
            guard let object = read(id) else { continue }
            if object.kind == .tree {
                search(tree: id, beside: [], at: paths[id] ?? [], commit: nil)
            } else {
                add(contents.hits(in: object, id), id, .blob, path: paths[id], commit: nil)
            }
        }
    }

    /// Calls `body` with each file and folder below a tree.
    private func forEachEntry(below tree: ObjectID, _ body: ([UInt8], ObjectID) -> Void) {
        var seen: Set<ObjectID> = [tree]
        var waiting: [(ObjectID, [UInt8])] = [(tree, [])]
        var left = Self.mostTrees
        while let (tree, folder) = waiting.popLast(), left > 0, !control.isCancelled {
            left -= 1
            objects.forEachEntry(of: tree, idLength: idLength) { kind, name, id in
                guard kind != .submodule else { return }
                let path = folder + (folder.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                body(path, id)
                if kind == .directory, seen.insert(id).inserted { waiting.append((id, path)) }
            }
        }
    }

    private func addName(_ name: [UInt8], at path: [UInt8], in tree: ObjectID, commit: ObjectID?) {
        let placed = finder.hits(inName: name).map {
            PlacedHit(start: $0.start, term: $0.term, secret: $0.secret, form: $0.form, line: 0, column: 0)
        }
        add(placed, tree, .tree, path: path, commit: commit)
    }

    private func add(
        _ hits: [PlacedHit], _ object: ObjectID, _ source: Occurrence.Source, path: [UInt8]?, commit: ObjectID?
    ) {
        guard !hits.isEmpty else { return }
        let author = commit.flatMap { objects.read($0) }.flatMap { object in
            object.withBytes { object.kind == .tag ? Tag($0).tagger : Commit.author($0) }
        }
        for hit in hits {
            found.append(
                Occurrence(
                    term: finder.terms.id(of: hit.term),
                    grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention, form: hit.form, source: source,
                    repository: layout.root, object: object.hex, offset: hit.start,
                    path: path.map { FilePath(bytes: hit.path(in: $0)) }, line: hit.line > 0 ? hit.line : nil,
                    column: hit.line > 0 ? hit.column : nil, commit: source == .tag ? nil : commit?.hex,
                    author: author, isReachable: true, isInHead: false, objectCount: 1, objects: [object.hex]))
        }
    }
}
