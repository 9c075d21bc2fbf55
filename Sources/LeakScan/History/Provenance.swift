import SystemPackage

/// For some blobs and trees the commit that brought each in first, and its paths.
///
/// Which commit that is follows from the ``TreeClosure`` alone; only that commit's trees are read, for the paths. A
/// path that an object was moved or copied to later is known if the object is there at the tip of a branch.
///
/// A tree can hold another many times, and that one the next, so that a push of some kilobytes has more paths than there are
/// atoms. What is looked at and what is kept is bounded (``TraceBounds``); ``isCutShort`` says that there is more.
struct Provenance {
    /// A path that an object is at, and the first commit that has the object there.
    struct Place: Hashable {
        var path: [UInt8]
        /// Its position in ``history``.
        var commit: Int
    }

    let history: History
    private(set) var places: PlaceTable
    /// Some places were not looked for, or not kept.
    var isCutShort: Bool { hasReachedBound || places.overfull > 0 }

    private let closure: TreeClosure
    private let database: ObjectDatabase
    private let idLength: Int
    private let bounds: TraceBounds
    private let control: ScanControl
    private var hasReachedBound = false
    /// Entries of trees, and commits, that may still be looked at.
    private var stepsLeft: Int
    /// The bytes that paths may still take.
    private var pathBytesLeft: Int

    init(
        of objects: IDTable, in history: History, _ closure: TreeClosure, _ database: ObjectDatabase,
        idLength: Int, bounds: TraceBounds, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.history = history
        places = PlaceTable(of: objects, mostPlaces: bounds.placesOfObject, in: space)
        self.closure = closure
        self.database = database
        self.idLength = idLength
        self.bounds = bounds
        self.control = control
        stepsLeft = bounds.steps(forObjects: objects.count)
        pathBytesLeft = bounds.pathBytes
        let first = closure.firstCommits(in: history)
        for number in first.objects {
            let object = closure.object(number)
            guard places.concerns(object), !places.has(object) else { continue }
            if control.isCancelled { return }
            let commit = first.commit(ofObject: number)
            // A tree that leads to something new is new itself.
            addPlaces(at: commit) { first.commit(of: $0) == commit }
            if !places.has(object) { search(for: object, after: commit) }
        }
    }

    /// Adds the paths at which a commit, the tip of a branch, has the objects.
    ///
    /// - Returns: which objects it has at which paths.
    mutating func addPlaces(atTip commit: Int) -> [[UInt8]: ObjectID] {
        guard closure.contains(history.tree(at: commit)) else { return [:] }
        let closure = closure
        let found = paths(inTreeOf: commit, closure.contains)
        for (path, id) in found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        where !places.has(id, at: path) {
            places.add(Place(path: path, commit: firstCommit(with: id, at: path, upTo: commit)), of: id)
        }
        return found
    }

    /// The oldest commit that has an object at a path, where it is there at a tip; the tip if that would take too long.
    private mutating func firstCommit(with id: ObjectID, at path: [UInt8], upTo tip: Int) -> Int {
        // No commit before those has the object at all.
        let start = places.oldestCommit(of: id) ?? tip
        for position in start..<max(start, tip) {
            guard takeSteps(1) else { return tip }
            guard closure.contains(history.tree(at: position)) else { continue }
            guard takeSteps(TraceBounds.stepsOfLookup) else { return tip }
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
    private mutating func search(for object: ObjectID, after commit: Int) {
        let closure = closure
        for position in (commit + 1)..<max(commit + 1, history.count) where !control.isCancelled {
            guard takeSteps(1) else { return }
            guard closure.contains(history.tree(at: position)) else { continue }
            addPlaces(at: position, closure.contains)
            if places.has(object) { return }
        }
    }

    /// Where the objects are in a commit's tree, as far as wanted trees lead to them.
    private mutating func paths(inTreeOf commit: Int, _ wants: (ObjectID) -> Bool) -> [[UInt8]: ObjectID] {
        var found: [[UInt8]: ObjectID] = [:]
        var counts: [ObjectID: Int] = [:]
        var full = 0
        let root = history.tree(at: commit)
        if places.concerns(root) { found[[]] = root }
        var waiting: [(ObjectID, [UInt8])] = [(root, [])]
        let end = max(0, stepsLeft - bounds.stepsInCommit)
        // A folder of other paths that are still to be looked at, so that their number is bounded too.
        var waitingBytes = 0
        while let (tree, path) = waiting.popLast() {
            waitingBytes -= path.count
            guard stepsLeft > end, full < places.objectCount, !control.isCancelled else {
                hasReachedBound = true
                break
            }
            var steps = 1
            forEachChild(of: tree, path, steps: &steps, limit: stepsLeft - end, wants) { path, id, isTree in
                if places.concerns(id), found[path] == nil {
                    let count = counts[id, default: 0] + 1
                    counts[id] = count
                    if count <= bounds.placesOfObject + 1, path.count <= pathBytesLeft {
                        pathBytesLeft -= path.count
                        found[path] = id
                    } else {
                        hasReachedBound = true
                    }
                    if count == bounds.placesOfObject + 1 { full += 1 }
                }
                guard isTree else { return }
                guard waitingBytes + path.count <= bounds.pathBytes else {
                    hasReachedBound = true
                    return
                }
                waitingBytes += path.count
                waiting.append((id, path))
            }
            _ = takeSteps(steps)
        }
        return found
    }

    /// - Returns: false if there were none left.
    private mutating func takeSteps(_ count: Int) -> Bool {
        stepsLeft -= count
        if stepsLeft < 0 { hasReachedBound = true }
        control.showLife()
        return stepsLeft >= 0
    }

    /// Calls `body` for each entry that is wanted, with its whole path.
    private func forEachChild(
        of tree: ObjectID, _ path: [UInt8], steps: inout Int, limit: Int, _ wants: (ObjectID) -> Bool,
        _ body: (_ path: [UInt8], _ id: ObjectID, _ isTree: Bool) -> Void
    ) {
        guard path.count < 8192, let object = database.read(tree), object.kind == .tree else { return }
        object.withBytes { bytes in
            Tree.forEach(bytes, idLength: idLength) { kind, name, id in
                steps += 1
                guard kind != .submodule, steps <= limit, wants(id) else { return }
                var path = path
                if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                for index in name { path.append(bytes[index]) }
                body(path, id, kind == .directory)
            }
        }
    }
}
