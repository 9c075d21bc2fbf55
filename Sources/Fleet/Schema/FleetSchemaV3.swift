internal import PostgreSQL

/// The third schema: the peppers of stores that were merged into the fleet, and which of them each host has.
enum FleetSchemaV3 {
    static let migration = FleetMigration(
        version: 3, compatibleFrom: 1, title: "peppers of merged stores", statements: peppers)

    private static let peppers: [Statement] = [
        """
        -- The store's own pepper is in keyvigil.fleet.
        CREATE TABLE keyvigil.merged_peppers (
          fingerprint bytea PRIMARY KEY CONSTRAINT merged_fingerprint_is_a_hash CHECK (octet_length(fingerprint) = 32),
          store text NOT NULL,               -- HOST:/path of the store whose secrets are hashed under it
          added_at bigint NOT NULL,
          used_at bigint                     -- since when there may be such secrets; null: all hosts are to have it first
        )
        """,
        // Their fingerprints in hexadecimal, with commas; null: its program does not know of merged stores.
        "ALTER TABLE keyvigil.hosts ADD COLUMN peppers text",
    ]
}
