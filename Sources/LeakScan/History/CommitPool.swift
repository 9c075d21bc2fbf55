import SystemPackage

/// The commits that are known, with what they link to.
///
/// One thread's at a time: of those that search a pack one adds to it (``CommitNaming``, under a lock) while no other reads,
/// and the others are joined before anybody does.
final class CommitPool: @unchecked Sendable {
    private(set) var table: IDTable
    private(set) var links: CommitList

    private var packs: Set<FilePath> = []

    init(in space: ScratchSpace) {
        table = IDTable(in: space)
        links = CommitList(in: space)
    }

    /// Notes that all commits of a pack are added.
    ///
    /// - Returns: false if they are here already.
    func insert(_ pack: FilePath) -> Bool { packs.insert(pack).inserted }

    /// Whether all commits of a pack are added.
    func has(_ pack: FilePath) -> Bool { packs.contains(pack) }

    /// Adds commits, whose names are asked for in the order of `places`.
    func add(_ commits: CommitList, inOrder places: LongArray<UInt32>, _ name: (UInt32) -> ObjectID) {
        table.append(commits.count, inOrder: places) { name(commits.entries[$0]) }
        links.append(contentsOf: commits)
    }

    /// - Returns: the commit's number.
    @discardableResult
    func add(_ id: ObjectID, _ commit: CommitLinks) -> Int {
        let (number, isNew) = table.insert(id)
        if isNew { links.append(PackTable.none, commit) }
        return number
    }
}
