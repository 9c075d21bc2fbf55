import CSQLite

/// A connection that runs statements by SQLite's own interface, for floors and for what other programs do to a store.
///
/// Unsafe: the connection lives as long as this value.
@safe final class BareConnection {
    private let connection: OpaquePointer

    struct Failure: Error {}

    init(path: String) throws {
        var opened: OpaquePointer?
        guard unsafe sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            let open = unsafe opened
        else { throw Failure() }
        unsafe connection = open
        unsafe sqlite3_busy_timeout(open, 5_000)
    }

    deinit { unsafe sqlite3_close_v2(connection) }

    func run(_ text: String) throws {
        guard unsafe sqlite3_exec(connection, text, nil, nil, nil) == SQLITE_OK else { throw Failure() }
    }
}
