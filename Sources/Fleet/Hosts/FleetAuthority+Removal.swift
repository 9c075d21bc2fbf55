internal import KeyStore
internal import PostgreSQL

extension FleetAuthority {
    /// What the end of a membership has brought about.
    package struct Removal: Sendable {
        /// The role that the host signs in as.
        package let login: String
        /// The number of alerts that it had taken and not delivered, as far as the fleet knows: others report them again.
        package let alerts: Int64
    }

    /// Ends the membership of a host, and gives its alerts to the others.
    ///
    /// Its journal may have an alert that the fleet does not know to be delivered: so it is reported again under its id, with a field that
    /// says so. It takes the login of the database's owner.
    ///
    /// - Returns: nil where there is no such member.
    package func remove(_ host: FleetHost) throws -> Removal? {
        try explaining {
            let results = try use(repeats: false) { connection in
                try connection.run(
                    [
                        // A transaction of the host that is under way is waited for: it may take alerts.
                        "SELECT seq FROM keyvigil.feeds WHERE host = \(host.number) FOR UPDATE",
                        """
                        UPDATE keyvigil.hosts SET removed_at = clock_timestamp()
                        WHERE host = \(host.number) AND removed_at IS NULL RETURNING login::text AS login
                        """,
                        """
                        WITH freed AS (
                          UPDATE keyvigil.alerts SET taken_by = NULL, taken_at = NULL, host = NULL,
                            fields = CASE WHEN fields LIKE '%"KEYVIGIL_RETOLD":%' THEN fields
                              ELSE left(fields, -1) || CASE fields WHEN '{}' THEN '' ELSE ',' END || '"KEYVIGIL_RETOLD":"yes"}' END
                          WHERE taken_by = \(host.number) AND delivered_at IS NULL RETURNING 1)
                        SELECT count(*) AS alerts FROM freed
                        """,
                        "UPDATE keyvigil.alerts SET host = NULL WHERE host = \(host.number) AND taken_by IS NULL",
                        // The host hears of it, if it lives.
                        "NOTIFY keyvigil_waiting",
                    ], before: .after(patience.changing))
            }
            guard let row = results[1].first else { return nil }
            return Removal(login: try row["login"], alerts: try results[2].first.map { try $0["alerts"] } ?? 0)
        }
    }
}
