/// The commits that some tips lead to, oldest first.
struct History {
    /// Commits in an order in which parents come before children, and otherwise the older clock comes first.
    private(set) var order: [ObjectID] = []
    /// The trees of ``order``.
    private(set) var trees: [ObjectID] = []
    /// Where a commit stands in ``order``.
    private(set) var positions: [ObjectID: Int] = [:]
    /// What tips lead to without being commits: tags on the way, and trees and blobs that were tagged.
    private(set) var others: Set<ObjectID> = []

    /// - Parameters:
    ///   - links: what is known of commits already; others are read.
    ///   - known: its commits are not gone into again.
    init(
        from tips: some Sequence<ObjectID>, in database: ObjectDatabase, links: [ObjectID: CommitLinks],
        known: History? = nil, _ control: ScanControl
    ) {
        var numbers: [ObjectID: Int] = [:]
        var names: [ObjectID] = []
        var commits: [CommitLinks] = []
        var waiting = Array(tips)
        while let name = waiting.popLast(), !control.isCancelled {
            guard numbers[name] == nil, !others.contains(name), known?.positions[name] == nil else {
                continue
            }
            guard let commit = links[name] ?? readLink(name, database, &waiting) else { continue }
            numbers[name] = names.count
            names.append(name)
            commits.append(commit)
            if let parent = commit.firstParent { waiting.append(parent) }
            waiting.append(contentsOf: commit.otherParents)
        }
        sort(names, commits, numbers)
    }

    /// Reads what is no known commit: a loose one, or something else, which is noted and followed.
    private mutating func readLink(
        _ name: ObjectID, _ database: ObjectDatabase, _ waiting: inout [ObjectID]
    ) -> CommitLinks? {
        guard let object = database.read(name) else { return nil }
        switch object.kind {
        case .commit: return object.withBytes { CommitLinks($0) }
        case .tag:
            if let target = object.withBytes({ Tag($0) }).object { waiting.append(target) }
        case .tree, .blob: break
        }
        others.insert(name)
        return nil
    }

    private mutating func sort(
        _ names: [ObjectID], _ commits: [CommitLinks], _ numbers: [ObjectID: Int]
    ) {
        var missingParents = [Int](repeating: 0, count: names.count)
        var children = [[Int32]](repeating: [], count: names.count)
        for (number, commit) in commits.enumerated() {
            func add(_ parent: ObjectID) {
                // A parent that is not here (a shallow clone) is none.
                guard let parent = numbers[parent] else { return }
                missingParents[number] += 1
                children[parent].append(Int32(number))
            }
            if let parent = commit.firstParent { add(parent) }
            for parent in commit.otherParents { add(parent) }
        }
        var ready = Heap()
        for number in names.indices where missingParents[number] == 0 {
            ready.push((commits[number].committedAt, number))
        }
        while let (_, number) = ready.pop() {
            positions[names[number]] = order.count
            order.append(names[number])
            trees.append(commits[number].tree)
            for child in children[number] {
                missingParents[Int(child)] -= 1
                if missingParents[Int(child)] == 0 {
                    ready.push((commits[Int(child)].committedAt, Int(child)))
                }
            }
        }
    }

    /// The least (time, number) comes out first.
    private struct Heap {
        private var items: [(Int64, Int)] = []

        mutating func push(_ item: (Int64, Int)) {
            items.append(item)
            var child = items.count - 1
            while child > 0, items[child] < items[(child - 1) / 2] {
                items.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func pop() -> (Int64, Int)? {
            guard let first = items.first, let last = items.popLast() else { return nil }
            guard !items.isEmpty else { return first }
            items[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < items.count && items[child] < items[least] {
                    least = child
                }
                guard least != parent else { return first }
                items.swapAt(parent, least)
                parent = least
            }
        }
    }
}
