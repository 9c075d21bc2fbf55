/// The problems of a scan, of which a hostile place may have millions: the first ones, and the number of all. What keeps a
/// result from being complete is kept before notices.
package struct ProblemList: Sendable, Equatable, RandomAccessCollection, ExpressibleByArrayLiteral {
    private var kept: [ScanProblem] = []
    private var keptNotices = 0
    /// The number of all, including notices.
    private(set) var total = 0
    /// Whether there are only notices.
    private(set) var isComplete = true

    package init() {}

    package init(arrayLiteral problems: ScanProblem...) { note(problems) }

    package var startIndex: Int { 0 }
    package var endIndex: Int { kept.count }

    package subscript(index: Int) -> ScanProblem {
        get { kept[index] }
        set { kept[index] = newValue }
    }

    package mutating func note(_ problem: ScanProblem) {
        total += 1
        if !problem.isNotice { isComplete = false }
        if kept.count < ScanSummary.problemLimit {
            kept.append(problem)
            if problem.isNotice { keptNotices += 1 }
        } else if !problem.isNotice, keptNotices > 0, let last = kept.lastIndex(where: \.isNotice) {
            kept[last] = problem
            keptNotices -= 1
        }
    }

    mutating func note(_ problems: some Sequence<ScanProblem>) {
        for problem in problems { note(problem) }
    }

    /// Adds those of another list, with those that it did not keep.
    mutating func add(_ other: ProblemList) {
        note(other.kept)
        total += other.total - other.kept.count
        if !other.isComplete { isComplete = false }
    }
}
