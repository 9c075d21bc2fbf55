import SystemPackage

/// Says for some blobs and trees which commit brought them in first, and under which paths.
///
/// Which commit that is follows from the ``TreeClosure`` alone; only that commit's trees are read, for the paths. A
/// path that an object was moved or copied to later is known if it stands there at the tip of a branch.
struct Provenance {
    /// A path that an object stands at, and the first commit that has the object there.
    struct Place: Hashable {
        var path: [UInt8]
        /// Its position in ``history``.
        var commit: Int
    }

    let history: History
    private(set) var places: PlaceTable
    private let closure: TreeClosure
    private let database: ObjectDatabase
    private let idLength: Int

    /// So many later commits are tried for an object that does not stand where it seemed to.
    private static let mostTries = 10_000
    /// So often a path is looked up in a commit, for all objects together, to see since when an object stands at it.
    private var lookupsLeft = 10_000

    init(
        of objects: IDTable, in history: History, _ closure: TreeClosure, _ database: ObjectDatabase,
        idLength: Int, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.history = history
        places = PlaceTable(of: objects, in: space)
        self.closure = closure
        self.database = database
        self.idLength = idLength
        let first = closure.firstCommits(in: history)
        for number in first.objects {
            let object = closure.object(number)
            guard places.concerns(object), !places.has(object) else { continue }
            if control.isCancelled { return }
            let commit = first.commit(ofObject: number)
            // A tree that leads to something new is new itself.
            addPlaces(at: commit) { first.commit(of: $0) == commit }
            if !places.has(object) { search(for: object, after: commit, control) }
        }
    }

    /// Adds the paths at which a commit, the tip of a branch, has the objects.
    ///
    /// - Returns: which objects it has at which paths.
    mutating func addPlaces(atTip commit: Int) -> [[UInt8]: ObjectID] {
        guard closure.contains(history.tree(at: commit)) else { return [:] }
        let found = paths(inTreeOf: commit, closure.contains)
        for (path, id) in found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        where !places.has(id, at: path) {
            places.add(Place(path: path, commit: firstCommit(with: id, at: path, upTo: commit)), of: id)
        }
        return found
    }

    /// The oldest commit that has an object at a path, where it stands there at a tip; the tip if that would take too long.
    private mutating func firstCommit(with id: ObjectID, at path: [UInt8], upTo tip: Int) -> Int {
        // No commit before those has the object at all.
        let start = places[id]?.map(\.commit).min() ?? tip
        for position in start..<max(start, tip) where closure.contains(history.tree(at: position)) {
            guard lookupsLeft > 0 else { return tip }
            lookupsLeft -= 1
            if database.object(at: path, in: history.tree(at: position), idLength: idLength) == id { return position }
        }
        return tip
    }

    private mutating func addPlaces(at commit: Int, _ wants: (ObjectID) -> Bool) {
        var fresh: [ObjectID: [Place]] = [:]
        for (path, id) in paths(inTreeOf: commit, wants) where !places.has(id) {
            fresh[id, default: []].append(Place(path: path, commit: commit))
        }
        for (id, found) in fresh {
            for place in found.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) { places.add(place, of: id) }
        }
    }

    /// The first six bytes of two ids were the same: commit by commit then.
    private mutating func search(for object: ObjectID, after commit: Int, _ control: ScanControl) {
        var tries = 0
        for position in (commit + 1)..<max(commit + 1, history.count) where !control.isCancelled {
            guard closure.contains(history.tree(at: position)) else { continue }
            addPlaces(at: position, closure.contains)
            tries += 1
            if places.has(object) || tries == Self.mostTries { return }
        }
    }

    /// Where the objects stand in a commit's tree, as far as wanted trees lead to them.
    private func paths(inTreeOf commit: Int, _ wants: (ObjectID) -> Bool) -> [[UInt8]: ObjectID] {
        var found: [[UInt8]: ObjectID] = [:]
        let root = history.tree(at: commit)
        if places.concerns(root) { found[[]] = root }
        var waiting: [(ObjectID, [UInt8])] = [(root, [])]
        var steps = 0
        // A hostile tree could hold another many times, and that one the next.
        while let (tree, path) = waiting.popLast(), steps < 100_000 {
            steps += 1
            forEachChild(of: tree, path, wants) { path, id, isTree in
                if places.concerns(id) { found[path] = id }
                if isTree { waiting.append((id, path)) }
            }
        }
        return found
    }

    /// Calls `body` for each entry that is wanted, with its whole path.
    private func forEachChild(
        of tree: ObjectID, _ path: [UInt8], _ wants: (ObjectID) -> Bool, _ body: ([UInt8], ObjectID, Bool) -> Void
    ) {
        guard path.count < 8192, let object = database.read(tree), object.kind == .tree else { return }
        object.withBytes { bytes in
            Tree.forEach(bytes, idLength: idLength) { kind, name, id in
                guard kind != .submodule, wants(id) else { return }
                var path = path
                if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                for index in name { path.append(bytes[index]) }
                body(path, id, kind == .directory)
            }
        }
    }
}
