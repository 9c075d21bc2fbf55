internal import PostgreSQL

extension FleetAuthority {
    /// How long entries of feeds are kept, in days: a member that was away for longer copies all tables.
    private static let entriesKept: Int64 = 7

    /// Removes old entries of all feeds, part by part.
    package func trimFeeds() throws {
        try explaining {
            try use(repeats: true) { connection in
                var removed: Int64
                repeat {
                    let rows = try connection.run(
                        ["SELECT keyvigil.trim_changes(\(Self.entriesKept)) AS removed"],
                        before: .after(Patience.copying))
                    removed = try rows[0].first.map { try $0["removed"] } ?? 0
                } while removed > 0
            }
        }
    }
}
