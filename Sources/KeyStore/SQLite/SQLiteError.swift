internal import CSQLite

/// What SQLite reports (sqlite.org/rescode.html). ``StoreError/from(_:path:)`` puts it into words
/// for a person.
struct SQLiteError: Error, Sendable {
    /// The extended result code.
    let code: Int32
    /// SQLite's own message. It names tables and columns, and never holds a value.
    let message: String

    /// The result code without its extension.
    var primaryCode: Int32 { code & 0xFF }

    /// Content that the schema and the code that writes do not let in.
    static func corrupt(_ message: String) -> SQLiteError { SQLiteError(code: SQLITE_CORRUPT, message: message) }

    /// A use after the end.
    static let closed = SQLiteError(code: SQLITE_MISUSE, message: "the store is closed")
}

extension SQLiteError {
    /// Another file has taken the place of the one that was opened.
    static let moved = SQLiteError(code: keyvigil_sqlite_readonly_dbmoved, message: "another file has taken its place")
}

extension SQLiteError {
    /// Whether the file is damaged, or none of SQLite's.
    var isDamage: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }
}
