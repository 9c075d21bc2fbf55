internal import CSQLite

/// Records which rows of some tables a connection changes, as long as it exists (sqlite.org/sessionintro.html).
///
/// Unsafe: `session` is made in `begin` and deleted in `deinit`, while the connection is lent to whoever has the recorder. What
/// SQLite allocates for a change set is copied and freed in the same call; values of a row are copied before the next one is
/// asked for.
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

extension ChangeSet {
    /// Calls `body` with each changed row: those of one table together.
    ///
    /// - Throws: ``SQLiteError`` for bytes that are no change set.
    package func forEach(_ body: (RowChange) throws -> Void) throws {
        guard !isEmpty else { return }
        var bytes = bytes
        try unsafe bytes.withUnsafeMutableBytes { memory in
            var iterator: OpaquePointer?
            let code = unsafe sqlite3changeset_start(&iterator, Int32(memory.count), memory.baseAddress)
            guard code == SQLITE_OK else { throw SQLiteError(ofSession: code) }
            defer { unsafe sqlite3changeset_finalize(iterator) }
            while true {
                let code = unsafe sqlite3changeset_next(iterator)
                if code == SQLITE_DONE { return }
                guard code == SQLITE_ROW else { throw SQLiteError(ofSession: code) }
                try body(unsafe Self.change(iterator))
            }
        }
    }

    /// The row that an iterator is at.
    @unsafe private static func change(_ iterator: OpaquePointer?) throws(SQLiteError) -> RowChange {
        var (name, count, code, indirect): (UnsafePointer<CChar>?, Int32, Int32, Int32) = (nil, 0, 0, 0)
        var keys: UnsafeMutablePointer<UInt8>?
        var keyCount: Int32 = 0
        guard unsafe sqlite3changeset_op(iterator, &name, &count, &code, &indirect) == SQLITE_OK,
            unsafe sqlite3changeset_pk(iterator, &keys, &keyCount) == SQLITE_OK,
            let table = unsafe name, let isKey = unsafe keys
        else { throw SQLiteError(ofSession: SQLITE_CORRUPT) }
        let operation: RowChange.Operation
        switch code {
        case SQLITE_INSERT: operation = .insert
        case SQLITE_UPDATE: operation = .update
        default: operation = .delete
        }
        func values(
            _ get: (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Int32
        ) throws(SQLiteError) -> [SQLValue?] {
            var values: [SQLValue?] = []
            for column in 0..<count {
                var value: OpaquePointer?
                let code = unsafe get(iterator, column, &value)
                guard code == SQLITE_OK else { throw SQLiteError(ofSession: code) }
                values.append(unsafe value.map { unsafe SQLValue(copyOf: $0) })
            }
            return values
        }
        let none = [SQLValue?](repeating: nil, count: Int(count))
        return RowChange(
            table: unsafe String(cString: table), operation: operation,
            isKey: (0..<Int(count)).map { unsafe isKey[$0] != 0 },
            old: operation == .insert ? none : unsafe try values(sqlite3changeset_old),
            new: operation == .delete ? none : unsafe try values(sqlite3changeset_new))
    }
}

extension SQLValue {
    /// Copies a value that SQLite owns.
    @unsafe fileprivate init(copyOf value: OpaquePointer) {
        let count = unsafe Int(sqlite3_value_bytes(value))
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_INTEGER: self = .integer(unsafe sqlite3_value_int64(value))
        case SQLITE_TEXT:
            let start = unsafe sqlite3_value_text(value)
            self = .text(unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            self = .blob(unsafe Array(UnsafeRawBufferPointer(start: sqlite3_value_blob(value), count: count)))
        // No table has a column of floating-point numbers.
        default: self = .null
        }
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
