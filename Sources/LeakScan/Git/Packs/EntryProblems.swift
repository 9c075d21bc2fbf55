/// Entries of a pack that cannot be read: how many, and what is wrong with the first of them. All of a pack's millions may
/// be damaged.
struct EntryProblems: Sendable {
    private(set) var first: [(entry: Int, error: GitReadError)] = []
    private(set) var count = 0

    mutating func add(_ entry: Int, _ error: GitReadError) {
        count += 1
        if first.count < ScanSummary.problemLimit { first.append((entry, error)) }
    }

    mutating func add(_ others: Self) {
        count += others.count
        first += others.first.prefix(ScanSummary.problemLimit - first.count)
    }
}
