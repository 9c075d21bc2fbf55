import Synchronization

/// Moves the commits of a pack, which are known by their entries, into the pool, where they are known by their names. One
/// thread does that while others go through the trees.
final class CommitNaming: Sendable {
    private struct State {
        var commits: [CommitList]
        var names: PackNames?
        var failure: GitReadError?
    }

    private let pack: Pack
    private let table: PackTable
    private let pool: CommitPool
    /// Else the pool has all of them, and the pack is gone through once more for its trees.
    private let isNew: Bool
    private let state: Mutex<State>
    private let space: ScratchSpace

    init(_ pack: Pack, _ table: PackTable, _ pool: CommitPool, commits: [CommitList], in space: ScratchSpace) {
        self.space = space
        self.pack = pack
        self.table = table
        self.pool = pool
        isNew = !commits.allSatisfy { $0.count == 0 } && pool.insert(pack.path)
        state = Mutex(State(commits: []))
        add(commits)
    }

    func add(_ commits: [CommitList]) {
        guard isNew else { return }
        state.withLock { $0.commits += commits }
    }

    /// Moves all that is here.
    func run() {
        state.withLock { state in
            while let part = state.commits.popLast() {
                guard part.count > 0, state.failure == nil else { continue }
                do throws(GitReadError) {
                    if state.names == nil { state.names = try PackNames(pack.index) }
                    if let names = state.names { move(part, names) }
                } catch { state.failure = error }
            }
        }
    }

    /// The names of the pack's objects, if they were needed.
    func names() throws(GitReadError) -> PackNames? {
        let (names, failure) = state.withLock { ($0.names, $0.failure) }
        if let failure { throw failure }
        return names
    }

    private func move(_ commits: CommitList, _ names: PackNames) {
        // Memory is gone through once if names are read as they are sorted. But the numbers follow the pack: it has
        // neighbours in history beside each other.
        var positions = LongArray<UInt64>(in: space, capacity: commits.count)
        for entry in commits.entries { positions.append(UInt64(table.namePositions[Int(entry)])) }
        pool.add(commits, inOrder: RadixSort.sorted(positions, in: space).positions) {
            names.name(at: Int(table.namePositions[Int($0)]))
        }
    }
}
