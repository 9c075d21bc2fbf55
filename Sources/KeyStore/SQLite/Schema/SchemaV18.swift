/// The eighteenth schema: by which policy the fleet of a member makes due dates, and what waits for its database.
enum SchemaV18 {
    static let migration = Migration("18 policy of a fleet, and uses that wait for it", [.script(changes)])

    private static let changes = """
        -- Its fingerprint, as this host knows it; null: the fleet has none.
        ALTER TABLE membership ADD COLUMN policy TEXT;

        -- What verifications have brought up while the fleet's database did not answer.
        CREATE TABLE waiting_uses (
          kind TEXT NOT NULL,           -- use, reuse, exposed_use
          key_id TEXT NOT NULL,
          prefix TEXT NOT NULL,         -- of the secret
          incident INTEGER,             -- of exposed_use
          caller TEXT,
          at INTEGER NOT NULL,          -- of use the last time, else the first
          PRIMARY KEY (kind, key_id, prefix)
        ) STRICT, WITHOUT ROWID;
        """
}
