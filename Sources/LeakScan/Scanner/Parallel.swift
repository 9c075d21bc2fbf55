import Dispatch
import Synchronization

/// Splits work over threads; the calling thread is one of them.
///
/// On serial queues of its own: one job on Dispatch's global queues starts a monitor that wakes the process every second
/// for ever.
enum Parallel {
    /// What the threads share.
    private final class Shared<Result: Sendable>: Sendable {
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: Result]>([:])
    }

    /// The results of `body(0) ..< body(count - 1)`, in order.
    static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, threads > 1 else { return (0..<count).map(body) }
        let shared = Shared<Result>()
        withoutActuallyEscaping(body) { body in
            let work: @Sendable () -> Void = {
                while true {
                    let index = shared.next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard index < count else { return }
                    let result = body(index)
                    shared.results.withLock { $0[index] = result }
                }
            }
            let group = DispatchGroup()
            for number in 1..<min(count, threads) {
                DispatchQueue(label: "keyvigil.search.\(number)").async(group: group, execute: work)
            }
            work()
            group.wait()
        }
        return shared.results.withLock { found in (0..<count).compactMap { found[$0] } }
    }
}
