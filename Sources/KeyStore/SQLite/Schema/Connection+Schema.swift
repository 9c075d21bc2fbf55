/// Changes of the schema that SQLite would make by reading all rows (sqlite.org/lang_altertable.html, section 7, on
/// `writable_schema`). To be called within a transaction.
extension Connection {
    /// Adds columns that are null in each row, and whose constraints hold for null.
    ///
    /// - Parameter definitions: as `ALTER TABLE … ADD COLUMN` takes them.
    func addColumns(_ definitions: [String], to table: String) throws {
        let text: SQL = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = \(table)"
        guard let before: String = try first(text) else {
            throw SQLiteError.corrupt("the table \(table) is missing")
        }
        // SQLite itself makes the text, of a table without rows.
        let scratch = try Connection(Connection.inMemory, .readWrite, patience: LockPatience(0))
        try scratch.script(before)
        for definition in definitions { try scratch.script("ALTER TABLE \(table) ADD COLUMN \(definition)") }
        let after: String? = try scratch.first(text)
        try editSchema {
            try run("UPDATE sqlite_schema SET sql = \(after) WHERE type = 'table' AND name = \(table)")
        }
    }

    /// Adds a partial index that no row of its table belongs to.
    ///
    /// - Parameters:
    ///   - text: the statement that would make it.
    ///   - column: the one that is indexed.
    func addIndex(_ name: String, _ text: String, of table: String, on column: String) throws {
        // It is made as the index of a table without rows, and then given to the one that it is for.
        try script(
            """
            CREATE TABLE \(name)_host (\(column));
            CREATE INDEX \(name) ON \(name)_host (\(column)) WHERE \(column) IS NOT NULL
            """)
        try editSchema {
            try run(
                "UPDATE sqlite_schema SET tbl_name = \(table), sql = \(text) WHERE type = 'index' AND name = \(name)")
        }
        try script("DROP TABLE \(name)_host")
    }

    private func editSchema(_ edit: () throws -> Void) throws {
        try withoutDefence {
            try script("PRAGMA writable_schema = ON")
            defer { try? script("PRAGMA writable_schema = RESET") }
            try edit()
            // Other connections read the schema again when they see another number.
            try script("PRAGMA schema_version = \(try number(ofPragma: "schema_version") + 1)")
        }
    }
}
