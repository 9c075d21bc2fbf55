/// The commits that are known, with what they link to. One thread's.
final class CommitPool {
    private(set) var table = IDTable()
    private(set) var links: [CommitLinks] = []

    func reserve(_ count: Int) {
        table.reserve(count)
        links.reserveCapacity(count)
    }

    /// - Returns: the commit's number.
    @discardableResult
    func add(_ id: ObjectID, _ commit: CommitLinks) -> Int {
        let (number, isNew) = table.insert(id)
        if isNew { links.append(commit) }
        return number
    }
}
