/// Says which of some absent objects history leads to: from its commits down the trees that seem to lead to one.
struct HistoryWalk {
    private let history: History
    /// The trees above the absent objects.
    private let closure: TreeClosure
    private let objects: ObjectDatabase
    private let idLength: Int
    /// Commits whose parents are not expected to be here.
    private let borders: Set<ObjectID>
    private let control: ScanControl
    private var wanted: IDTable
    private var seen: IDTable
    private var waiting: LongArray<ObjectID>
    private var missing: Set<ObjectID> = []

    init(
        _ absent: IDTable, in history: History, _ closure: TreeClosure, _ objects: ObjectDatabase, idLength: Int,
        borders: Set<ObjectID>, in space: ScratchSpace, control: ScanControl
    ) {
        self.history = history
        self.closure = closure
        self.objects = objects
        self.idLength = idLength
        self.borders = borders
        self.control = control
        wanted = absent
        seen = IDTable(in: space)
        waiting = LongArray(in: space)
    }

    /// Those of the absent objects that history leads to.
    consuming func run() -> Set<ObjectID> {
        // Read from a copy, since every use through `self`, which changes, would count references.
        let history = history
        for id in history.others { follow(id) }
        for position in 0..<history.count where !isDone {
            if !borders.contains(history.commit(at: position)) {
                history.forEachParent(at: position) { if wanted.contains($0) { missing.insert($0) } }
            }
            reach(history.tree(at: position))
            followTrees()
        }
        return missing
    }

    private var isDone: Bool { missing.count == wanted.count || control.isCancelled }

    /// Follows what a tag leads to, or a tag itself.
    private mutating func follow(_ id: ObjectID) {
        guard !isDone, let object = objects.read(id) else { return }
        switch object.kind {
        case .blob, .commit: break
        case .tag:
            if let target = object.withBytes({ Tag($0).object }), wanted.contains(target) { missing.insert(target) }
        case .tree:
            reach(id)
            followTrees()
        }
    }

    private mutating func reach(_ tree: ObjectID) {
        if wanted.contains(tree) {
            missing.insert(tree)
        } else if closure.mayContain(tree), seen.insert(tree).isNew {
            waiting.append(tree)
        }
    }

    private mutating func followTrees() {
        while let id = waiting.popLast(), !isDone {
            control.showLife()
            guard let object = objects.read(id), object.kind == .tree else { continue }
            var trees: [ObjectID] = []
            object.withBytes { bytes in
                Tree.forEach(bytes, idLength: idLength) { kind, _, id in
                    switch kind {
                    case .directory: trees.append(id)
                    case .file: if wanted.contains(id) { missing.insert(id) }
                    case .submodule: break
                    }
                }
            }
            for tree in trees { reach(tree) }
        }
    }
}
