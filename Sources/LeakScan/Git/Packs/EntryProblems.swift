/// The entries of a pack that cannot be read: their number, and the errors of the first ones. A pack may have millions
/// of damaged entries.
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
