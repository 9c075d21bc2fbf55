internal import KeyStore
internal import PostgreSQL

/// Reads whole tables within a transaction, in parts.
extension FleetAuthority {
    /// The rows of one part.
    static let rowsAtOnce = 5_000

    /// Begins to read a table, in the order of its primary key.
    static func open(_ table: SharedTable, _ connection: inout Connection) throws {
        let names = table.columns.map(\.name).joined(separator: ", ")
        let query = "SELECT \(names) FROM keyvigil.\(table.name) ORDER BY \(table.keyNames)"
        let statement = Statement(stringLiteral: "DECLARE shared NO SCROLL CURSOR FOR \(query)")
        try connection.run([statement], before: .after(Patience.copying))
    }

    /// The next rows; none after the last one.
    static func fetch(_ table: SharedTable, _ connection: inout Connection) throws -> [[SQLValue]] {
        let results = try connection.run(
            [Statement(stringLiteral: "FETCH \(rowsAtOnce) FROM shared")], before: .after(Patience.copying))
        return try results[0].map { row in try table.columns.map { try SQLValue(row, $0) } }
    }

    static func close(_ connection: inout Connection) throws {
        try connection.run(["CLOSE shared"], before: .after(Patience.copying))
    }
}
