/// The commits that some lead to and others do not: git's `rev-list NEW --not OLD`.
struct NewCommits {
    struct Commit {
        let id: ObjectID
        let tree: ObjectID
        let parents: [ObjectID]
    }

    /// Those commits, parents before children where clocks are right.
    private(set) var new: [Commit] = []
    /// The commits that those build on and that were led to before, and those that were asked for and are old.
    private(set) var border: [ObjectID] = []
    /// Whether all of them were found.
    private(set) var isComplete = true

    private struct Waiting: Comparable {
        let id: ObjectID
        let links: CommitLinks

        static func < (left: Self, right: Self) -> Bool {
            (left.links.committedAt, left.id) < (right.links.committedAt, right.id)
        }

        static func == (left: Self, right: Self) -> Bool { left.id == right.id }
    }

    /// The newest are looked at first, and what old ones build on is old, so that the walk ends soon behind where both meet. By
    /// clocks that are wrong an old commit may be taken for a new one, never a new one for an old one.
    ///
    /// - Parameters:
    ///   - old: what was led to before; tags are followed.
    ///   - most: the maximum number of new commits.
    init(
        from tips: [ObjectID], besides old: [ObjectID], in objects: ObjectDatabase, _ control: ScanControl,
        most: Int = .max
    ) {
        var isOld: [ObjectID: Bool] = [:]
        var waiting: [Waiting] = []
        var newWaiting = 0
        func links(_ id: ObjectID) -> (ObjectID, CommitLinks)? {
            var id = id
            for _ in 0..<16 {
                guard let object = objects.read(id) else { return nil }
                if object.kind == .commit { return object.withBytes { CommitLinks($0) }.map { (id, $0) } }
                guard object.kind == .tag, let target = object.withBytes({ Tag($0).object }) else { return nil }
                id = target
            }
            return nil
        }
        func reach(_ id: ObjectID, old: Bool) {
            if let known = isOld[id] {
                // What waits as new, or was taken for new, is old after all.
                if old, !known {
                    isOld[id] = true
                    if waiting.contains(where: { $0.id == id }) {
                        newWaiting -= 1
                    } else if let (id, links) = links(id) {
                        insert(Waiting(id: id, links: links))
                    }
                }
                return
            }
            guard let (id, links) = links(id), isOld[id] == nil else { return }
            isOld[id] = old
            if !old { newWaiting += 1 }
            insert(Waiting(id: id, links: links))
        }
        func insert(_ item: Waiting) {
            var lower = 0
            var upper = waiting.count
            while lower < upper {
                let middle = (lower + upper) / 2
                if waiting[middle] < item { lower = middle + 1 } else { upper = middle }
            }
            waiting.insert(item, at: lower)
        }
        for id in old { reach(id, old: true) }
        for id in tips { reach(id, old: false) }
        var candidates: [Commit] = []
        while newWaiting > 0, let next = waiting.popLast(), !control.isCancelled {
            guard candidates.count < most else {
                isComplete = false
                break
            }
            let old = isOld[next.id] ?? false
            let parents = [next.links.firstParent].compactMap(\.self) + next.links.otherParents
            if !old {
                newWaiting -= 1
                candidates.append(Commit(id: next.id, tree: next.links.tree, parents: parents))
            }
            for parent in parents { reach(parent, old: old) }
        }
        new = candidates.filter { isOld[$0.id] == false }.reversed()
        let all = Set(new.map(\.id))
        border = Array(Set(new.flatMap(\.parents) + tips).subtracting(all))
    }

    /// The new commits that build on one, whatever their clocks say.
    func descendants(of commit: ObjectID) -> Set<ObjectID> {
        var children: [ObjectID: [ObjectID]] = [:]
        for new in new { for parent in new.parents { children[parent, default: []].append(new.id) } }
        var found: Set<ObjectID> = []
        var waiting = [commit]
        while let next = waiting.popLast() {
            for child in children[next] ?? [] where found.insert(child).inserted { waiting.append(child) }
        }
        return found
    }
}
