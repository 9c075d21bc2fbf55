/// The fourteenth schema: imports in short transactions, and places that fail again and again.
enum SchemaV14 {
    static let migration = Migration(
        "14 imports",
        [
            .script(tables),
            .columns(
                to: "repositories",
                [
                    // Scans in a row with this problem, after the first; null: none.
                    "repeats INTEGER"
                ]),
            .rows(
                of: "repositories", by: "repository_id",
                change: """
                    UPDATE repositories SET problem = 'the daemon was killed, or stood still, twice while it scanned this: \
                    it is set aside, and tried again from time to time'
                    WHERE problem LIKE '%it is set aside, and scanned once in each interval'
                    """),
        ])

    private static let tables = """
        CREATE TABLE imports (          -- the one that is under way, or was cut off
          one INTEGER PRIMARY KEY CONSTRAINT one_import_at_a_time CHECK (one = 1),
          began_at INTEGER NOT NULL,
          uid INTEGER NOT NULL,         -- of who imports, for the audit
          program TEXT NOT NULL,
          person TEXT NOT NULL,
          keys INTEGER                  -- how many; null until all are staged: from then on they are moved to their tables
        ) STRICT;

        CREATE TABLE import_keys (      -- staged: no key yet, but its name and its secret are taken
          import_row INTEGER PRIMARY KEY,
          id TEXT NOT NULL,             -- from here on as in keys
          kind TEXT NOT NULL,
          name TEXT NOT NULL,
          owner TEXT,
          issuer TEXT NOT NULL,
          environment TEXT NOT NULL,
          permissions TEXT NOT NULL,
          resources TEXT,
          role TEXT NOT NULL,
          status TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          expires_at INTEGER,
          rotate_every INTEGER,
          expiry_notice_sent INTEGER,
          next_due_at INTEGER,
          origin TEXT NOT NULL,
          notes TEXT,
          client TEXT,
          stated_by TEXT,
          stated_at INTEGER,
          expiry_notice_for INTEGER,
          seal BLOB NOT NULL,
          prefix TEXT NOT NULL,         -- from here on as in secrets
          hash BLOB,
          hash_form TEXT NOT NULL,
          length INTEGER,
          digest_hash BLOB,
          secret_seal BLOB NOT NULL,
          expected TEXT                 -- the files in which it is meant to be: {"paths": [...]}
        ) STRICT;
        CREATE TABLE import_reserve (   -- space that the keys take in their tables; it is free when they are moved
          import_row INTEGER PRIMARY KEY, -- the first of the keys
          space BLOB NOT NULL           -- zeros
        ) STRICT;
        CREATE INDEX import_keys_by_name ON import_keys (name);
        CREATE INDEX import_keys_by_secret ON import_keys (digest_hash) WHERE digest_hash IS NOT NULL;
        CREATE INDEX import_keys_by_sign_in ON import_keys (prefix) WHERE substr(prefix, -1) = ':';
        """
}
