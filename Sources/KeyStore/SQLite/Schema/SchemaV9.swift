/// The ninth schema: incidents. Each secret that was found whole somewhere has one.
enum SchemaV9 {
    static let migration = Migration(
        "9 incidents", [.script(incidents), .rows(of: "secrets", by: "secret_id", change: knownSecrets)])

    private static let incidents = """
        CREATE TABLE incidents (
          incident_id INTEGER PRIMARY KEY,
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          secret_id INTEGER NOT NULL UNIQUE REFERENCES secrets (secret_id),
          -- The date of the earliest commit that has it, never before the secret was made; null: no commit has it.
          introduced_at INTEGER,
          -- The date of the earliest commit, where that is before the secret was made.
          backdated_to INTEGER,
          detected_at INTEGER NOT NULL,  -- when the first finding was made
          opened_at INTEGER NOT NULL,    -- when it was opened last
          resolved_at INTEGER,           -- null: it is open
          danger INTEGER NOT NULL        -- what the last alert about it said: 0 none, 1 unconfirmed, 2 live
            CONSTRAINT danger_is_known CHECK (danger BETWEEN 0 AND 2),
          assignee TEXT,                 -- who works on it; null: the owner of the key
          close_reason TEXT,             -- of a person who closed it; null: it closed by itself
          used_at INTEGER,               -- when the secret was last accepted while the incident was open
          used_from TEXT,                -- by whom, as far as the caller has said
          use_reported_at INTEGER
        ) STRICT;
        CREATE INDEX incidents_by_key ON incidents (key_row);
        """

    /// The secrets that were found by earlier versions, with an incident that is closed where none of its findings is open.
    private static let knownSecrets = """
        INSERT INTO incidents (key_row, secret_id, introduced_at, backdated_to, detected_at, opened_at, resolved_at, danger)
        SELECT key_row, secret_id,
          CASE WHEN origin = 'issued' THEN max(committed, made_at) ELSE committed END,
          CASE WHEN origin = 'issued' AND committed < made_at THEN committed END,
          detected, detected, CASE WHEN is_open THEN NULL ELSE seen END, CASE WHEN is_open THEN 2 ELSE 0 END
        FROM (
          SELECT s.key_row, s.secret_id, s.made_at, k.origin,
            (SELECT min(unixepoch(f.authored_at)) * 1000 FROM findings f
             WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id) AS committed,
            (SELECT min(f.first_seen_at) FROM findings f
             WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id) AS detected,
            (SELECT max(f.last_seen_at) FROM findings f
             WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id) AS seen,
            EXISTS (SELECT 1 FROM findings f
              WHERE f.key_row = s.key_row AND f.secret_id = s.secret_id AND f.status = 'open') AS is_open
          FROM secrets s JOIN keys k USING (key_row))
        WHERE detected IS NOT NULL
        """
}
