import Dispatch
import Synchronization

/// Splits work over threads; the calling thread is one of them.
enum Parallel {
    /// The results of `body(0) ..< body(count - 1)`, in order.
    static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, threads > 1 else { return (0..<count).map(body) }
        let results = Mutex<[Int: Result]>([:])
        let next = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: min(count, threads)) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = body(index)
                results.withLock { $0[index] = result }
            }
        }
        return results.withLock { found in (0..<count).compactMap { found[$0] } }
    }
}
