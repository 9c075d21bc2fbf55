/// The thirteenth schema: secrets of a known form that belong to no key.
enum SchemaV13 {
    static let migration = Migration(
        "13 unregistered secrets",
        [
            .script(tables),
            .columns(
                to: "scan_units",
                [
                    // The greatest number in secret_forms that it was searched for; null: for none.
                    "searched_forms INTEGER"
                ]),
        ])

    private static let tables = """
        CREATE TABLE secret_forms (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          forms TEXT NOT NULL UNIQUE    -- all forms that scans search for at a time
        ) STRICT;

        CREATE TABLE unregistered_secrets (
          unregistered_id INTEGER PRIMARY KEY AUTOINCREMENT,
          hash BLOB NOT NULL UNIQUE CONSTRAINT unregistered_is_a_hash CHECK (length(hash) = 32),
          issuer TEXT NOT NULL,
          prefix TEXT NOT NULL,
          first_seen_at INTEGER NOT NULL,
          dismissed_at INTEGER,
          dismissed_by INTEGER,         -- user id
          dismissed_with TEXT,          -- program
          dismiss_reason TEXT
        ) STRICT;

        CREATE TABLE unregistered_places (
          place_id INTEGER PRIMARY KEY,
          unregistered_id INTEGER NOT NULL REFERENCES unregistered_secrets (unregistered_id) ON DELETE CASCADE,
          repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
          place TEXT NOT NULL,          -- what makes two sightings the same, as of findings
          repository TEXT,              -- as of findings
          source TEXT NOT NULL,
          object TEXT,
          path TEXT,
          line INTEGER,
          column_number INTEGER,
          commit_id TEXT,
          author TEXT,
          authored_at TEXT,
          form TEXT NOT NULL,
          seen_at INTEGER NOT NULL,     -- first
          reported_at INTEGER,          -- null: no alert has counted it yet
          UNIQUE (unregistered_id, repository_id, place)
        ) STRICT;
        CREATE INDEX unregistered_places_to_report ON unregistered_places (repository_id) WHERE reported_at IS NULL;
        CREATE INDEX unregistered_places_by_repository ON unregistered_places (repository_id);
        """
}
