internal import CSQLite

/// A prepared statement. It belongs to one ``Connection``, which keeps it, and to one thread at a time.
///
/// This file, Connection.swift and ChangeRecorder.swift are the only ones of the module that hold unsafe memory of SQLite. The bounds: `handle` is
/// finalized by `deinit`, before the connection that keeps the statement is closed; texts and blobs that are bound are
/// copied by SQLite before the call returns (SQLITE_TRANSIENT); a column's bytes are valid until the next step
/// (sqlite3_column_blob) and are copied, or lent to a closure, at once, as many as sqlite3_column_bytes says.
@safe final class Statement {
    private let handle: OpaquePointer
    private let owner: DirectoryOwner
    /// The names of the columns, in their order.
    private let names: [String]
    /// The column after the last one that was read: rows are mostly read in the order of the columns.
    private var next = 0

    /// - Parameters:
    ///   - connection: an open connection, which stays open for as long as this value is used.
    ///   - owner: as whom files are opened.
    @unsafe init(_ text: String, on connection: OpaquePointer, as owner: DirectoryOwner) throws(SQLiteError) {
        self.owner = owner
        var compiled: OpaquePointer?
        let code = owner.act {
            unsafe sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        }
        guard code == SQLITE_OK, let compiled = unsafe compiled else {
            throw unsafe SQLiteError(lastOf: connection, code: code)
        }
        unsafe handle = compiled
        names = (0..<(unsafe sqlite3_column_count(compiled))).map { column in
            unsafe sqlite3_column_name(compiled, column).map { unsafe String(cString: $0) } ?? ""
        }
    }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Whether rows of it are being read.
    var isBusy: Bool { unsafe sqlite3_stmt_busy(handle) != 0 }

    /// How many instructions of SQLite's machine the statement has run since this was last asked (SQLITE_STMTSTATUS_VM_STEP).
    func takeStepCount() -> Int {
        Int(unsafe sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
    }

    // MARK: - Values in

    func bind(_ values: [SQLValue]) {
        for (index, value) in values.enumerated() { bind(value, at: Int32(index + 1)) }
    }

    private func bind(_ value: SQLValue, at index: Int32) {
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .text(var text):
            text.withUTF8 { bytes in
                unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                    // An empty text has no address, which would mean null.
                    _ = unsafe sqlite3_bind_text(
                        handle, index, characters.baseAddress ?? UnsafePointer(Self.empty), Int32(characters.count),
                        Self.transient)
                }
            }
        case .blob(let blob):
            unsafe blob.withUnsafeBytes { bytes in
                _ = unsafe sqlite3_bind_blob(
                    handle, index, bytes.baseAddress ?? UnsafeRawPointer(Self.empty), Int32(bytes.count), Self.transient
                )
            }
        }
    }

    // MARK: - Running

    /// Goes on to the next row.
    ///
    /// - Returns: false after the last one; the statement is then ready for other values.
    func step() throws(SQLiteError) -> Bool {
        // A transaction begins in the first step; in later ones no file is opened.
        let code = isBusy ? unsafe sqlite3_step(handle) : owner.act { unsafe sqlite3_step(handle) }
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE {
            reset()
            return false
        }
        let error = unsafe SQLiteError(lastOf: sqlite3_db_handle(handle), code: code)
        reset()
        throw error
    }

    /// Ends the reading of rows before the last one. What the statement holds of the file is released.
    func reset() { unsafe sqlite3_reset(handle) }

    // MARK: - Values out

    /// The number of the column of a name.
    fileprivate func column(_ name: String) -> Int {
        var column = next
        if column >= names.count || names[column] != name {
            guard let found = names.firstIndex(of: name) else {
                preconditionFailure("the statement has no column \(name), but \(names)")
            }
            column = found
        }
        next = column + 1
        return column
    }

    fileprivate func name(_ column: Int) -> String { names[column] }

    fileprivate func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
    }

    /// The value of a column as SQLite keeps it.
    fileprivate func value(_ column: Int) -> SQLValue {
        switch unsafe sqlite3_column_type(handle, Int32(column)) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .blob(blob(column))
        // No table has a column of floating-point numbers.
        default: .null
        }
    }

    fileprivate func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(handle, Int32(column)) }

    fileprivate func withText<Result>(
        _ column: Int, _ body: (borrowing Span<UInt8>) throws -> Result
    ) rethrows -> Result {
        // The text before its length: the call may convert it.
        let start = unsafe sqlite3_column_text(handle, Int32(column))
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe try body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count).span)
    }

    fileprivate func text(_ column: Int) -> String {
        guard let start = unsafe sqlite3_column_text(handle, Int32(column)) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    fileprivate func blob(_ column: Int) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(handle, Int32(column)) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: -

    /// SQLite copies the value before the call returns (sqlite3_bind_blob).
    private static var transient: sqlite3_destructor_type {
        unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// Where an empty value begins: never read, for its length is 0.
    private static var empty: OpaquePointer {
        unsafe OpaquePointer(bitPattern: 1).unsafelyUnwrapped
    }
}

/// The row that a statement is at. It is valid until the next one is asked for.
struct Row {
    fileprivate let statement: Statement

    func cell(_ name: String) -> Cell { Cell(statement, statement.column(name)) }

    var firstCell: Cell { Cell(statement, 0) }

    /// The value of a column as SQLite keeps it.
    func value(_ name: String) -> SQLValue { statement.value(statement.column(name)) }

    /// Calls `body` with the bytes of a text; with none for null.
    func withText<Result>(_ name: String, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result {
        try statement.withText(statement.column(name), body)
    }
}

/// One value of a row, for a ``ColumnValue`` to be read from.
struct Cell {
    private let statement: Statement
    private let column: Int

    fileprivate init(_ statement: Statement, _ column: Int) {
        self.statement = statement
        self.column = column
    }

    var name: String { statement.name(column) }
    var isNull: Bool { statement.isNull(column) }
    /// A whole number; 0 for null.
    var integer: Int64 { statement.integer(column) }
    /// A text; empty for null.
    var text: String { statement.text(column) }
    /// Bytes; none for null.
    var blob: [UInt8] { statement.blob(column) }
}

/// The rows that a statement finds, one at a time. Its end resets the statement.
struct Rows: ~Copyable {
    private let statement: Statement

    init(_ statement: Statement) { self.statement = statement }

    deinit { statement.reset() }

    /// The next row, or nil after the last one.
    mutating func next() throws(SQLiteError) -> Row? {
        try statement.step() ? Row(statement: statement) : nil
    }
}

extension SQLiteError {
    /// The last error of a connection.
    @unsafe init(lastOf connection: OpaquePointer?, code: Int32) {
        let extended = unsafe sqlite3_extended_errcode(connection)
        self.code = extended & 0xFF == code & 0xFF ? extended : code
        message = unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
