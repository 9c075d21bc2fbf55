/// What a scan did.
package struct ScanSummary: Sendable, Equatable {
    /// Git objects that were searched in this scan.
    package var objects: UInt64 = 0
    /// Files on disk that were searched in this scan.
    package var files: UInt64 = 0
    /// The bytes they hold, inflated.
    package var bytes: UInt64 = 0
    /// Units that were searched to their end, and units that were remembered and passed over.
    package var unitsDone: Int = 0
    package var unitsRemembered: Int = 0
    /// Occurrences that were delivered.
    package var occurrences: Int = 0
    /// At most ``problemLimit`` of the problems, and how many there were in all, notices included.
    package var problems: [ScanProblem] = []
    package var problemCount: Int = 0
    /// The scan was stopped by ``ScanControl/cancel()``.
    package var wasCancelled: Bool = false
    /// Nothing that could be read was left out. Only then may "nothing found" be called clean.
    package var isComplete: Bool = true

    /// The most problems that are kept word by word.
    package static let problemLimit = 1000

    package init() {}

    mutating func note(_ problem: ScanProblem) {
        problemCount += 1
        if problems.count < Self.problemLimit { problems.append(problem) }
        if !problem.isNotice { isComplete = false }
    }
}
