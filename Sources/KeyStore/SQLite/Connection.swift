internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// A connection of its own for look-ups that must cost next to nothing: a thread at a time, no transaction around a
/// statement, no queue. Each look-up sees the store as it is committed at that moment.
///
/// Unsafe: `connection` is opened in `init` and closed in `deinit`, after every statement of it.
@safe final class LookupConnection {
    private let connection: OpaquePointer
    private var statements: [String: RawStatement] = [:]

    /// Opens a store that exists, for reading.
    ///
    /// - Parameter patience: how long to wait for a lock, in milliseconds. Readers of a store wait for nobody, except
    ///   while the file is being recovered after a crash.
    init(path: String, patience: Int32) throws {
        var opened: OpaquePointer?
        let code = unsafe sqlite3_open_v2(
            path, &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let open = unsafe opened else {
            _ = unsafe sqlite3_close_v2(opened)
            throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
        unsafe connection = open
        _ = unsafe sqlite3_busy_timeout(open, patience)
        _ = unsafe sqlite3_extended_result_codes(open, 1)
        for pragma in ["PRAGMA cell_size_check = ON", "PRAGMA trusted_schema = OFF", "PRAGMA cache_size = -4000"] {
            try statement(pragma).run()
        }
    }

    deinit {
        statements = [:]
        unsafe sqlite3_close_v2(connection)
    }

    /// A statement of this connection, compiled at its first use.
    func statement(_ sql: String) throws -> RawStatement {
        if let known = statements[sql] { return known }
        let statement = unsafe try RawStatement(connection: connection, sql)
        statements[sql] = statement
        return statement
    }
}

/// The look-up connections of a store: as many as there are threads that look something up at one moment.
final class LookupPool: Sendable {
    private let path: String
    private let identity: FileIdentity?
    private let patience: Int32
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var idle: [Lent] = []
        var isClosed = false
    }

    /// Unchecked: a connection is either in the pool, behind its lock, or with the one look-up that took it out.
    private struct Lent: @unchecked Sendable {
        let connection: LookupConnection
    }

    /// Connections that are kept for the next look-up; more than these are closed after their use.
    private static let kept = 4

    /// - Parameter patience: in seconds.
    init(path: String, patience: Double) {
        self.path = path
        identity = FileIdentity(path)
        self.patience = Int32(patience * 1000)
    }

    /// Lends a connection to `body`, which must not keep it. Never waits for another look-up.
    func withConnection<Value>(_ body: (LookupConnection) throws -> Value) throws -> Value {
        let idle = try state.withLock { state in
            if state.isClosed { throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the store is closed") }
            return state.idle.popLast()
        }
        let lent = try idle ?? Lent(connection: open())
        defer {
            state.withLock { state in
                if !state.isClosed, state.idle.count < Self.kept { state.idle.append(lent) }
            }
        }
        return try body(lent.connection)
    }

    /// The same with a connection that is closed afterwards, for what reads so much that nothing of it need be kept.
    func withPassingConnection<Value>(_ body: (LookupConnection) throws -> Value) throws -> Value {
        if state.withLock({ $0.isClosed }) {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the store is closed")
        }
        return try body(open())
    }

    /// - Throws: where another file stands at the path by now: what is looked up must be what the store writes.
    private func open() throws -> LookupConnection {
        let connection = try LookupConnection(path: path, patience: patience)
        guard FileIdentity(path) == identity else {
            throw DatabaseError(resultCode: .SQLITE_READONLY_DBMOVED, message: "another file has taken its place")
        }
        return connection
    }

    /// Closes the connections that are idle, and those in use after their use.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            let idle = state.idle
            state.idle = []
            return idle
        }
        withExtendedLifetime(idle) {}
    }
}
