/// The fifth schema: records of dates that can be taken back, work on all keys in pieces, and keys on hold.
///
/// It changes hardly a row. With a million keys it reads the table of secrets once, a range of rows in each transaction.
enum SchemaV5 {
    static let migration = Migration(
        "5 taking back, reviews and holds",
        [.script(clock + notices + review), hold, overlaps, digest, digests])

    private static let clock = """
        -- The latest instant at which anything was recorded, and how long the machine had been running then: a clock that
        -- shows less has been set back since.
        ALTER TABLE store ADD COLUMN clock_at INTEGER;
        ALTER TABLE store ADD COLUMN clock_boot TEXT;        -- the machine's start that clock_running counts from
        ALTER TABLE store ADD COLUMN clock_running INTEGER;
        """

    private static let notices = """
        -- The date that each notice was about; null: that of the row, written by an earlier version.
        ALTER TABLE keys ADD COLUMN expiry_notice_for INTEGER;
        ALTER TABLE keys ADD COLUMN rotation_notice_for INTEGER;
        ALTER TABLE keys ADD COLUMN unused_notice_for INTEGER;
        """

    private static let review = """
        -- One row while all keys are looked at, in pieces, after the policy has changed or the clock was set back.
        CREATE TABLE review (
          one INTEGER PRIMARY KEY CONSTRAINT review_has_one_row CHECK (one = 1),
          policy TEXT NOT NULL,       -- fingerprint of the policy by which next_due_at is made
          last_row INTEGER NOT NULL,  -- the last key that is done
          until_row INTEGER NOT NULL, -- the last key that there was at the start
          clock_ahead INTEGER,        -- what the clock showed at most before it was set back; null: it was not
          clock_step INTEGER,         -- by how much it was set back; null: not known
          expiries INTEGER NOT NULL DEFAULT 0, -- what was taken back so far
          overlaps INTEGER NOT NULL DEFAULT 0,
          notices INTEGER NOT NULL DEFAULT 0,
          times INTEGER NOT NULL DEFAULT 0,
          reopened INTEGER NOT NULL DEFAULT 0,
          named TEXT NOT NULL DEFAULT '' -- the first of those keys, as the alert names them
        ) STRICT;
        """

    /// Refused until a person decides, after the store was replaced by an older one.
    private static let hold = Migration.Step.columns(
        to: "keys",
        [
            "on_hold_at INTEGER",
            """
            on_hold_reason TEXT
              CONSTRAINT hold_is_known CHECK (on_hold_reason IN ('revoked', 'deleted', 'rotated', 'leaked'))
            """,
        ])

    /// Where a date ends an overlap, that date stays; a secret that a person retired before it has none.
    private static let overlaps = Migration.Step.rows(
        of: "secrets", by: "secret_id",
        change: "UPDATE secrets SET retires_at = NULL WHERE state = 'retired' AND retired_at < retires_at")

    /// The hash under which the secret would be known if only its SHA-256 were imported: one secret is one key, however it
    /// is given. Null for secrets of earlier versions, and where only the prefix is known.
    private static let digest = Migration.Step.columns(
        to: "secrets",
        [
            """
            digest_hash BLOB
              CONSTRAINT digest_hash_is_a_hash CHECK (length(digest_hash) = 32)
            """
        ])

    private static let digests = Migration.Step.index(
        "secrets_by_digest_hash",
        text: "CREATE INDEX secrets_by_digest_hash ON secrets (digest_hash) WHERE digest_hash IS NOT NULL",
        of: "secrets",
        on: "digest_hash")
}
