import Glibc
import Synchronization

/// Distributes work over threads, including the calling thread.
///
/// The threads end with the work. Threads of Dispatch's global queues would stay for later work, and wake an otherwise
/// idle daemon about once a second.
package enum Parallel {
    /// The results of `body(0)` to `body(count - 1)`, in order.
    package static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, threads > 1 else { return (0..<count).map(body) }
        // All threads are joined before this returns.
        return withoutActuallyEscaping(body) { escaping(count, threads: threads, $0) }
    }

    private static func escaping<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Result
    ) -> [Result] {
        let shared = Shared<Result>()
        let work: @Sendable () -> Void = {
            while true {
                let index = shared.next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = body(index)
                shared.results.withLock { $0[index] = result }
            }
        }
        // If not all threads can be created, the others, at least this one, do all the work.
        let others = (1..<min(count, threads)).compactMap { _ in WorkThread(work) }
        work()
        for thread in others { thread.join() }
        return shared.results.withLock { found in (0..<count).compactMap { found[$0] } }
    }

    private final class Shared<Result: Sendable>: Sendable {
        let results = Mutex<[Int: Result]>([:])
        let next = Atomic<Int>(0)
    }
}

/// A joinable thread that runs a closure.
///
/// Unsafe code: the pthread calls. The closure is retained for the new thread, which releases it.
private struct WorkThread {
    private let handle: pthread_t

    private final class Box {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    /// Nil if no thread can be created.
    init?(_ work: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(work))
        var handle = pthread_t()
        let failure = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            unsafe box.release()
            return nil
        }
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }
}
