/// How much the rules of one working tree may cost: they come from the repository, which is not trusted. Once that is
/// spent, no rule counts any more: nothing is ignored, and every file is read.
final class RuleBudget {
    /// Bytes of files of rules; the largest projects have some hundred thousand.
    private var room = 4 << 20
    /// Steps of comparisons, which take some seconds.
    private var steps = 1 << 29

    private(set) var isSpent = false

    /// Takes room for a file of rules.
    ///
    /// - Returns: whether there is as much.
    func takeRoom(_ bytes: UInt64) -> Bool {
        guard bytes <= UInt64(max(0, room)) else {
            isSpent = true
            return false
        }
        room -= Int(bytes)
        return true
    }

    @inline(__always)
    func pay() {
        steps -= 1
        if steps < 0 { isSpent = true }
    }
}
