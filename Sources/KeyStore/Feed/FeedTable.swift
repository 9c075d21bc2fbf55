internal import Keys

/// Reads and writes the rows of `feeds`: how far this store has applied the entries of each host, its own among them.
enum FeedTable {
    static func positions(_ db: Connection) throws -> [FeedPosition] {
        try db.all("SELECT host, sequence, clock, head FROM feeds ORDER BY host") { row in
            FeedPosition(
                host: try row["host"], sequence: try row["sequence"], clock: try row["clock"], head: try row["head"])
        }
    }

    static func position(of host: Int64, _ db: Connection) throws -> FeedPosition {
        try positions(db).first { $0.host == host } ?? FeedPosition(host: host)
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
