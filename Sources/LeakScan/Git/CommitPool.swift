/// The commits that are known, with what they link to. One thread's.
final class CommitPool {
    private(set) var table = IDTable()
    private(set) var links: [CommitLinks] = []

    func reserve(_ count: Int) {
        table.reserve(count)
        links.reserveCapacity(count)
    }

    /// Adds commits, whose names are asked for in the order of `places`.
    func add(_ commits: [(entry: UInt32, links: CommitLinks)], inOrder places: [UInt32], _ name: (UInt32) -> ObjectID) {
        table.append(commits.count, inOrder: places) { name(commits[$0].entry) }
        for commit in commits { links.append(commit.links) }
    }

    /// - Returns: the commit's number.
    @discardableResult
    func add(_ id: ObjectID, _ commit: CommitLinks) -> Int {
        let (number, isNew) = table.insert(id)
        if isNew { links.append(commit) }
        return number
    }
}
