internal import KeyStore
internal import Keys
internal import PostgreSQL

/// Scans of all hosts: a person asks, each host hears of it with a notification or with its next sign of life, and says how far it is.
extension FleetAuthority {
    /// Asks all hosts to search the places of their configurations.
    ///
    /// - Returns: the number of the request.
    package func askForScans() throws -> Int64 {
        try explaining {
            try use(repeats: false) { connection in
                let results = try connection.run(
                    [
                        """
                        UPDATE keyvigil.fleet SET scan_request = coalesce(scan_request, 0) + 1, scan_asked_at = clock_timestamp()
                        RETURNING scan_request
                        """,
                        "NOTIFY keyvigil_waiting",
                    ], before: .after(patience.changing))
                guard let row = results[0].first else { throw FleetError.noSchema }
                return try row["scan_request"]
            }
        }
    }

    /// Commits what a host says of its scans.
    package func note(_ scan: FleetHostScan, of host: Int64) throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(
                    [
                        """
                        UPDATE keyvigil.hosts SET scan_sources = \(scan.sources), scan_heard = coalesce(\(scan.heard), scan_heard),
                          scan_done = coalesce(\(scan.ended?.request), scan_done),
                          scan_began_at = coalesce(\(scan.ended?.beganAt.milliseconds), scan_began_at),
                          scan_ended_at = coalesce(\(scan.ended?.endedAt.milliseconds), scan_ended_at),
                          scan_places = coalesce(\(scan.ended?.places), scan_places)
                        WHERE host = \(host) AND removed_at IS NULL
                        """
                    ], before: .after(patience.changing))
            }
        }
    }

    static func scan(_ row: Row) throws -> FleetHostScan {
        let done: Int64? = try row["scan_done"]
        return FleetHostScan(
            sources: try row["scan_sources"], heard: try row["scan_heard"],
            ended: try done.map { done in
                FleetHostScan.End(
                    request: done, beganAt: Instant(milliseconds: try row["scan_began_at"] ?? 0),
                    endedAt: Instant(milliseconds: try row["scan_ended_at"] ?? 0),
                    places: try row["scan_places"] ?? 0)
            })
    }
}
