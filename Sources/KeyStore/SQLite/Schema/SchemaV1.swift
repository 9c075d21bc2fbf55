/// The first schema. Instants are milliseconds since 1970 in UTC, periods milliseconds.
enum SchemaV1 {
    static let migration = Migration("1 keys, secrets, audit, alerts, findings", [.script(keys + journal + leaks)])

    private static let keys = """
        -- One row: what is true of the store as a whole.
        CREATE TABLE store (
          one INTEGER PRIMARY KEY CONSTRAINT store_has_one_row CHECK (one = 1),
          created_at INTEGER NOT NULL,
          pepper_fingerprint BLOB NOT NULL CONSTRAINT fingerprint_is_a_hash CHECK (length(pepper_fingerprint) = 32),
          policy TEXT,                -- fingerprint of the policy by which next_due_at was made
          audit_count INTEGER NOT NULL DEFAULT 0,
          audit_head BLOB NOT NULL,   -- link of the last audit event
          audit_seal BLOB NOT NULL    -- HMAC of count and head: events cannot be cut off the end unseen
        ) STRICT;

        CREATE TABLE keys (
          key_row INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,    -- the public id, which survives rotation
          kind TEXT NOT NULL DEFAULT 'api_key'
            CONSTRAINT kind_is_known CHECK (kind IN ('api_key', 'oauth_consent')),
          name TEXT NOT NULL CONSTRAINT name_is_bounded CHECK (length(name) BETWEEN 1 AND 200),
          owner TEXT,                 -- who answers for it
          issuer TEXT NOT NULL,
          environment TEXT NOT NULL CONSTRAINT environment_is_known CHECK (environment IN ('live', 'test', 'sandbox')),
          permissions TEXT NOT NULL,  -- with spaces between
          resources TEXT,             -- with line breaks between; null: all
          role TEXT NOT NULL,
          status TEXT NOT NULL CONSTRAINT status_is_known CHECK (status IN ('active', 'expired', 'revoked', 'deleted')),
          created_at INTEGER NOT NULL,
          expires_at INTEGER,         -- null: never
          rotate_every INTEGER CONSTRAINT period_is_positive CHECK (rotate_every > 0),
          rotated_at INTEGER,         -- when the current secret replaced another
          last_used_at INTEGER,       -- written at most every ten minutes
          revoked_at INTEGER,
          revoke_reason TEXT,
          deleted_at INTEGER,
          generation INTEGER NOT NULL DEFAULT 1,
          expiry_notice_sent INTEGER, -- the shortest notice sent for this expires_at
          rotation_notice TEXT NOT NULL DEFAULT 'none'
            CONSTRAINT notice_is_known CHECK (rotation_notice IN ('none', 'due', 'overdue')),
          unused_notice_sent INTEGER NOT NULL DEFAULT 0 CONSTRAINT unused_is_boolean CHECK (unused_notice_sent IN (0, 1)),
          reuse_told_at INTEGER,      -- when the use of a retired secret was last reported
          next_due_at INTEGER,        -- the next instant at which the lifecycle's rules have something to do
          CONSTRAINT revoked_has_date CHECK (status <> 'revoked' OR revoked_at IS NOT NULL),
          CONSTRAINT deleted_has_date CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
        ) STRICT;
        CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE status <> 'deleted';
        CREATE INDEX keys_by_due ON keys (next_due_at) WHERE next_due_at IS NOT NULL;

        CREATE TABLE secrets (
          secret_id INTEGER PRIMARY KEY AUTOINCREMENT, -- grows with time: the scan memory relies on it
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          generation INTEGER NOT NULL,
          state TEXT NOT NULL CONSTRAINT state_is_known CHECK (state IN ('current', 'retiring', 'retired')),
          prefix TEXT NOT NULL CONSTRAINT prefix_is_there CHECK (length(prefix) > 0),
          hash BLOB CONSTRAINT hash_is_a_hash CHECK (length(hash) = 32), -- HMAC-SHA-256 under the pepper; null: only the prefix is known
          length INTEGER CONSTRAINT length_is_positive CHECK (length > 0), -- of the whole secret, in bytes; null: not known
          hash_form TEXT NOT NULL DEFAULT 'secret' -- what the hash is of: the secret, or its SHA-256 where only that was imported
            CONSTRAINT form_is_known CHECK (hash_form IN ('secret', 'sha256')),
          origin TEXT NOT NULL CONSTRAINT origin_is_known CHECK (origin IN ('created', 'imported')),
          made_at INTEGER NOT NULL,
          retires_at INTEGER,         -- the end of the overlap
          retired_at INTEGER,
          UNIQUE (key_row, generation),
          CONSTRAINT retiring_has_end CHECK (state <> 'retiring' OR retires_at IS NOT NULL)
        ) STRICT;
        CREATE UNIQUE INDEX secrets_by_hash ON secrets (hash) WHERE hash IS NOT NULL;
        CREATE INDEX secrets_by_prefix ON secrets (prefix);
        CREATE UNIQUE INDEX secrets_current ON secrets (key_row) WHERE state = 'current';
        CREATE INDEX secrets_imported ON secrets (secret_id) WHERE origin = 'imported';
        CREATE INDEX secrets_by_digest ON secrets (secret_id) WHERE hash_form = 'sha256';

        -- Rotations that were asked for with an idempotency key: asked again, they tell the same and do nothing.
        CREATE TABLE rotations (
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          idempotency_key TEXT NOT NULL,
          generation INTEGER NOT NULL,
          PRIMARY KEY (key_row, idempotency_key)
        ) STRICT, WITHOUT ROWID;
        """

    private static let journal = """
        -- What was done to keys, by whom, when. Chained: each link is an HMAC of the link before and the event.
        CREATE TABLE audit_events (
          event_id INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          uid INTEGER NOT NULL,
          program TEXT NOT NULL,
          action TEXT NOT NULL,
          key_id TEXT,                -- the public id
          details TEXT NOT NULL CONSTRAINT details_are_an_object CHECK (details GLOB '{*}'), -- before and after; never a secret
          link BLOB NOT NULL CONSTRAINT link_is_a_hash CHECK (length(link) = 32)
        ) STRICT;
        CREATE INDEX audit_by_key ON audit_events (key_id) WHERE key_id IS NOT NULL;

        -- The outbox: written in the transaction of the change, marked once the journal has it.
        CREATE TABLE alerts (
          alert_row INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of delivery
          alert_id TEXT NOT NULL UNIQUE,
          kind TEXT NOT NULL,
          priority INTEGER NOT NULL CONSTRAINT priority_is_syslog CHECK (priority BETWEEN 0 AND 7),
          message TEXT NOT NULL,
          fields TEXT NOT NULL CONSTRAINT fields_are_an_object CHECK (fields GLOB '{*}'),
          created_at INTEGER NOT NULL,
          attempted_at INTEGER,       -- sent, but not yet seen in the journal
          delivered_at INTEGER
        ) STRICT;
        CREATE INDEX alerts_undelivered ON alerts (alert_row) WHERE delivered_at IS NULL;
        """

    private static let leaks = """
        -- The places that are watched.
        CREATE TABLE repositories (
          repository_id INTEGER PRIMARY KEY,
          path TEXT NOT NULL UNIQUE,
          scanned_at INTEGER,         -- the start of the last finished scan
          complete INTEGER NOT NULL DEFAULT 0 CONSTRAINT complete_is_boolean CHECK (complete IN (0, 1)),
          problem TEXT                -- why the last scan was not complete
        ) STRICT;

        -- The scan memory: what was searched, named by its content, and the greatest secret it was searched for.
        CREATE TABLE scan_units (
          kind TEXT NOT NULL,
          identity BLOB NOT NULL,
          searched_secret INTEGER NOT NULL,
          PRIMARY KEY (kind, identity)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE findings (
          finding_id INTEGER PRIMARY KEY AUTOINCREMENT,
          repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          prefix TEXT NOT NULL,
          secret_id INTEGER REFERENCES secrets (secret_id), -- null: a mention, only the prefix is there
          place TEXT NOT NULL,        -- what makes two sightings the same: a path, else the object
          secret_state TEXT NOT NULL
            CONSTRAINT grade_is_known CHECK (secret_state IN ('current', 'retiring', 'retired', 'expired', 'revoked', 'deleted')),
          status TEXT NOT NULL CONSTRAINT finding_is_known CHECK (status IN ('open', 'resolved', 'dismissed')),
          source TEXT NOT NULL,
          object TEXT,
          path TEXT,
          line INTEGER,
          column_number INTEGER,
          commit_id TEXT,             -- the first that holds it
          author TEXT,
          authored_at TEXT,           -- RFC 3339, in the author's offset
          in_head INTEGER NOT NULL CONSTRAINT head_is_boolean CHECK (in_head IN (0, 1)),
          objects INTEGER NOT NULL,
          first_seen_at INTEGER NOT NULL,
          last_seen_at INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX findings_by_place ON findings (repository_id, prefix, place, ifnull(secret_id, 0));
        CREATE INDEX findings_by_key ON findings (key_row, status);
        """
}
