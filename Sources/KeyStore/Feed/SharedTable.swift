/// A table whose rows all members of a fleet have. The others are a host's own.
package struct SharedTable: Sendable {
    package let name: String
    /// In their order.
    package let columns: [Column]

    package struct Column: Hashable, Sendable {
        package let name: String
        package let kind: Kind
        /// Whether it belongs to the primary key.
        package let isKey: Bool
    }

    /// What a column holds, as its declaration says.
    package enum Kind: String, Sendable {
        case integer = "INTEGER"
        case text = "TEXT"
        case blob = "BLOB"
        case any = "ANY"
    }

    /// Each after those that it refers to.
    package static let names = [
        "keys", "secrets", "rotations", "audit_chains", "audit_events", "repositories", "findings", "finding_objects",
        "unlisted_findings", "refused_candidates", "incidents", "expected_places", "unregistered_secrets",
        "unregistered_places",
    ]

    /// The tables of a store.
    static func all(_ db: Connection) throws -> [SharedTable] {
        try names.map { name in
            let columns = try db.all(
                "SELECT name, type, pk FROM pragma_table_info(\(name)) ORDER BY cid"
            ) { row in
                Column(name: try row["name"], kind: try row["type"], isKey: try row["pk"] as Int64 > 0)
            }
            return SharedTable(name: name, columns: columns)
        }
    }
}

extension SharedTable.Kind: ColumnValue {}

extension SharedTable {
    /// Writes all columns of all rows. A row from before a column was added with a default does not have it, and a recorder of changes takes
    /// that for null (SQLite 3.40, sqlite3_preupdate_old).
    func completeRows(_ db: Connection) throws {
        let hasDefaults = try db.isTrue(
            "SELECT EXISTS (SELECT 1 FROM pragma_table_info(\(name)) WHERE dflt_value IS NOT NULL)")
        guard hasDefaults, let column = columns.first(where: { !$0.isKey }) else { return }
        try db.run(SQL(stringLiteral: "UPDATE \(name) SET \(column.name) = \(column.name)"))
    }

    /// Adds a row.
    ///
    /// - Parameter values: in the order of the columns.
    func insert(_ values: [SQLValue], _ db: Connection) throws {
        let names = columns.map(\.name).joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        try db.run(SQL("INSERT INTO \(name) (\(names)) VALUES (\(marks))", values))
    }
}
