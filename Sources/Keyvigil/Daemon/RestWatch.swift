/// Sees by the processor time when work is over: of what happens between two looks, the looks themselves need next to
/// nothing.
struct RestWatch {
    private var last: Int64 = 0
    private var hasWorked = false

    /// Less than this between two looks is no work, in microseconds.
    private static let little: Int64 = 20_000

    /// Whether there was work before the last look, and none since: true once after each.
    ///
    /// - Parameter processorTime: of the process so far, in microseconds.
    mutating func isWorkOver(at processorTime: Int64) -> Bool {
        let spent = processorTime - last
        last = processorTime
        let isOver = hasWorked && spent < Self.little
        hasWorked = spent >= Self.little
        return isOver
    }
}
