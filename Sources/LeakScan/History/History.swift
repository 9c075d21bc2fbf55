/// The commits that some tips lead to, oldest first.
struct History {
    /// Numbers of commits in ``pool``, in an order in which parents come before children, and otherwise the older clock
    /// comes first.
    private var order: LongArray<UInt32>
    /// The position of a numbered commit in ``order``, or ``unreached``.
    private var positions: LongArray<UInt32>
    /// What tips lead to without being commits: tags on the way, and trees and blobs that were tagged.
    private(set) var others: Set<ObjectID> = []
    private let pool: CommitPool
    private let space: ScratchSpace

    private static let unreached = UInt32.max
    private static let reached = UInt32.max - 1

    /// - Parameters:
    ///   - pool: what is known of commits already; others are read and added.
    ///   - known: its commits are not gone into again.
    ///   - onlyKnown: nothing is read: where the pool ends, history does.
    init(
        from tips: some Sequence<ObjectID>, in database: ObjectDatabase, pool: CommitPool, known: History? = nil,
        onlyKnown: Bool = false, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.pool = pool
        self.space = space
        order = LongArray(in: space)
        var members = LongArray<UInt32>(in: space, capacity: pool.table.count)
        // Of each member the numbers of its parents, where they are known, as stretches of one array.
        var parents = LongArray<UInt32>(in: space)
        var firstParents = LongArray<UInt32>(in: space)
        // Parents that have to be read first.
        var late = LongArray<Late>(in: space)
        var waiting = LongArray<UInt32>(in: space)
        var unknown = LongArray<ObjectID>(in: space)
        for tip in tips { unknown.append(tip) }
        positions = LongArray(repeating: Self.unreached, count: pool.table.count, in: space)
        func reach(_ name: ObjectID, from child: UInt32) {
            if let number = pool.table.number(of: name) {
                if positions[number] == Self.unreached, known?.has(number) != true {
                    positions[number] = Self.reached
                    waiting.append(UInt32(number))
                }
                parents.append(UInt32(number))
            } else {
                late.append(Late(child: child, parent: name))
                unknown.append(name)
            }
        }
        while !control.isCancelled {
            while let number = waiting.popLast() {
                members.append(number)
                firstParents.append(UInt32(parents.count))
                if let parent = pool.links[Int(number)].firstParent { reach(parent, from: number) }
                pool.links.forEachOtherParent(of: Int(number)) { reach($0, from: number) }
            }
            guard let name = unknown.popLast() else { break }
            guard !others.contains(name), known?.position(of: name) == nil else { continue }
            guard
                let number = pool.table.number(of: name) ?? (onlyKnown ? nil : read(name, database, &unknown))
            else { continue }
            while positions.count <= number { positions.append(Self.unreached) }
            guard positions[number] == Self.unreached else { continue }
            positions[number] = Self.reached
            waiting.append(UInt32(number))
        }
        firstParents.append(UInt32(parents.count))
        sort(members, parents, firstParents: firstParents, late: late)
    }

    var count: Int { order.count }

    /// The position of a commit, counted from the oldest; nil if no tip leads to it.
    func position(of commit: ObjectID) -> Int? {
        guard let number = pool.table.number(of: commit), number < positions.count,
            positions[number] < Self.reached
        else { return nil }
        return Int(positions[number])
    }

    /// Whether it has the commit of this number.
    private func has(_ number: Int) -> Bool { number < positions.count && positions[number] < Self.reached }

    func commit(at position: Int) -> ObjectID { pool.table.ids[Int(order[position])] }

    func tree(at position: Int) -> ObjectID { pool.links[Int(order[position])].tree }

    func forEachParent(at position: Int, _ body: (ObjectID) -> Void) {
        let number = Int(order[position])
        if let parent = pool.links[number].firstParent { body(parent) }
        pool.links.forEachOtherParent(of: number, body)
    }

    /// Reads what is no known commit: a loose one, or something else, which is noted and followed.
    private mutating func read(
        _ name: ObjectID, _ database: ObjectDatabase, _ waiting: inout LongArray<ObjectID>
    ) -> Int? {
        guard let object = database.read(name) else { return nil }
        switch object.kind {
        case .commit: return object.withBytes { CommitLinks($0) }.map { pool.add(name, $0) }
        case .tag:
            if let target = object.withBytes({ Tag($0) }).object { waiting.append(target) }
        case .tree, .blob: break
        }
        others.insert(name)
        return nil
    }

    private mutating func sort(
        _ members: LongArray<UInt32>, _ parents: LongArray<UInt32>, firstParents: LongArray<UInt32>,
        late: LongArray<Late>
    ) {
        var missingParents = LongArray<UInt32>(zeros: positions.count, in: space)
        // For each commit its children, as lists in one array.
        var firstChild = LongArray<UInt32>(repeating: Self.unreached, count: positions.count, in: space)
        var links = LongArray<Link>(in: space, capacity: parents.count)
        func add(_ parent: Int, to number: UInt32) {
            // A parent that is not here (a shallow clone), or that another history has, is none.
            guard parent < positions.count, positions[parent] == Self.reached else { return }
            missingParents[Int(number)] += 1
            links.append(Link(child: number, next: firstChild[parent]))
            firstChild[parent] = UInt32(links.count - 1)
        }
        for index in members.indices {
            let number = members[index]
            for place in firstParents[index]..<firstParents[index + 1] { add(Int(parents[Int(place)]), to: number) }
        }
        for link in late { if let parent = pool.table.number(of: link.parent) { add(parent, to: link.child) } }
        var ready = Heap(in: space)
        func push(_ number: UInt32) { ready.push(Heap.Item(time: pool.links[Int(number)].committedAt, number: number)) }
        for number in members where missingParents[Int(number)] == 0 { push(number) }
        order.reserveCapacity(members.count)
        while let number = ready.pop().map({ Int($0.number) }) {
            positions[number] = UInt32(order.count)
            order.append(UInt32(number))
            var link = firstChild[number]
            while link != Self.unreached {
                let child = links[Int(link)].child
                missingParents[Int(child)] -= 1
                if missingParents[Int(child)] == 0 { push(child) }
                link = links[Int(link)].next
            }
        }
        // Commits that build on each other in a circle have no place; no hash makes such.
        for number in members where positions[Int(number)] == Self.reached {
            positions[Int(number)] = Self.unreached
        }
    }

    /// A parent that was not known when its child was met.
    private struct Late {
        var child: UInt32
        var parent: ObjectID
    }

    /// A child, and the position of the next child of the same parent.
    private struct Link {
        var child: UInt32
        var next: UInt32
    }

    /// The least (time, number) comes out first.
    private struct Heap {
        struct Item: Comparable {
            var time: Int64
            var number: UInt32

            static func < (left: Self, right: Self) -> Bool {
                (left.time, left.number) < (right.time, right.number)
            }
        }

        private var items: LongArray<Item>

        init(in space: ScratchSpace) { items = LongArray(in: space) }

        mutating func push(_ item: Item) {
            items.append(item)
            var child = items.count - 1
            while child > 0, items[child] < items[(child - 1) / 2] {
                items.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func pop() -> Item? {
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
