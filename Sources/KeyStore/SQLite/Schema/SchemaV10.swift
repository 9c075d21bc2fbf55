/// The tenth schema: places where a key is meant to be.
enum SchemaV10 {
    static let migration = Migration(
        "10 expected places", [.script(places), .columns(to: "findings", ["expected_id INTEGER"])])

    private static let places = """
        CREATE TABLE expected_places (
          expected_id INTEGER PRIMARY KEY,
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          path TEXT NOT NULL,           -- absolute
          added_at INTEGER NOT NULL,
          added_by TEXT NOT NULL,
          UNIQUE (key_row, path)
        ) STRICT;
        """
}
