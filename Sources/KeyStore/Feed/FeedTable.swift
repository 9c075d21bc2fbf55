internal import Keys

/// Reads and writes the rows of `feeds`: how far this store has applied the entries of each host, its own among them.
enum FeedTable {
    static func positions(_ db: Connection) throws -> [FeedPosition] {
        try db.all("\(selection) ORDER BY host", read)
    }

    static func position(of host: Int64, _ db: Connection) throws -> FeedPosition {
        try db.first("\(selection) WHERE host = \(host)", read) ?? FeedPosition(host: host)
    }

    private static let selection: SQL = "SELECT host, sequence, clock, head FROM feeds"

    private static func read(_ row: Row) throws -> FeedPosition {
        FeedPosition(
            host: try row["host"], sequence: try row["sequence"], clock: try row["clock"], head: try row["head"])
    }

    /// The greatest clock of all entries that were applied.
    static func clock(_ db: Connection) throws -> Int64 { try db.first("SELECT max(clock) FROM feeds") ?? 0 }

    /// Notes that an entry is applied.
    static func advance(to entry: FeedEntry, _ db: Connection) throws {
        try set(
            FeedPosition(host: entry.host, sequence: entry.sequence, clock: entry.clock, head: entry.link), db)
    }

    /// Takes positions over that belong to a copy of all tables.
    static func replace(with positions: [FeedPosition], _ db: Connection) throws {
        try db.run("DELETE FROM feeds")
        for position in positions { try set(position, db) }
    }

    private static func set(_ position: FeedPosition, _ db: Connection) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO feeds (host, sequence, clock, head)
            VALUES (\(position.host), \(position.sequence), \(position.clock), \(position.head))
            """)
    }
}
