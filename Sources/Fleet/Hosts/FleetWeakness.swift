internal import PostgreSQL

/// How a commit that the fleet's database has acknowledged can be lost.
package enum FleetWeakness: Hashable, Sendable {
    /// The server acknowledges before the commit is on its disk.
    case notSynced
    /// The server has standbys, and acknowledges before one of them has the commit: a failover loses it.
    case asynchronous
}

extension FleetAuthority {
    /// How an acknowledged commit of this login can be lost; nil where no way is known.
    ///
    /// Who may not see the details of pg_stat_replication sees that there are connections of standbys, or of others that receive the log.
    package func weakness() throws -> FleetWeakness? {
        try explaining {
            try use(repeats: true) { connection in
                let rows = try connection.read(
                    [
                        """
                        SELECT current_setting('synchronous_commit') AS commits,
                          current_setting('synchronous_standby_names') AS synchronous,
                          EXISTS (SELECT FROM pg_stat_replication)
                            OR EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical') AS has_standbys
                        """
                    ], before: .after(patience.asking))
                guard let row = rows[0].first else { return nil }
                let commits: String = try row["commits"]
                if commits == "off" { return .notSynced }
                let isAsynchronous = try row["synchronous"] as String == "" || commits == "local"
                return try isAsynchronous && row["has_standbys"] ? .asynchronous : nil
            }
        }
    }
}
