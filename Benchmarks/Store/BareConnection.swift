import CSQLite

/// A connection that runs statements by SQLite's own interface, for floors and for what other programs do to a store.
///
/// Unsafe: the connection lives as long as this value.
@safe final class BareConnection {
    private let connection: OpaquePointer

    struct Failure: Error {}

    /// - Parameter patience: how long to wait for a lock, in milliseconds.
    init(path: String, patience: Int32 = 5_000) throws {
        var opened: OpaquePointer?
        guard unsafe sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            let open = unsafe opened
        else { throw Failure() }
        unsafe connection = open
        unsafe sqlite3_busy_timeout(open, patience)
    }

    deinit { unsafe sqlite3_close_v2(connection) }

    /// The first column of each row.
    func texts(_ text: String) throws -> [String] {
        var compiled: OpaquePointer?
        guard unsafe sqlite3_prepare_v2(connection, text, -1, &compiled, nil) == SQLITE_OK, let query = unsafe compiled
        else { throw Failure() }
        defer { unsafe sqlite3_finalize(query) }
        var found: [String] = []
        while unsafe sqlite3_step(query) == SQLITE_ROW {
            if let text = unsafe sqlite3_column_text(query, 0) { found.append(unsafe String(cString: text)) }
        }
        return found
    }

    func run(_ text: String) throws {
        guard unsafe sqlite3_exec(connection, text, nil, nil, nil) == SQLITE_OK else { throw Failure() }
    }
}
