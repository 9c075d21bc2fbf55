/// The third schema: which keys are issued here and which are held from another issuer, what people said about them, and
/// what their issuers answered; findings of what may be a secret.
enum SchemaV3 {
    static let migration = Migration(
        "3 issued and held keys, checks with issuers", [.script(columns + candidates + origins + secrets + findings)])

    private static let columns = """
        -- Who makes and verifies the secrets: this store, or another issuer.
        ALTER TABLE keys ADD COLUMN origin TEXT NOT NULL DEFAULT 'issued'
          CONSTRAINT origin_of_key_is_known CHECK (origin IN ('issued', 'held'));
        ALTER TABLE keys ADD COLUMN notes TEXT;
        ALTER TABLE keys ADD COLUMN client TEXT;             -- the OAuth client of a consent
        ALTER TABLE keys ADD COLUMN stated_by TEXT;          -- who last recorded what became of the key or its secret
        ALTER TABLE keys ADD COLUMN stated_at INTEGER;
        -- The issuer's last answer that decides, and why a later check gave none.
        ALTER TABLE secrets ADD COLUMN check_decision TEXT
          CONSTRAINT decision_is_known CHECK (check_decision IN ('accepted', 'refused'));
        ALTER TABLE secrets ADD COLUMN check_decided_at INTEGER;
        ALTER TABLE secrets ADD COLUMN check_problem TEXT;
        ALTER TABLE secrets ADD COLUMN check_problem_at INTEGER;
        """

    private static let candidates = """
        -- Of a probable finding, the keyed hash of what is there.
        ALTER TABLE findings ADD COLUMN candidate BLOB CONSTRAINT candidate_is_a_hash CHECK (length(candidate) = 32);
        DROP INDEX findings_by_place;
        CREATE UNIQUE INDEX findings_by_place
          ON findings (repository_id, prefix, place, ifnull(secret_id, 0), ifnull(candidate, x''));
        CREATE INDEX findings_by_candidate ON findings (candidate) WHERE candidate IS NOT NULL;

        -- What looks like a secret of a key, and was refused by the key's issuer.
        CREATE TABLE refused_candidates (
          hash BLOB PRIMARY KEY CONSTRAINT refused_is_a_hash CHECK (length(hash) = 32),
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          refused_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// Until now every key counted as issued here. What was imported is held, unless it has this store's own format; an
    /// import that named no issuer was written down as our own.
    private static let origins = """
        UPDATE keys SET origin = 'held', stated_by = NULL
          WHERE EXISTS (SELECT 1 FROM secrets s WHERE s.key_row = keys.key_row AND s.origin = 'imported')
            AND (issuer <> 'keyvigil' OR NOT EXISTS (
              SELECT 1 FROM secrets s WHERE s.key_row = keys.key_row AND s.hash IS NOT NULL
                AND (s.prefix GLOB '*_live_????????_' OR s.prefix GLOB '*_test_????????_'
                  OR s.prefix GLOB '*_sandbox_????????_')));
        UPDATE keys SET issuer = 'external' WHERE origin = 'held' AND issuer = 'keyvigil';
        """

    /// A rotation of a held key by this store made a secret that its issuer never knew, and retired the one that works: the
    /// last one that came from the issuer is the current one again.
    private static let secrets = """
        CREATE TEMP TABLE invented AS
          SELECT s.key_row, max(i.generation) AS generation FROM keys k
          JOIN secrets s ON s.key_row = k.key_row AND s.state = 'current' AND s.origin = 'created'
          JOIN secrets i ON i.key_row = k.key_row AND i.origin = 'imported'
          WHERE k.origin = 'held' GROUP BY s.key_row;
        UPDATE secrets SET state = 'retired', retired_at = made_at, retires_at = NULL
          WHERE state <> 'retired' AND key_row IN (SELECT key_row FROM invented);
        UPDATE secrets SET state = 'current', retired_at = NULL, retires_at = NULL
          WHERE (key_row, generation) IN (SELECT key_row, generation FROM invented);
        UPDATE keys SET rotated_at = NULL WHERE key_row IN (SELECT key_row FROM invented WHERE generation = 1);
        DROP TABLE invented;
        """

    /// A leaked secret of a held key is not harmless because somebody wrote down that it is: its findings are open again, and
    /// are reported once.
    private static let findings = """
        UPDATE findings SET secret_state = (
            SELECT CASE WHEN k.status <> 'active' THEN k.status ELSE s.state END
            FROM secrets s JOIN keys k USING (key_row) WHERE s.secret_id = findings.secret_id)
          WHERE secret_id IS NOT NULL AND key_row IN (SELECT key_row FROM keys WHERE origin = 'held');
        INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at)
          SELECT lower(hex(randomblob(16))), 'leak.confirmed',
            CASE WHEN max(f.secret_state IN ('current', 'retiring')) THEN 2 ELSE 3 END,
            count(*) || CASE count(*) WHEN 1 THEN ' finding' ELSE ' findings' END || ' of the key ' || k.id
              || ' are open again: another issuer made this key, and that its leaked secret is dead was never checked; see: '
              || 'keyvigil findings --key ' || k.id,
            json_object('KEYVIGIL_KEY_ID', k.id, 'KEYVIGIL_KEY_NAME', k.name, 'KEYVIGIL_PREFIX', f.prefix,
              'KEYVIGIL_ISSUER', k.issuer, 'KEYVIGIL_ORIGIN', k.origin, 'KEYVIGIL_GRADE', 'confirmed',
              'KEYVIGIL_CONDITION', 'not checked with its issuer',
              'KEYVIGIL_FINDINGS', CAST(count(*) AS TEXT), 'KEYVIGIL_REMEDY', 'keyvigil findings --key ' || k.id),
            max(f.last_seen_at)
          FROM findings f JOIN keys k USING (key_row)
          WHERE k.origin = 'held' AND f.secret_id IS NOT NULL AND f.status = 'resolved' GROUP BY k.key_row;
        UPDATE findings SET status = 'open'
          WHERE status = 'resolved' AND secret_id IS NOT NULL
            AND key_row IN (SELECT key_row FROM keys WHERE origin = 'held');
        """
}
