internal import Synchronization

/// The connections of one store: one that writes, and as many that read as there are readers at one moment. All are to one
/// and the same file.
final class ConnectionPool: Sendable {
    private let path: String
    private let identity: FileIdentity?
    private let patience: Double
    private let state = Mutex(State())
    private let writer: SerialConnection

    private struct State: ~Copyable {
        var idle: [Lent] = []
        var isClosed = false
    }

    /// Unchecked: a connection is either in the pool, behind its lock, or with the one reader that took it out.
    private struct Lent: @unchecked Sendable {
        let connection: Connection
    }

    /// Connections that are kept for the next reader; more than these are closed after their use.
    private static let kept = 4

    /// - Parameter patience: how long to wait for another program's transaction, in seconds. Readers wait only while the file
    ///   is recovered after a crash.
    init(_ path: String, patience: Double) {
        self.path = path
        let identity = FileIdentity(path)
        self.identity = identity
        self.patience = patience
        writer = SerialConnection {
            let connection = try Self.open(path, identity, .readWrite, patience: patience, cache: 8_000)
            // A secret that was handed out must survive a power cut, so commits are synced.
            try connection.script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            return connection
        }
    }

    /// - Throws: where another file is at the path by now: what is read must be what is written.
    private static func open(
        _ path: String, _ identity: FileIdentity?, _ access: Connection.Access, patience: Double, cache: Int = 4_000
    ) throws -> Connection {
        let connection = try Connection(path, access, patience: LockPatience(patience), cache: cache)
        guard FileIdentity(path) == identity else { throw SQLiteError.moved }
        return connection
    }

    // MARK: - Reading

    /// Lends a connection that reads. Each statement sees the store as it is committed at that moment. Waits for no other
    /// reader and no writer.
    func look<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        let idle = try state.withLock { state in
            if state.isClosed { throw SQLiteError.closed }
            return state.idle.popLast()
        }
        let lent = try idle ?? Lent(connection: openReader())
        defer {
            state.withLock { state in
                if !state.isClosed, state.idle.count < Self.kept { state.idle.append(lent) }
            }
        }
        return try body(lent.connection)
    }

    /// The same, all statements of `body` at one state of the store.
    func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try look { connection in try connection.transaction(.deferred) { try body(connection) } }
    }

    /// The same as ``look(_:)`` with a connection that is closed afterwards, for what reads so much that no page of it is worth
    /// keeping.
    func scan<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        if state.withLock({ $0.isClosed }) { throw SQLiteError.closed }
        return try body(openReader())
    }

    private func openReader() throws -> Connection { try Self.open(path, identity, .readOnly, patience: patience) }

    // MARK: - Writing

    /// Runs `body` in a transaction that holds the write lock from its start.
    func write<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try writer.use { connection in try connection.transaction(.immediate) { try body(connection) } }
    }

    /// Lends the connection that writes, without a transaction.
    func withWriter<Value>(_ body: (Connection) throws -> Value) throws -> Value { try writer.use(body) }

    /// The same if anything was written; else nil.
    func withWriterIfOpen<Value>(_ body: (Connection) throws -> Value) throws -> Value? { try writer.useIfOpen(body) }

    // MARK: -

    /// Gives memory back that holds pages of the file. Waits for no use of a connection, and passes over those that are used.
    func releaseMemory() {
        state.withLock { state in
            for lent in state.idle { lent.connection.releaseMemory() }
        }
        writer.releaseMemory()
    }

    /// Closes the connections; those that are lent, after their use.
    func close() throws {
        let idle = state.withLock { state in
            state.isClosed = true
            let idle = state.idle
            state.idle = []
            return idle
        }
        withExtendedLifetime(idle) {}
        try writer.close()
    }
}
