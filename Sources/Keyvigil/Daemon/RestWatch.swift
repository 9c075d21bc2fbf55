/// Sees by the processor time whether a process is at rest: of what happens between two looks, the looks themselves need
/// next to nothing.
struct RestWatch {
    private var last: Int64 = 0

    /// Less than this between two looks is no work, in microseconds.
    private static let little: Int64 = 20_000

    /// Whether nothing was done since the last look.
    ///
    /// - Parameter processorTime: of the process so far, in microseconds.
    mutating func isAtRest(at processorTime: Int64) -> Bool {
        let spent = processorTime - last
        last = processorTime
        return spent < Self.little
    }
}
