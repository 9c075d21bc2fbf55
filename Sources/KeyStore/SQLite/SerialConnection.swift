internal import Synchronization

/// A connection that threads use in turn. It is opened at its first use.
final class SerialConnection: Sendable {
    private let lock = Mutex(())
    private let slot = Slot()
    private let open: @Sendable () throws -> Connection

    /// Unchecked: what it holds is touched under the lock only.
    private final class Slot: @unchecked Sendable {
        var connection: Connection?
        var isClosed = false
    }

    init(_ open: @escaping @Sendable () throws -> Connection) { self.open = open }

    /// Lends the connection to `body`, which must not keep it.
    func use<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try withSlot { slot in
            guard !slot.isClosed else { throw SQLiteError.closed }
            let connection = try slot.connection ?? open()
            slot.connection = connection
            return try body(connection)
        }
    }

    /// The same if the connection was ever used; else nil.
    func useIfOpen<Value>(_ body: (Connection) throws -> Value) throws -> Value? {
        try withSlot { slot in try slot.connection.map(body) }
    }

    /// Gives memory back that holds pages of the file, unless a thread uses the connection now.
    func releaseMemory() {
        lock.withLockIfAvailable { _ in slot.connection?.releaseMemory() }
    }

    /// Closes the connection. Later uses throw.
    func close() throws {
        try withSlot { slot in
            slot.connection = nil
            slot.isClosed = true
        }
    }

    private func withSlot<Value>(_ body: (Slot) throws -> Value) throws -> Value {
        // By a variable, since what a closure of `withLock` returns has to leave the lock's region.
        var result: Value?
        try lock.withLock { _ in result = try body(slot) }
        guard let result else { preconditionFailure("the closure of withLock has run") }
        return result
    }
}
