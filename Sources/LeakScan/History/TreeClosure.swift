import SystemPackage

/// The trees above some objects: those that hold them, those that hold those trees, and so on up to the
/// roots.
///
/// Found level by level in the packs' ``TreeGraph``s, without reading a tree. Ids are compared by their first six
/// bytes there, so once in a while a tree is taken for one that holds an object and does not: whoever reads it sees.
struct TreeClosure {
    /// The objects in question, then the trees above them.
    private var nodes: IDTable
    /// How many of the nodes are the objects in question.
    private let objectCount: Int
    /// The nodes whose holders were looked for together.
    private var levels: [Range<Int>] = []
    /// Which tree holds which node; nil if they are too many. Then they are found once more when they are needed.
    private var edges: LongArray<Edge>?
    /// The same for holders that are loose.
    private var looseEdges: LongArray<Edge>
    private var searches: [HolderSearch] = []
    /// For each pack and each of its entries its node, or ``PackTable/none``.
    private var nodeOfEntry: [LongArray<UInt32>] = []
    /// Whether all trees above the objects are here, which were not too many.
    private var isComplete = false
    private let threads: Int
    private let space: ScratchSpace
    private let control: ScanControl

    /// Which node holds which.
    private struct Edge {
        var held: UInt32
        var holder: UInt32
    }

    /// Honest trees are not as deep.
    private static let deepest = 64
    /// The maximum number of places that are followed; a hostile pack could copy one id to ever more places.
    private static let mostSteps = 50_000_000
    /// Trees above each other are in levels that follow each other, nearly always.
    private static let mostPasses = 4

    /// - Parameters:
    ///   - packs: with what is known of their trees.
    ///   - loose: the loose trees, with what they hold.
    ///   - mostEdges: how many edges are kept, in 8 bytes each.
    init(
        above objects: IDTable, packs: [KnownPack], loose: [ObjectID: [ObjectID]], threads: Int,
        mostEdges: Int, in space: ScratchSpace, _ control: ScanControl
    ) {
        self.space = space
        nodes = objects
        edges = LongArray(in: space)
        looseEdges = LongArray(in: space)
        self.threads = threads
        self.control = control
        var looseHolders: [ObjectID: [ObjectID]] = [:]
        for (tree, held) in loose { for id in Set(held) { looseHolders[id, default: []].append(tree) } }
        objectCount = nodes.count
        var names: [PackNames] = []
        for pack in packs {
            guard let known = try? pack.opened.names() else { continue }
            var rows = LongArray(repeating: PackTable.none, count: pack.table.count, in: space)
            for trees in pack.trees ?? [] { trees.noteRows(in: &rows) }
            for trees in pack.trees ?? [] {
                searches.append(
                    HolderSearch(
                        pack: names.count, table: pack.table, trees: trees, rows: rows, space: space, control: control))
            }
            names.append(known)
            nodeOfEntry.append(LongArray(repeating: PackTable.none, count: pack.table.count, in: space))
        }
        var steps = 0
        var level = 0..<nodes.count
        for _ in 0..<Self.deepest where !control.isCancelled && steps < Self.mostSteps {
            guard !level.isEmpty else { break }
            levels.append(level)
            steps += addHolders(of: level, limit: Self.mostSteps - steps, mostEdges, names)
            if !looseHolders.isEmpty {
                for held in level {
                    for tree in looseHolders[nodes.ids[held]] ?? [] {
                        looseEdges.append(Edge(held: UInt32(held), holder: UInt32(nodes.insert(tree).number)))
                    }
                }
            }
            level = level.upperBound..<nodes.count
        }
        isComplete = level.isEmpty && steps < Self.mostSteps
    }

    /// - Returns: how many places were followed.
    private mutating func addHolders(of level: Range<Int>, limit: Int, _ mostEdges: Int, _ names: [PackNames]) -> Int {
        let heads = IDHeads(nodes.ids[level], in: space)
        let kept = edges?.count ?? mostEdges
        let searches = searches
        let room = max(0, mostEdges - kept) / max(1, searches.count)
        let found = Parallel.map(searches.count, threads: threads) {
            searches[$0].holders(of: heads, limit: limit, keeping: room)
        }
        var steps = 0
        for (search, holders) in zip(searches, found) {
            steps += holders.steps
            holders.forEach { entry in
                guard nodeOfEntry[search.pack][entry] == PackTable.none else { return }
                let name = names[search.pack].name(at: Int(search.table.namePositions[entry]))
                nodeOfEntry[search.pack][entry] = UInt32(nodes.insert(name).number)
            }
            guard let pairs = holders.pairs, kept + pairs.count <= mostEdges, edges != nil else {
                edges = nil
                continue
            }
            for pair in pairs {
                let holder = nodeOfEntry[search.pack][Int(pair.entry)]
                edges?.append(Edge(held: UInt32(level.lowerBound) + pair.id, holder: holder))
            }
        }
        return steps
    }

    /// Whether a tree may lead to one of the objects; of a closure that was cut short, any may.
    func mayContain(_ tree: ObjectID) -> Bool { !isComplete || contains(tree) }

    /// One of the objects in question.
    func object(_ number: UInt32) -> ObjectID { nodes.ids[Int(number)] }

    func contains(_ id: ObjectID) -> Bool { nodes.number(of: id) != nil }

    /// The objects and trees, with the oldest commits that have them.
    struct FirstCommits {
        fileprivate let nodes: IDTable
        fileprivate let positions: LongArray<UInt32>
        /// The objects in question, by number, in the order of the oldest commit whose tree seems to hold them.
        let objects: LongArray<UInt32>

        /// The position of the oldest commit that seems to have this object or tree; nil if it is none of those.
        func commit(of id: ObjectID) -> Int? { nodes.number(of: id).map { Int(positions[$0]) } }

        func commit(ofObject number: UInt32) -> Int { Int(positions[Int(number)]) }
    }

    func firstCommits(in history: History) -> FirstCommits {
        let first = edges.map { firstPositions(in: history, $0) } ?? firstPositions(in: history)
        var objects = LongArray<UInt32>(in: space)
        var commits = LongArray<UInt64>(in: space)
        for node in 0..<objectCount where first[node] != .max {
            objects.append(UInt32(node))
            commits.append(UInt64(first[node]))
        }
        let order = RadixSort.sorted(commits, in: space).positions
        var sorted = LongArray<UInt32>(in: space, capacity: objects.count)
        for place in order { sorted.append(objects[Int(place)]) }
        return FirstCommits(nodes: nodes, positions: first, objects: sorted)
    }

    /// For each node the position of the oldest commit whose tree leads to it: commit by commit, from the oldest on, what its
    /// tree leads to and no tree before did.
    private func firstPositions(in history: History, _ edges: LongArray<Edge>) -> LongArray<UInt32> {
        // The nodes that each node holds, as stretches of one array.
        var ends = LongArray<UInt32>(zeros: nodes.count + 1, in: space)
        func forEachEdge(_ body: (Edge) -> Void) {
            for edge in edges { body(edge) }
            for edge in looseEdges { body(edge) }
        }
        forEachEdge { ends[Int($0.holder)] += 1 }
        for node in 1..<ends.count { ends[node] += ends[node - 1] }
        var held = LongArray<UInt32>(zeros: edges.count + looseEdges.count, in: space)
        forEachEdge { edge in
            ends[Int(edge.holder)] -= 1
            held[Int(ends[Int(edge.holder)])] = edge.held
        }
        var first = LongArray<UInt32>(repeating: .max, count: nodes.count, in: space)
        var waiting = LongArray<UInt32>(in: space)
        for position in 0..<history.count where !control.isCancelled {
            guard let root = nodes.number(of: history.tree(at: position)), first[root] == .max else { continue }
            first[root] = UInt32(position)
            waiting.append(UInt32(root))
            while let node = waiting.popLast() {
                for place in ends[Int(node)]..<ends[Int(node) + 1] where first[Int(held[Int(place)])] == .max {
                    first[Int(held[Int(place)])] = UInt32(position)
                    waiting.append(held[Int(place)])
                }
            }
        }
        return first
    }

    /// The same without edges: level by level from above, the holders are found once more. Edges to the upper trees came
    /// later, so nearly all is settled in one pass.
    private func firstPositions(in history: History) -> LongArray<UInt32> {
        var first = LongArray<UInt32>(repeating: .max, count: nodes.count, in: space)
        for position in stride(from: history.count - 1, through: 0, by: -1) {
            if let node = nodes.number(of: history.tree(at: position)) { first[node] = UInt32(position) }
        }
        var passes = 0
        var hasChanged = true
        while hasChanged && !control.isCancelled && passes < Self.mostPasses {
            hasChanged = lower(&first)
            for edge in looseEdges.reversed() where first[Int(edge.holder)] < first[Int(edge.held)] {
                first[Int(edge.held)] = first[Int(edge.holder)]
                hasChanged = true
            }
            passes += 1
        }
        return first
    }

    /// - Returns: whether a commit came out that is older.
    private func lower(_ first: inout LongArray<UInt32>) -> Bool {
        var hasChanged = false
        for level in levels.reversed() where !control.isCancelled {
            let heads = IDHeads(nodes.ids[level], in: space)
            let known = first
            let (searches, nodeOfEntry) = (searches, nodeOfEntry)
            let found = Parallel.map(searches.count, threads: threads) { index in
                let search = searches[index]
                return search.least(of: heads, count: level.count, limit: Self.mostSteps) { entry in
                    let node = nodeOfEntry[search.pack][entry]
                    return node == PackTable.none ? .max : known[Int(node)]
                }
            }
            for least in found {
                for index in least.indices where least[index] < first[level.lowerBound + index] {
                    first[level.lowerBound + index] = least[index]
                    hasChanged = true
                }
            }
        }
        return hasChanged
    }
}
