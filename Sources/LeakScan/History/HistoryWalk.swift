/// Goes through all that some tips lead to, object by object, and says what of some absent objects is missing there. It is slow,
/// and needed only where something is absent.
struct HistoryWalk {
    private let objects: ObjectDatabase
    private let idLength: Int
    /// Commits whose parents are not expected to be here.
    private let borders: Set<ObjectID>
    private let space: ScratchSpace
    private let control: ScanControl

    init(
        _ objects: ObjectDatabase, idLength: Int, borders: Set<ObjectID>, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.objects = objects
        self.idLength = idLength
        self.borders = borders
        self.space = space
        self.control = control
    }

    /// Those of `absent` that history leads to.
    func missing(_ absent: Set<ObjectID>, from tips: some Sequence<ObjectID>) -> Set<ObjectID> {
        var missing: Set<ObjectID> = []
        var wanted = IDTable(in: space)
        for id in absent { _ = wanted.insert(id) }
        var seen = IDTable(in: space)
        var waiting = LongArray<ObjectID>(in: space)
        func reach(_ id: ObjectID) {
            if wanted.contains(id) {
                missing.insert(id)
            } else if seen.insert(id).isNew {
                waiting.append(id)
            }
        }
        for tip in tips { reach(tip) }
        while let id = waiting.popLast(), missing.count < absent.count, !control.isCancelled {
            guard let object = objects.read(id) else { continue }
            object.withBytes { bytes in
                switch object.kind {
                case .blob: break
                case .tag: if let target = Tag(bytes).object { reach(target) }
                case .commit:
                    guard let links = CommitLinks(bytes) else { return }
                    reach(links.tree)
                    guard !borders.contains(id) else { return }
                    if let parent = links.firstParent { reach(parent) }
                    for parent in links.otherParents { reach(parent) }
                case .tree:
                    Tree.forEach(bytes, idLength: idLength) { kind, _, id in
                        switch kind {
                        case .directory: reach(id)
                        case .file: if wanted.contains(id) { missing.insert(id) }
                        case .submodule: break
                        }
                    }
                }
            }
        }
        return missing
    }
}
