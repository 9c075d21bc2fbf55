import CSQLite

/// What a verification is compared with: one prepared statement of SQLite's own interface that finds a row by the hash and
/// reads its columns, each look-up a statement of its own as ours is. It hashes nothing and decides nothing.
///
/// Unsafe: the statement and its connection live as long as this value; what a column points to is only looked at.
@safe final class LookupFloor {
    private let connection: OpaquePointer
    private let statement: OpaquePointer

    struct Failure: Error {}

    init(path: String) throws {
        var opened: OpaquePointer?
        guard unsafe sqlite3_open_v2(path, &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            let open = unsafe opened
        else { throw Failure() }
        var compiled: OpaquePointer?
        let sql = "SELECT s.state, s.retires_at, k.* FROM secrets s JOIN keys k USING (key_row) WHERE s.hash = ?"
        guard unsafe sqlite3_prepare_v2(open, sql, -1, &compiled, nil) == SQLITE_OK, let prepared = unsafe compiled
        else { throw Failure() }
        unsafe connection = open
        unsafe statement = prepared
    }

    deinit {
        unsafe sqlite3_finalize(statement)
        unsafe sqlite3_close_v2(connection)
    }

    func find(_ hash: [UInt8]) -> Bool {
        _ = unsafe hash.withUnsafeBytes { unsafe sqlite3_bind_blob(statement, 1, $0.baseAddress, Int32($0.count), nil) }
        var isFound = false
        // Bound without a copy: the bytes are there until the row is read.
        withExtendedLifetime(hash) {
            isFound = unsafe sqlite3_step(statement) == SQLITE_ROW
            if isFound {
                for column in 0..<(unsafe sqlite3_column_count(statement)) {
                    _ = unsafe sqlite3_column_text(statement, column)
                }
            }
        }
        unsafe sqlite3_reset(statement)
        return isFound
    }
}
