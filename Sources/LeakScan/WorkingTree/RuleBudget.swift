/// How much the rules of one working tree may cost: they come from the repository, which is not trusted. Once that is
/// spent, no rule counts any more: nothing is ignored, and every file is read.
final class RuleBudget {
    private var room: Int
    private var steps: Int
    private(set) var isSpent = false

    /// - Parameters:
    ///   - room: bytes of files of rules; the largest projects have some hundred thousand.
    ///   - steps: of comparisons; the default takes some seconds.
    init(room: Int = 4 << 20, steps: Int = 1 << 29) {
        self.room = room
        self.steps = steps
    }

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
