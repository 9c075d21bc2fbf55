/// An object under a path, be it in one commit or in many.
struct ObjectPlace: Hashable {
    let object: ObjectID
    let path: [UInt8]
}

/// Finds where new commits have put blobs that are known from earlier scans: a file that was copied, or moved, as it is, alone
/// or with its folder. Nothing of such a blob is new, so no search of what is new comes upon it.
///
/// A commit whose parents were scanned before can only differ from them in new trees. So the tips of what is new are compared with
/// the commits that it builds on, and only where they differ is anything read: a push costs what it changes.
struct CopySearch {
    private let objects: ObjectDatabase
    private let pool: CommitPool
    private let idLength: Int
    private let space: ScratchSpace
    private let control: ScanControl

    /// The maximum number of trees, and of their entries, that are compared; hostile ones nest without end.
    private static let mostTrees = 100_000
    private static let mostEntries = 20_000_000
    /// The bytes of the paths of trees that wait to be compared.
    private static let mostPathBytes = 64 << 20
    /// The maximum number of places that are reported.
    private static let mostPlaces = 10_000
    /// The maximum number of parents of new commits that are compared with.
    private static let mostBases = 32
    /// So often a path is looked up in a commit.
    private static let mostLookups = 20_000

    /// - Parameter pool: the new commits, and no others.
    init(
        _ objects: ObjectDatabase, _ pool: CommitPool, idLength: Int, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.objects = objects
        self.pool = pool
        self.idLength = idLength
        self.space = space
        self.control = control
    }

    /// The places at which the tips of the new commits have some blobs and the commits that they build on do not, with the
    /// first of the new commits, parents before children, that has the blob there.
    func places(of blobs: Set<ObjectID>) -> [ObjectPlace: ObjectID] {
        guard !blobs.isEmpty, pool.table.count > 0 else { return [:] }
        let (tips, bases) = ends()
        var found: [ObjectPlace: ObjectID] = [:]
        for (place, tip) in newPlaces(of: blobs, tips, bases) { found[place] = tip }
        guard !found.isEmpty else { return [:] }
        let history = History(from: tips, in: objects, pool: pool, onlyKnown: true, in: space, control)
        var waiting = Set(found.keys)
        var left = Self.mostLookups
        for position in 0..<history.count where !waiting.isEmpty && left > 0 && !control.isCancelled {
            left -= waiting.count
            for place in waiting
            where objects.object(at: place.path, in: history.tree(at: position), idLength: idLength) == place.object {
                found[place] = history.commit(at: position)
                waiting.remove(place)
            }
        }
        return found
    }

    /// The new commits that no new commit builds on, whether a ref leads to them yet or not; and the trees of the other commits
    /// that new ones build on.
    private func ends() -> (tips: [ObjectID], bases: [ObjectID]) {
        var isParent = [Bool](repeating: false, count: pool.table.count)
        var bases: Set<ObjectID> = []
        func note(_ parent: ObjectID) {
            if let number = pool.table.number(of: parent) {
                isParent[number] = true
            } else if bases.count < Self.mostBases {
                bases.insert(parent)
            }
        }
        for number in 0..<pool.links.count {
            if let parent = pool.links[number].firstParent { note(parent) }
            pool.links.forEachOtherParent(of: number, note)
        }
        let tips = isParent.indices.filter { !isParent[$0] }.map { pool.table.ids[$0] }
        return (tips, bases.compactMap { objects.tree(ofCommit: $0) })
    }

    /// A tree at a path, and what the bases have there.
    private struct Step {
        var tree: ObjectID
        var path: [UInt8]
        var bases: [ObjectID]
    }

    private func newPlaces(
        of blobs: Set<ObjectID>, _ tips: [ObjectID], _ bases: [ObjectID]
    ) -> [(place: ObjectPlace, tip: ObjectID)] {
        var found: [(ObjectPlace, ObjectID)] = []
        var left = Self.mostTrees
        var entriesLeft = Self.mostEntries
        var waitingBytes = 0
        var seen: Set<ObjectPlace> = []
        for tip in tips {
            guard let number = pool.table.number(of: tip) else { continue }
            var waiting = [Step(tree: pool.links[number].tree, path: [], bases: bases)]
            while let step = waiting.popLast(), left > 0, entriesLeft > 0, found.count < Self.mostPlaces,
                !control.isCancelled
            {
                control.showLife()
                waitingBytes -= step.path.count
                guard !step.bases.contains(step.tree),
                    seen.insert(ObjectPlace(object: step.tree, path: step.path)).inserted
                else { continue }
                left -= 1
                var old: [[UInt8]: [ObjectID]] = [:]
                for base in step.bases {
                    objects.forEachEntry(of: base, idLength: idLength) {
                        entriesLeft -= 1
                        old[$1, default: []].append($2)
                    }
                }
                objects.forEachEntry(of: step.tree, idLength: idLength) { kind, name, id in
                    entriesLeft -= 1
                    let before = old[name] ?? []
                    guard kind != .submodule, !before.contains(id) else { return }
                    let path = step.path + (step.path.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                    guard path.count < 8192 else { return }
                    if kind == .directory {
                        guard waitingBytes + path.count <= Self.mostPathBytes else { return }
                        waitingBytes += path.count
                        // What was a file before is read as a tree in vain.
                        waiting.append(Step(tree: id, path: path, bases: before))
                    } else if blobs.contains(id), found.count < Self.mostPlaces {
                        found.append((ObjectPlace(object: id, path: path), tip))
                    }
                }
            }
        }
        return found
    }
}
