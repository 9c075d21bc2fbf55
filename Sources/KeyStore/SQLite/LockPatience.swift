internal import Glibc
internal import Synchronization

/// How a connection waits for another program's transaction: it asks every millisecond. SQLite's own waiting asks
/// ten times a second in the end, and may miss every gap between the transactions of a program that makes many.
final class LockPatience: Sendable {
    private let tries: Int
    private let isOff = Atomic<Bool>(false)

    /// In microseconds.
    private static let pause: UInt32 = 1_000

    /// - Parameter seconds: how long to wait at most.
    init(_ seconds: Double) { tries = Int(seconds * 1_000_000 / Double(Self.pause)) }

    /// Between two transactions of long work: long enough that whoever waits for the lock asks for it meanwhile.
    static func letOthersIn() { usleep(2 * pause) }

    /// Waits for a random time: others that wait for the same do not go on at the same moment.
    ///
    /// - Parameter milliseconds: the longest time.
    static func wait(upTo milliseconds: Int) { usleep(UInt32.random(in: 0...UInt32(milliseconds * 1000))) }

    /// Waits once, or says that it has been long enough (sqlite3_busy_handler).
    func waits(_ number: Int) -> Bool {
        guard number < tries, !isOff.load(ordering: .relaxed) else { return false }
        usleep(Self.pause)
        return true
    }

    /// Runs `body` without waiting.
    func off<Value>(_ body: () throws -> Value) rethrows -> Value {
        isOff.store(true, ordering: .relaxed)
        defer { isOff.store(false, ordering: .relaxed) }
        return try body()
    }
}
