/// The eighth schema: seals of keys and secrets, by which a change that is made without the pepper shows.
///
/// A store is sealed once. Its audit's seal says from then on that its rows are sealed, so that a store from which the seals
/// were taken is not taken for one that had none.
enum SchemaV8 {
    static let migration = Migration(
        "8 seals",
        [
            .work(.requireUnsealed), .script(clock), .columns(to: "keys", [seal]), .columns(to: "secrets", [seal]),
            .script(reports), .work(.sealKeys), .work(.sealSecrets), .work(.noteSealed),
        ])

    private static let seal = "seal BLOB CONSTRAINT seal_is_a_hash CHECK (length(seal) = 32)"

    /// A program of an earlier version that has the store open meanwhile would write records without seals. It notes the
    /// clock whenever it changes a key: with another name of the column these statements fail, and so does the change.
    private static let clock = "ALTER TABLE store RENAME COLUMN clock_at TO clock_mark_at;"

    private static let reports = """
        -- The records that do not fit their seals, and were reported.
        CREATE TABLE tampered_rows (
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          secret_id INTEGER NOT NULL,  -- 0: the record of the key itself
          reported_at INTEGER NOT NULL,
          PRIMARY KEY (key_row, secret_id)
        ) STRICT, WITHOUT ROWID;
        """
}
