package import KeyStore
internal import PostgreSQL

extension FleetAuthority {
    /// Ends the membership of this host, if the database has the same rows as its store; nothing where it is no longer a member.
    ///
    /// - Parameter positions: how far the store has applied each feed.
    /// - Returns: false where other hosts have changed something since.
    package func leave(_ rows: SharedRows, at positions: [FeedPosition]) throws -> Bool {
        try explaining {
            try use(repeats: false) { connection in
                let begun = try connection.begin(
                    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", Self.endsOfFeeds],
                    before: .after(Patience.copying))
                guard try Self.areSame(Self.ends(begun[1]), positions) else {
                    try connection.rollBack(before: .after(patience.asking))
                    return false
                }
                for table in rows.tables where try !Self.isSame(table, rows, &connection) {
                    throw StoreError.differs(table.name)
                }
                try connection.commit(["SELECT keyvigil.leave()"], before: .after(patience.changing))
                return true
            }
        }
    }
}
