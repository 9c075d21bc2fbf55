/// The rows of the shared tables at one moment, for a copy elsewhere.
package struct SharedRows {
    private let db: Connection
    package let tables: [SharedTable]

    init(_ db: Connection) throws {
        self.db = db
        tables = try SharedTable.all(db)
    }

    /// Whether there are no keys, and never were any.
    var isEmpty: Bool {
        get throws { try !db.isTrue("SELECT EXISTS (SELECT 1 FROM keys) OR EXISTS (SELECT 1 FROM audit_events)") }
    }

    /// The number of rows of a table.
    package func count(_ table: SharedTable) throws -> Int64 {
        try db.first(SQL(stringLiteral: "SELECT count(*) FROM \(table.name)")) ?? 0
    }

    /// Calls `body` with the rows of a table, in the order of the primary key.
    ///
    /// - Parameter body: is called with the values of a row in the order of the columns.
    package func forEach(_ table: SharedTable, _ body: ([SQLValue]) throws -> Void) throws {
        let names = table.columns.map(\.name).joined(separator: ", ")
        let sql = SQL(stringLiteral: "SELECT \(names) FROM \(table.name) ORDER BY \(table.keyNames)")
        try db.forEach(sql) { row in try body(table.columns.map { row.value($0.name) }) }
    }
}

extension SharedTable {
    /// The columns of the primary key, as a list.
    package var keyNames: String { columns.filter(\.isKey).map(\.name).joined(separator: ", ") }
}
