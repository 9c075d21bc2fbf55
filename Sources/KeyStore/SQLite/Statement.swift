internal import GRDB
internal import GRDBSQLite

/// A prepared statement below GRDB's rows and arguments, for what is run for each of a million keys: values go in and
/// come out without a box for each.
///
/// This file and ``LookupConnection`` are the only ones of the module that hold unsafe memory. The bounds: `handle` lives as
/// long as `owner`, which this keeps, or is freed by `deinit`; texts and blobs that are bound are copied by SQLite before the call returns
/// (SQLITE_TRANSIENT); a column's bytes are valid until the next step (sqlite3_column_blob) and are copied at once, as
/// many as sqlite3_column_bytes says.
///
/// Not for use by two threads at a time, and no longer than the transaction it was made in.
@safe final class RawStatement {
    private let handle: OpaquePointer
    /// GRDB's statement; nil where the handle is this one's own.
    private let owner: Statement?

    /// The statement of a connection's cache, compiled at its first use.
    init(_ db: Database, _ sql: String) throws {
        let statement = try db.cachedStatement(sql: sql)
        unsafe handle = statement.sqliteStatement
        owner = statement
    }

    /// A statement that is compiled now, and freed with this value.
    ///
    /// - Parameter connection: an open connection, which stays open for as long as this value is used.
    @unsafe init(connection: OpaquePointer, _ sql: String) throws {
        var compiled: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled = unsafe compiled else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) }, sql: sql)
        }
        unsafe handle = compiled
        owner = nil
    }

    deinit {
        if owner == nil { unsafe sqlite3_finalize(handle) }
    }

    // MARK: - Values in; parameters count from 1

    func bind(_ index: Int, _ value: Int64?) {
        if let value {
            unsafe sqlite3_bind_int64(handle, Int32(index), value)
        } else {
            unsafe sqlite3_bind_null(handle, Int32(index))
        }
    }

    func bind(_ index: Int, _ value: String?) {
        guard var value else {
            unsafe sqlite3_bind_null(handle, Int32(index))
            return
        }
        value.withUTF8 { bytes in
            // An empty text has no address, which would mean null.
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                _ = unsafe sqlite3_bind_text(
                    handle, Int32(index), characters.baseAddress ?? UnsafePointer(Self.empty), Int32(characters.count),
                    Self.transient)
            }
        }
    }

    func bind(_ index: Int, _ value: [UInt8]?) {
        guard let value else {
            unsafe sqlite3_bind_null(handle, Int32(index))
            return
        }
        unsafe value.withUnsafeBytes { bytes in
            _ = unsafe sqlite3_bind_blob(
                handle, Int32(index), bytes.baseAddress ?? UnsafeRawPointer(Self.empty), Int32(bytes.count),
                Self.transient)
        }
    }

    // MARK: - Running

    /// Goes on to the next row.
    ///
    /// - Returns: false after the last one; the statement is then ready for other values.
    /// - Throws: GRDB's `DatabaseError`, as GRDB itself does.
    func step() throws -> Bool {
        let code = unsafe sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE {
            reset()
            return false
        }
        let connection = unsafe sqlite3_db_handle(handle)
        let message = unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) }
        let error = DatabaseError(
            resultCode: ResultCode(rawValue: unsafe sqlite3_extended_errcode(connection)), message: message)
        reset()
        throw error
    }

    /// Runs a statement that has no rows to the end.
    func run() throws {
        while try step() {}
    }

    /// Ends the reading of rows before the last one. The lock is given back.
    func reset() {
        unsafe sqlite3_reset(handle)
    }

    /// How many instructions of SQLite's machine the statement has run since it was last asked (SQLITE_STMTSTATUS_VM_STEP).
    func takeStepCount() -> Int {
        Int(unsafe sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
    }

    // MARK: - Values out; columns count from 0

    func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
    }

    /// A whole number; 0 for null.
    func integer(_ column: Int) -> Int64 {
        unsafe sqlite3_column_int64(handle, Int32(column))
    }

    func optionalInteger(_ column: Int) -> Int64? {
        isNull(column) ? nil : integer(column)
    }

    /// A text; empty for null.
    func text(_ column: Int) -> String {
        guard let start = unsafe sqlite3_column_text(handle, Int32(column)) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Calls `body` with a text's bytes; with none for null.
    func withBytes<Result>(ofText column: Int, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result {
        let start = unsafe sqlite3_column_text(handle, Int32(column))
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe try body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count).span)
    }

    func optionalText(_ column: Int) -> String? {
        isNull(column) ? nil : text(column)
    }

    // MARK: -

    /// SQLite copies the value before the call returns (sqlite3_bind_blob).
    private static var transient: sqlite3_destructor_type {
        unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// Where an empty value is said to begin: never read, for its length is 0.
    private static var empty: OpaquePointer {
        unsafe OpaquePointer(bitPattern: 1).unsafelyUnwrapped
    }
}
