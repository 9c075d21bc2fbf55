import SystemPackage

/// Says for some blobs and trees which commit brought them in first, and under which paths.
///
/// Goes through history from its oldest commit on, but reads only trees that lead to one of the objects and
/// hold something on the way to it that no earlier commit had. A path that an object was only moved to later
/// is known if it stands there in HEAD.
struct Provenance {
    /// A path that an object stands at, and the first commit that has it there.
    struct Place: Hashable {
        var path: [UInt8]
        /// Its position in ``history``.
        var commit: Int
    }

    let history: History
    private(set) var places: [ObjectID: [Place]] = [:]
    private let objects: Set<ObjectID>
    private let closure: TreeClosure
    private let database: ObjectDatabase
    private let idLength: Int

    init(
        of objects: Set<ObjectID>, in history: History, _ closure: TreeClosure, _ database: ObjectDatabase,
        idLength: Int, _ control: ScanControl
    ) {
        self.history = history
        self.objects = objects
        self.closure = closure
        self.database = database
        self.idLength = idLength
        var seen: Set<ObjectID> = []
        for (commit, root) in history.trees.enumerated() {
            if control.isCancelled { return }
            if objects.contains(root), seen.insert(root).inserted {
                places[root, default: []].append(Place(path: [], commit: commit))
            }
            walk(root, [], &seen) { path, id in
                places[id, default: []].append(Place(path: path, commit: commit))
            }
        }
    }

    /// Adds the paths at which a commit, HEAD's, has the objects.
    ///
    /// - Returns: which objects it has at which paths.
    mutating func addPlaces(inTreeOf commit: Int) -> [[UInt8]: ObjectID] {
        var found: [[UInt8]: ObjectID] = [:]
        let root = history.trees[commit]
        if objects.contains(root) { found[[]] = root }
        var waiting: [(ObjectID, [UInt8])] = [(root, [])]
        var steps = 0
        while let (tree, path) = waiting.popLast(), steps < 1_000_000 {
            steps += 1
            forEachChild(of: tree, path) { path, id in
                if objects.contains(id) { found[path] = id }
                if closure.children[id] != nil { waiting.append((id, path)) }
            }
        }
        for (path, id) in found where !(places[id] ?? []).contains(where: { $0.path == path }) {
            places[id, default: []].append(Place(path: path, commit: commit))
        }
        return found
    }

    private func walk(
        _ root: ObjectID, _ path: [UInt8], _ seen: inout Set<ObjectID>, _ found: ([UInt8], ObjectID) -> Void
    ) {
        var waiting = [(root, path)]
        while let (tree, path) = waiting.popLast() {
            guard let held = closure.children[tree], !held.allSatisfy(seen.contains) else { continue }
            var fresh: Set<ObjectID> = []
            forEachChild(of: tree, path) { path, id in
                guard fresh.contains(id) || !seen.contains(id) else { return }
                fresh.insert(id)
                if objects.contains(id) { found(path, id) }
                if closure.children[id] != nil { waiting.append((id, path)) }
            }
            seen.formUnion(fresh)
            // What the tree was said to hold and does not have as an entry must not be looked for in it
            // again.
            seen.formUnion(held)
        }
    }

    /// Calls `body` for each entry that leads to the objects, with its whole path.
    private func forEachChild(of tree: ObjectID, _ path: [UInt8], _ body: ([UInt8], ObjectID) -> Void) {
        guard let held = closure.children[tree], path.count < 8192, let object = database.read(tree),
            object.kind == .tree
        else { return }
        let wanted = Set(held)
        object.withBytes { bytes in
            Tree.forEach(bytes, idLength: idLength) { kind, name, id in
                guard kind != .submodule, wanted.contains(id) else { return }
                var path = path
                if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                for index in name { path.append(bytes[index]) }
                body(path, id)
            }
        }
    }
}
