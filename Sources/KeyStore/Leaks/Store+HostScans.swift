package import Keys

/// What a scan of everything on a host of a fleet has come to, as far as this host's copy knows.
package struct HostScanResult: Hashable, Sendable {
    /// The number of places that were searched whole.
    package let whole: Int
    /// The open findings in the places that the service of the host watches.
    package let findings: Int
    /// Those of them that this scan has found.
    package let newFindings: Int
    /// The secrets in these places that belong to no key.
    package let unregistered: Int
    /// Why places were not searched whole, by their paths.
    package let problems: [Problem]
    /// What was left out of places that were searched whole otherwise.
    package let leftOut: [Problem]

    package struct Problem: Hashable, Sendable {
        package let path: String
        package let problem: String
    }
}

extension Store {
    /// What a scan of a host has come to.
    ///
    /// - Parameters:
    ///   - host: its name.
    ///   - start: when the scan began, by the clock of that host.
    package func scanResult(ofHost host: String, since start: Instant) throws -> HostScanResult {
        let names = PlaceNames(ofHostNamed: host)
        let isThere: SQL = "\(names.areOwn("r.path")) AND r.watched AND r.unwatched_at IS NULL"
        return try read { db in
            let found = try db.first(
                """
                SELECT
                  (SELECT count(*) FROM repositories r
                    WHERE \(isThere) AND r.complete AND r.scanned_at >= \(start)) AS whole,
                  (SELECT count(*) FROM findings f JOIN repositories r USING (repository_id)
                    WHERE \(isThere) AND f.status = 'open') AS findings,
                  (SELECT count(*) FROM findings f JOIN repositories r USING (repository_id)
                    WHERE \(isThere) AND f.status = 'open' AND f.first_seen_at >= \(start)) AS new_findings,
                  (SELECT count(DISTINCT u.unregistered_id) FROM unregistered_secrets u
                    JOIN unregistered_places p USING (unregistered_id) JOIN repositories r USING (repository_id)
                    WHERE \(isThere) AND u.dismissed_at IS NULL) AS unregistered
                """
            ) { row in
                (
                    whole: try row["whole"] as Int, findings: try row["findings"] as Int,
                    newFindings: try row["new_findings"] as Int, unregistered: try row["unregistered"] as Int
                )
            }
            func remarks(_ condition: SQL) throws -> [HostScanResult.Problem] {
                try db.all(
                    """
                    SELECT path, problem FROM repositories r
                    WHERE \(isThere) AND r.problem IS NOT NULL AND \(condition) ORDER BY path
                    """
                ) { row in
                    let path: String = try row["path"]
                    return HostScanResult.Problem(path: names.own(path) ?? path, problem: try row["problem"])
                }
            }
            return HostScanResult(
                whole: found?.whole ?? 0, findings: found?.findings ?? 0, newFindings: found?.newFindings ?? 0,
                unregistered: found?.unregistered ?? 0, problems: try remarks("NOT r.complete"),
                leftOut: try remarks("r.complete"))
        }
    }
}
