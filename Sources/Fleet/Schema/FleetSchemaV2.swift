internal import PostgreSQL

/// The second schema: by which policy each host would make due dates, and scans that a person asks all hosts for.
enum FleetSchemaV2 {
    static let migration = FleetMigration(
        version: 2, compatibleFrom: 1, title: "policies of the hosts, scans of all hosts on demand",
        statements: policies + scans)

    private static let policies: [Statement] = [
        // The fingerprint of the policy of its configuration; null: it runs the first version.
        "ALTER TABLE keyvigil.hosts ADD COLUMN policy text",
        // The fingerprint in `policy` says all of it.
        "ALTER TABLE keyvigil.fleet DROP COLUMN policy_text",
    ]

    private static let scans: [Statement] = [
        """
        ALTER TABLE keyvigil.fleet
          ADD COLUMN scan_request bigint,        -- the number of times that a person has asked all hosts to search their places
          ADD COLUMN scan_asked_at timestamptz   -- when that was asked last
        """,
        """
        ALTER TABLE keyvigil.hosts
          ADD COLUMN scan_sources bigint,    -- paths and patterns in [scan]; null: its program does not hear of requests
          ADD COLUMN scan_heard bigint,      -- the request that it has heard of: its scan is under way, or over
          ADD COLUMN scan_done bigint,       -- the request whose scan has ended
          ADD COLUMN scan_began_at bigint,   -- when that scan began, by the clock of the host
          ADD COLUMN scan_ended_at bigint,
          ADD COLUMN scan_places bigint      -- the number of places that it was to search
        """,
    ]
}
