internal import PostgreSQL

/// The fourth schema: what a sweep and an import write costs the server less.
enum FleetSchemaV4 {
    static let migration = FleetMigration(
        version: 4, compatibleFrom: 1, title: "less work for alerts and feeds",
        statements: [
            // Hosts are never deleted, and a host can take an alert for itself alone (taken_by_no_other).
            """
            ALTER TABLE keyvigil.alerts DROP CONSTRAINT alerts_host_fkey, DROP CONSTRAINT alerts_taken_by_fkey
            """,
            """
            -- Entries of more than 2 kB are compressed: by lz4 in a third of the time. PostgreSQL 13 does not have it, and a server
            -- may be built without it.
            DO $$
            BEGIN
              EXECUTE 'ALTER TABLE keyvigil.changes ALTER COLUMN payload SET COMPRESSION lz4';
            EXCEPTION WHEN syntax_error OR feature_not_supported THEN
              NULL;
            END $$
            """,
        ])
}
