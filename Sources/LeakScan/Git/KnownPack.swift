/// A pack that was gone through, with what is known of its commits and trees.
final class KnownPack {
    let pack: Pack
    let table: PackTable
    /// What each thread took down: whole families of deltas each. Nil if the trees and commits were not taken down yet.
    let trees: [TreeGraph]?
    /// The objects that were asked for then; who asks for others has to go through the trees again.
    let sought: Set<ObjectID>
    private var commits: [[(entry: UInt32, links: CommitLinks)]]
    private var loadedNames: PackNames?

    init(
        _ pack: Pack, _ table: PackTable, trees: [TreeGraph]?, sought: Set<ObjectID>,
        commits: [[(entry: UInt32, links: CommitLinks)]]
    ) {
        self.pack = pack
        self.table = table
        self.trees = trees
        self.sought = sought
        self.commits = commits
    }

    /// The names of its objects, read when they are first asked for.
    func names() throws(GitReadError) -> PackNames {
        if let loadedNames { return loadedNames }
        let names = try PackNames(pack.index)
        loadedNames = names
        return names
    }

    var commitCount: Int { commits.reduce(0) { $0 + $1.count } }

    /// Moves its commits into `pool`; they are kept there only.
    func moveCommits(to pool: CommitPool) throws(GitReadError) {
        let names = try names()
        while let part = commits.popLast() {
            // Memory is gone through once if names are read as they are sorted. But the numbers follow the pack: it has
            // neighbours in history beside each other.
            let positions = part.map { UInt64(table.namePositions[Int($0.entry)]) }
            pool.add(part, inOrder: RadixSort.sorted(positions).positions) {
                names.name(at: Int(table.namePositions[Int($0)]))
            }
        }
    }
}
