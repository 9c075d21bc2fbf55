/// Hits at places in history, and which of them say the same: 20 bytes for each.
struct TracedHits {
    static let noCommit = UInt32.max

    /// A hit at one place in history.
    struct Item {
        /// The numbers in ``FoundObjects`` and ``PathTable``.
        var object: UInt32
        var hit: UInt32
        var path = PathTable.none
        /// Its commit's position in history: reachable history first, then what dangles, then what has no commit
        /// (``noCommit``).
        var order = TracedHits.noCommit
        var isReachable = false
        var isInHead = false
        var isAtTip = false
    }

    /// What says the same.
    struct Group {
        /// The oldest one.
        let first: Item
        let isInHead: Bool
        let isAtTip: Bool
        /// The objects that contain it, each once.
        let objects: [UInt32]
    }

    private var items: LongArray<Item>
    private let space: ScratchSpace

    init(in space: ScratchSpace) {
        self.space = space
        items = LongArray(in: space)
    }

    mutating func append(_ item: Item) { items.append(item) }

    /// The groups, in the order of their first hits.
    struct Groups {
        fileprivate let items: LongArray<Item>
        /// The items' places, group by group, each group oldest first.
        fileprivate var places: LongArray<UInt32>
        /// Where each group starts, and where the last one ends.
        fileprivate var starts: LongArray<UInt32>

        var count: Int { starts.count - 1 }

        subscript(_ group: Int) -> Group {
            let range = Int(starts[group])..<Int(starts[group + 1])
            var objects: [UInt32] = []
            var isInHead = false
            var isAtTip = false
            for place in range {
                let item = items[Int(places[place])]
                objects.append(item.object)
                if item.isInHead { isInHead = true }
                if item.isAtTip { isAtTip = true }
            }
            objects.sort()
            var last: UInt32?
            objects.removeAll { object in
                defer { last = object }
                return object == last
            }
            return Group(
                first: items[Int(places[range.lowerBound])], isInHead: isInHead, isAtTip: isAtTip, objects: objects)
        }
    }

    /// - Parameter all: each object and offset is a group of its own.
    func groups(of found: FoundObjects, _ paths: PathTable, all: Bool) -> Groups {
        let order = sorted(found, paths)
        // Which group each item belongs to, in that order; and of each group its first item and how many there are.
        var groupOf = LongArray<UInt32>(in: space, capacity: items.count)
        var firsts = LongArray<UInt32>(in: space)
        var starts = LongArray<UInt32>(in: space)
        var groups = SlotTable(in: space, capacity: items.count)
        starts.append(0)
        for place in order {
            let key = Key(items[Int(place)], found, all: all)
            let hash = UInt64(bitPattern: Int64(key.hashValue))
            let known = groups.number(hash: hash) { Key(items[Int(firsts[$0])], found, all: all) == key }
            let group = known ?? firsts.count
            if known == nil {
                groups.insert(group, hash: hash)
                firsts.append(place)
                starts.append(0)
            }
            groupOf.append(UInt32(group))
            starts[group + 1] += 1
        }
        for group in 1..<max(1, starts.count) { starts[group] += starts[group - 1] }
        var next = starts
        var places = LongArray<UInt32>(zeros: items.count, in: space)
        for (index, place) in order.enumerated() {
            let group = Int(groupOf[index])
            places[Int(next[group])] = place
            next[group] += 1
        }
        return Groups(items: items, places: places, starts: starts)
    }

    /// The places of the items, oldest first.
    private func sorted(_ found: FoundObjects, _ paths: PathTable) -> LongArray<UInt32> {
        var keys = LongArray<UInt64>(in: space, capacity: items.count)
        for item in items { keys.append(UInt64(item.order)) }
        var order = RadixSort.sorted(keys, in: space).positions
        // Few are in the same commit.
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, items[Int(order[end])].order == items[Int(order[first])].order { end += 1 }
            if end - first > 1 {
                let some = order[first..<end].sorted {
                    isBefore(items[Int($0)], items[Int($1)], among: found, paths: paths)
                }
                for (index, place) in some.enumerated() { order[first + index] = place }
            }
            first = end
        }
        return order
    }

    private func isBefore(_ left: Item, _ right: Item, among found: FoundObjects, paths: PathTable) -> Bool {
        func length(_ path: UInt32) -> Int { path == PathTable.none ? 0 : paths.length(of: path) }
        if left.object != right.object {
            return found.id(of: Int(left.object)) < found.id(of: Int(right.object))
        }
        let (one, other) = (found.hit(Int(left.hit)), found.hit(Int(right.hit)))
        return (one.start, one.term, length(left.path)) < (other.start, other.term, length(right.path))
    }

    /// What is the same in all hits of a group.
    private struct Key: Hashable {
        let what: HitSelection.What
        let source: UInt8
        let path: UInt32
        let inside: [UInt8]?
        let object: UInt32?
        let offset: UInt64

        init(_ item: Item, _ found: FoundObjects, all: Bool) {
            let hit = found.hit(Int(item.hit))
            what = HitSelection.What(
                Hit(start: hit.start, term: hit.term, secret: hit.secret, form: hit.form))
            source = found.kind(of: Int(item.object)).rawValue
            path = all ? PathTable.none : item.path
            inside = all ? hit.inside : nil
            object = all ? item.object : nil
            offset = all ? hit.start : 0
        }
    }
}
