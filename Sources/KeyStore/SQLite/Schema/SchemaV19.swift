/// The nineteenth schema: the peppers of stores that were merged into this one.
///
/// The table is no part of what the members of a fleet share by their feeds: the fleet's database has a list of its own, so that a
/// member knows of a pepper before it gets the first secret that is hashed under it.
enum SchemaV19 {
    static let migration = Migration("19 peppers of merged stores", [.script(changes)])

    private static let changes = """
        CREATE TABLE merged_peppers (
          fingerprint BLOB PRIMARY KEY
            CONSTRAINT merged_fingerprint_is_a_hash CHECK (length(fingerprint) = 32),
          store TEXT NOT NULL,          -- where the store was whose secrets are hashed under it
          added_at INTEGER NOT NULL,
          used_at INTEGER               -- since when there may be such secrets; null: all hosts of the fleet are to have it first
        ) STRICT, WITHOUT ROWID;
        """
}
