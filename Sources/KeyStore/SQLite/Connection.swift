internal import CSQLite

/// A connection to one SQLite file: the one way in which the store says SQL.
///
/// Statements are prepared once and kept. Not safe to share between threads: ``SerialConnection`` and ``ConnectionPool`` see to
/// it that a connection has one user at a time.
///
/// Files are opened, made and removed as the owner of the directory that they are in (``DirectoryOwner``): SQLite does that when it
/// opens and closes the database, and when a transaction begins, which is in the first step of a statement.
///
/// Unsafe: `handle` is opened in `init` and closed in `deinit`, after every statement of it. Others use it in ChangeRecorder.swift.
@safe final class Connection {
    let handle: OpaquePointer
    private var statements: [StatementText: Statement] = [:]
    private let patience: LockPatience
    private let owner: DirectoryOwner
    /// What records the transaction that is under way; nil where nothing does.
    private var parts: ChangeParts?
    /// The number of savepoints that are open.
    private var savepoints = 0

    enum Access {
        case readOnly
        /// The file must exist.
        case readWrite

        fileprivate var flags: Int32 { self == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE }
    }

    /// Opens a file that exists, with what holds for each connection of the store: foreign keys are checked, damaged pages and
    /// functions in the schema are refused, and other programs' locks are waited for.
    ///
    /// - Parameter cache: the most memory for pages of the file, in KiB.
    ///
    /// - Throws: ``SQLiteError``; ``StoreError`` for a directory that is not its owner's alone.
    init(_ path: String, _ access: Access, patience: LockPatience, cache: Int = 4_000) throws {
        self.patience = patience
        let owner = path == Self.inMemory ? .none : try StoreFile.owner(of: path)
        self.owner = owner
        var opened: OpaquePointer?
        let code = owner.act { unsafe sqlite3_open_v2(path, &opened, access.flags | SQLITE_OPEN_NOMUTEX, nil) }
        guard code == SQLITE_OK, let open = unsafe opened else {
            defer { _ = unsafe sqlite3_close_v2(opened) }
            throw unsafe SQLiteError(lastOf: opened, code: code)
        }
        unsafe handle = open
        _ = unsafe sqlite3_extended_result_codes(open, 1)
        let hardened = unsafe keyvigil_sqlite_harden(open)
        guard hardened == SQLITE_OK else { throw unsafe SQLiteError(lastOf: open, code: hardened) }
        unsafe sqlite3_busy_handler(
            open,
            { patience, number in
                guard let patience = unsafe patience else { return 0 }
                let mine = unsafe Unmanaged<LockPatience>.fromOpaque(patience).takeUnretainedValue()
                return mine.waits(Int(number)) ? 1 : 0
            }, Unmanaged.passUnretained(patience).toOpaque())
        try script(
            """
            PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;
            PRAGMA cache_size = -\(cache); PRAGMA journal_size_limit = 67108864
            """)
    }

    /// The path of a database that has no file.
    static let inMemory = ":memory:"

    deinit {
        owner.act {
            statements = [:]
            _ = unsafe sqlite3_close_v2(handle)
        }
    }

    // MARK: - Statements

    /// The prepared statement of a text. One that is being read gives way to another of the same text.
    func statement(_ text: String) throws(SQLiteError) -> Statement {
        let key = StatementText(text: text)
        if let known = statements[key], !known.isBusy { return known }
        let statement = unsafe try Statement(text, on: handle, as: owner)
        statements[key] = statement
        return statement
    }

    /// The rows that a statement finds.
    func rows(_ sql: SQL) throws(SQLiteError) -> Rows {
        // What a savepoint takes back must not have been handed over.
        if let parts, savepoints == 0 { try parts.cut() }
        let statement = try statement(sql.text)
        statement.bind(sql.values)
        return Rows(statement)
    }

    /// Runs a statement to its end. Rows that it finds are passed over.
    func run(_ sql: SQL) throws(SQLiteError) {
        var rows = try rows(sql)
        while try rows.next() != nil {}
    }

    /// Runs statements that have no values, such as those of a schema. They are not kept.
    func script(_ text: String) throws(SQLiteError) {
        let code = owner.act { unsafe sqlite3_exec(handle, text, nil, nil, nil) }
        guard code == SQLITE_OK else { throw unsafe SQLiteError(lastOf: handle, code: code) }
    }

    /// What `read` makes of the first row; nil where there is none.
    func first<Value>(_ sql: SQL, _ read: (Row) throws -> Value) throws -> Value? {
        var rows = try rows(sql)
        return try rows.next().map(read)
    }

    /// The first column of the first row; nil where there is no row, and for null.
    func first<Value: ColumnValue>(_ sql: SQL) throws(SQLiteError) -> Value? {
        var rows = try rows(sql)
        guard let row = try rows.next() else { return nil }
        return try row.first() as Value?
    }

    /// What `read` makes of each row.
    func all<Value>(_ sql: SQL, _ read: (Row) throws -> Value) throws -> [Value] {
        var found: [Value] = []
        try forEach(sql) { found.append(try read($0)) }
        return found
    }

    /// The first column of each row.
    func all<Value: ColumnValue>(_ sql: SQL) throws -> [Value] { try all(sql) { try $0.first() } }

    /// Calls `body` with each row: memory stays flat.
    func forEach(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        var rows = try rows(sql)
        while let row = try rows.next() { try body(row) }
    }

    /// Whether a query of `EXISTS (…)`, or of another truth, says yes.
    func isTrue(_ sql: SQL) throws(SQLiteError) -> Bool { try first(sql) ?? false }

    /// The number of a pragma, such as `page_count`.
    func number(ofPragma name: String) throws(SQLiteError) -> Int {
        try first(SQL(stringLiteral: "PRAGMA \(name)")) ?? 0
    }

    /// The row number of the last insertion.
    var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// The number of rows that the last statement has changed.
    var changedRows: Int { unsafe Int(sqlite3_changes(handle)) }

    /// The number of rows that all statements since the connection was opened have changed.
    var totalChanges: Int64 { unsafe sqlite3_total_changes64(handle) }

    /// How many instructions of SQLite's machine the kept statements have run since this was last asked.
    func takeStepCount() -> Int { statements.values.reduce(0) { $0 + $1.takeStepCount() } }

    // MARK: - Transactions

    enum Transaction: String {
        /// Sees one state of the file.
        case deferred = "BEGIN DEFERRED"
        /// Holds the write lock from its start.
        case immediate = "BEGIN IMMEDIATE"
    }

    /// Runs `body` in a transaction, which is rolled back where `body` throws.
    func transaction<Value>(_ kind: Transaction, _ body: () throws -> Value) throws -> Value {
        try run(SQL(stringLiteral: kind.rawValue))
        do {
            let value = try body()
            try run("COMMIT")
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    /// Ends the transaction without its changes. SQLite may have ended it already (sqlite.org/lang_transaction.html).
    private func rollBack() {
        if unsafe sqlite3_get_autocommit(handle) == 0 { try? run("ROLLBACK") }
    }

    /// Runs `body` within a transaction so that nothing of it is left where it throws.
    func savepoint<Value>(_ body: () throws -> Value) throws -> Value {
        try run("SAVEPOINT part")
        savepoints += 1
        defer { savepoints -= 1 }
        do {
            let value = try body()
            try run("RELEASE part")
            return value
        } catch {
            if unsafe sqlite3_get_autocommit(handle) == 0 {
                try? run("ROLLBACK TO part")
                try? run("RELEASE part")
            }
            throw error
        }
    }

    /// Runs `body` while its changes are handed over in parts.
    func recording<Value>(_ parts: ChangeParts, _ body: () throws -> Value) rethrows -> Value {
        self.parts = parts
        defer { self.parts = nil }
        return try body()
    }

    // MARK: - The file as a whole

    /// Runs `body` without waiting for locks: it fails as busy at once.
    func withoutWaiting<Value>(_ body: () throws -> Value) rethrows -> Value { try patience.off(body) }

    /// Moves the content of the write-ahead log to the file and empties the log.
    func checkpoint() throws(SQLiteError) {
        let code = owner.act { unsafe sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil) }
        guard code == SQLITE_OK else { throw unsafe SQLiteError(lastOf: handle, code: code) }
    }

    /// Copies the file, as it is at one moment, into that of another connection (sqlite.org/backup.html). Others go on using
    /// it meanwhile.
    ///
    /// - Parameter target: a new file, of which nothing is left where the copy fails.
    func backUp(to target: Connection) throws(SQLiteError) {
        // No other file is made beside the target, whose owner may be another one.
        try target.script("PRAGMA journal_mode = MEMORY")
        guard let backup = unsafe sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw unsafe SQLiteError(lastOf: target.handle, code: SQLITE_ERROR)
        }
        // In one step, so that a change that is made meanwhile does not start it from the beginning.
        let code = owner.act { unsafe sqlite3_backup_step(backup, -1) }
        let end = unsafe sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, end == SQLITE_OK else {
            throw unsafe SQLiteError(lastOf: target.handle, code: end == SQLITE_OK ? code : end)
        }
    }

    /// Whether the file has a table of this name.
    func hasTable(_ name: String) throws(SQLiteError) -> Bool {
        try isTrue("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = \(name))")
    }

    /// Runs `body` while the schema may be edited.
    func withoutDefence<Value>(_ body: () throws -> Value) throws -> Value {
        _ = unsafe keyvigil_sqlite_set_defensive(handle, 0)
        defer { _ = unsafe keyvigil_sqlite_set_defensive(handle, 1) }
        return try body()
    }

    /// The first problem that SQLite finds in the pages and indexes; nil where there is none. It reads the whole file.
    func firstProblem() throws(SQLiteError) -> String? {
        let answer: String? = try first("PRAGMA quick_check(1)")
        return answer == "ok" ? nil : answer
    }

    /// The memory that holds pages of the file, in bytes.
    var pageMemory: Int {
        var (current, highest): (Int32, Int32) = (0, 0)
        let code = unsafe sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &current, &highest, 0)
        return code == SQLITE_OK ? Int(current) : 0
    }

    /// Gives memory back that holds pages of the file.
    func releaseMemory() { unsafe sqlite3_db_release_memory(handle) }
}

/// The text of a statement as a key: texts are long, and begin alike, so that their ends are hashed.
private struct StatementText: Hashable {
    let text: String

    func hash(into hasher: inout Hasher) {
        hasher.combine(text.utf8.count)
        for byte in text.utf8.suffix(16) { hasher.combine(byte) }
    }
}
