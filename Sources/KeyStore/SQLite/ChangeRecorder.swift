internal import CSQLite

/// Records which rows of some tables a connection changes, as long as it exists (sqlite.org/sessionintro.html).
///
/// Unsafe: `session` is made in `begin` and deleted in `deinit`, while the connection is lent to whoever has the recorder. What
/// SQLite allocates for a change set is copied and freed in the same call.
@safe struct ChangeRecorder: ~Copyable {
    private let session: OpaquePointer

    /// Begins to record.
    ///
    /// - Parameter tables: have a primary key.
    static func begin(on connection: Connection, tables: [String]) throws(SQLiteError) -> ChangeRecorder {
        var made: OpaquePointer?
        let code = unsafe sqlite3session_create(connection.handle, "main", &made)
        guard code == SQLITE_OK, let session = unsafe made else { throw SQLiteError(ofSession: code) }
        let recorder = unsafe ChangeRecorder(owning: session)
        for table in tables {
            let code = unsafe sqlite3session_attach(session, table)
            guard code == SQLITE_OK else { throw SQLiteError(ofSession: code) }
        }
        return recorder
    }

    @unsafe private init(owning session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe sqlite3session_delete(session) }

    /// What has changed so far. A row that is as it was is not in it.
    borrowing func changes() throws(SQLiteError) -> ChangeSet {
        var count: Int32 = 0
        var start: UnsafeMutableRawPointer?
        let code = unsafe sqlite3session_changeset(session, &count, &start)
        defer { unsafe sqlite3_free(start) }
        guard code == SQLITE_OK else { throw SQLiteError(ofSession: code) }
        return unsafe ChangeSet(bytes: Array(UnsafeRawBufferPointer(start: start, count: Int(count))))
    }
}

extension SQLiteError {
    fileprivate init(ofSession code: Int32) {
        let text = unsafe sqlite3_errstr(code).map { unsafe String(cString: $0) }
        self.init(code: code, message: text ?? "error \(code)")
    }
}

extension Connection {
    /// Makes the changes of a change set, within a transaction.
    ///
    /// - Returns: false, and nothing is changed, where a row is not as the change set says that it was before, or a constraint
    ///   does not hold.
    func apply(_ changes: ChangeSet) throws(SQLiteError) -> Bool {
        guard !changes.isEmpty else { return true }
        var bytes = changes.bytes
        let code = unsafe bytes.withUnsafeMutableBytes { memory in
            unsafe sqlite3changeset_apply(
                handle, Int32(memory.count), memory.baseAddress, nil,
                { _, _, _ in SQLITE_CHANGESET_ABORT }, nil)
        }
        guard code != SQLITE_ABORT, code & 0xFF != SQLITE_CONSTRAINT else { return false }
        guard code == SQLITE_OK else { throw unsafe SQLiteError(lastOf: handle, code: code) }
        return true
    }
}
