import SystemPackage

/// The trees above some objects: those that hold them, those that hold those trees, and so on up to the
/// roots.
///
/// Found level by level in the packs' ``TreeGraph``s, without reading a tree. Ids are compared by their first six
/// bytes there, so once in a while a tree is taken for one that holds an object and does not: whoever reads it sees.
struct TreeClosure {
    /// The objects in question, then the trees above them.
    private var nodes = IDTable()
    /// How many of the nodes are the objects in question.
    private let objectCount: Int
    /// Which tree holds which node.
    private var edges: [(held: UInt32, holder: UInt32)] = []

    /// Honest trees are not as deep.
    private static let deepest = 64
    /// So many places are followed; a hostile pack could copy one id to ever more places.
    private static let mostSteps = 50_000_000

    /// - Parameters:
    ///   - packs: with what is known of their trees.
    ///   - loose: the loose trees, with what they hold.
    init(
        above objects: Set<ObjectID>, packs: [KnownPack], loose: [ObjectID: [ObjectID]], threads: Int,
        _ control: ScanControl
    ) {
        var looseHolders: [ObjectID: [ObjectID]] = [:]
        for (tree, held) in loose { for id in Set(held) { looseHolders[id, default: []].append(tree) } }
        for object in objects { _ = nodes.insert(object) }
        objectCount = nodes.count
        var sources: [Source] = []
        var names: [PackNames] = []
        for pack in packs {
            guard let known = try? pack.names() else { continue }
            var rows = [UInt32](repeating: PackTable.none, count: pack.table.count)
            for trees in pack.trees ?? [] { trees.noteRows(in: &rows) }
            for trees in pack.trees ?? [] {
                sources.append(Source(table: pack.table, trees: trees, rows: rows))
                names.append(known)
            }
        }
        var level = 0..<nodes.count
        for _ in 0..<Self.deepest where !control.isCancelled && edges.count < Self.mostSteps {
            guard !level.isEmpty else { return }
            let heads = IDHeads(nodes.ids[level])
            let limit = Self.mostSteps - edges.count
            let searched = sources
            let found = Parallel.map(sources.count, threads: threads) { searched[$0].holders(of: heads, limit: limit) }
            for (source, holders) in found.enumerated() {
                // A tree may hold an id several times; it comes up in turn then.
                for (entry, id) in holders {
                    let position = Int(sources[source].table.namePositions[Int(entry)])
                    let holder = nodes.insert(names[source].name(at: position)).number
                    edges.append((UInt32(level.lowerBound) + id, UInt32(holder)))
                }
            }
            if !looseHolders.isEmpty {
                for held in level {
                    for tree in looseHolders[nodes.ids[held]] ?? [] {
                        edges.append((UInt32(held), UInt32(nodes.insert(tree).number)))
                    }
                }
            }
            level = level.upperBound..<nodes.count
        }
    }

    func contains(_ id: ObjectID) -> Bool { nodes.number(of: id) != nil }

    /// The objects and trees, with the oldest commits that have them.
    struct FirstCommits {
        fileprivate let nodes: IDTable
        fileprivate let positions: [UInt32]
        /// The objects in question, with the position of the oldest commit whose tree seems to hold them.
        let objects: [(object: ObjectID, commit: Int)]

        /// The position of the oldest commit that seems to have this object or tree; nil if it is none of those.
        func commit(of id: ObjectID) -> Int? { nodes.number(of: id).map { Int(positions[$0]) } }
    }

    func firstCommits(in history: History) -> FirstCommits {
        var first = [UInt32](repeating: .max, count: nodes.count)
        for position in stride(from: history.count - 1, through: 0, by: -1) {
            if let node = nodes.number(of: history.tree(at: position)) { first[node] = UInt32(position) }
        }
        // Edges to the upper trees came later, so nearly all is settled in one pass from the end.
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for edge in edges.reversed() where first[Int(edge.holder)] < first[Int(edge.held)] {
                first[Int(edge.held)] = first[Int(edge.holder)]
                hasChanged = true
            }
        }
        let objects = (0..<objectCount).compactMap { node in
            first[node] == .max ? nil : (nodes.ids[node], Int(first[node]))
        }
        return FirstCommits(nodes: nodes, positions: first, objects: objects)
    }

    /// Some of a pack's trees, ready to be gone through.
    private struct Source: Sendable {
        let table: PackTable
        let trees: TreeGraph
        /// Of each of the pack's trees, its row in the graph that has it.
        let rows: [UInt32]

        /// The trees that hold which of the ids: from each tree where it is new, down through those that copied it.
        func holders(of ids: IDHeads, limit: Int) -> [(entry: UInt32, id: UInt32)] {
            var found: [(entry: UInt32, id: UInt32)] = []
            var steps = 0
            var waiting: [(entry: Int, place: UInt32)] = []
            trees.forEachNew(ids) { first, id, place in
                waiting.append((first, place))
                while let (entry, place) = waiting.popLast(), steps < limit {
                    steps += 1
                    found.append((UInt32(entry), UInt32(id)))
                    var child = table.firstChild[entry]
                    while child != PackTable.none {
                        let row = rows[Int(child)]
                        if row != PackTable.none {
                            trees.forEachCopy(to: child, row, of: place) { waiting.append((Int(child), $0)) }
                        }
                        child = table.nextSibling[Int(child)]
                    }
                }
                waiting.removeAll(keepingCapacity: true)
            }
            return found
        }
    }
}
