/// The summary of a scan.
package struct ScanSummary: Sendable, Equatable {
    /// Git objects that were searched in this scan.
    package var objects: UInt64 = 0
    /// Files on disk that were searched in this scan.
    package var files: UInt64 = 0
    /// The inflated size of both, in bytes.
    package var bytes: UInt64 = 0
    /// The number of units that were searched completely, and of those that were skipped because the memory contains
    /// them.
    package var unitsDone: Int = 0
    package var unitsRemembered: Int = 0
    /// Files of working trees that were left out since git ignores them.
    package var ignored: Int = 0
    /// Occurrences that were delivered.
    package var occurrences: Int = 0
    /// The first ``problemLimit`` problems, including notices.
    package var problems = ProblemList()
    /// The number of all.
    package var problemCount: Int { problems.total }
    /// Whether ``ScanControl/cancel()`` stopped the scan.
    package var wasCancelled: Bool = false
    /// Whether everything was read. Only then may "nothing found" be called clean.
    package var isComplete: Bool { problems.isComplete && !wasCancelled }

    /// The maximum number of problems that are kept.
    package static let problemLimit = 1000

    package init() {}

    mutating func note(_ problem: ScanProblem) { problems.note(problem) }
}
