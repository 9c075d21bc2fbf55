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

    /// Whether a table has the rows of a copy.
    static func isSame(
        _ table: SharedTable, _ rows: SharedRows, _ connection: inout Connection
    ) throws -> Bool {
        try open(table, &connection)
        var page: ArraySlice<[SQLValue]> = []
        var isSame = true
        try rows.forEach(table) { row in
            guard isSame else { return }
            if page.isEmpty { page = try fetch(table, &connection)[...] }
            isSame = page.popFirst() == row
        }
        if isSame { isSame = try page.isEmpty && fetch(table, &connection).isEmpty }
        try close(&connection)
        return isSame
    }

    /// The ends of all feeds.
    static func ends(_ rows: Rows) throws -> [FeedPosition] {
        try rows.map { row in
            FeedPosition(
                host: try row["host"], sequence: try row["seq"], clock: try row["clock"], head: try row["head"])
        }
    }

    static let endsOfFeeds: Statement = "SELECT host, seq, clock, head FROM keyvigil.feeds"

    /// Whether positions are the ends of all feeds. A store has no position in a feed without entries, unless it is its own.
    static func areSame(_ ends: [FeedPosition], _ positions: [FeedPosition]) -> Bool {
        func entries(_ positions: [FeedPosition]) -> [Int64: [UInt8]] {
            Dictionary(
                positions.filter { $0.sequence > 0 }.map { ($0.host, $0.head) }, uniquingKeysWith: { $1 })
        }
        return entries(ends) == entries(positions)
    }
}
