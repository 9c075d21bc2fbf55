internal import KeyStore
internal import PostgreSQL

/// A transaction that sees the tables of a fleet's database as they were when it began.
final class FleetSnapshot: SharedSnapshot {
    private var connection: Connection
    private let ends: [FeedPosition]

    /// - Parameter connection: is closed with the snapshot.
    init(_ connection: consuming Connection) throws {
        var connection = connection
        let begun = try connection.begin(
            ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", FleetAuthority.endsOfFeeds],
            before: .after(FleetAuthority.Patience.copying))
        ends = try FleetAuthority.ends(begun[1])
        self.connection = connection
    }

    func isAt(_ positions: [FeedPosition]) -> Bool { FleetAuthority.areSame(ends, positions) }

    func differences(from rows: SharedRows) throws -> [String] {
        try explaining { try rows.tables.filter { try !FleetAuthority.isSame($0, rows, &connection) }.map(\.name) }
    }
}
