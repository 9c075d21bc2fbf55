/// The second schema: what a finding is made of, so that it stays one finding when its file is moved, and who set it
/// aside; audit events that name their key by its row.
enum SchemaV2 {
    static let migration = Migration(
        "2 objects and dismissals of findings", [.script(findings + objects + dismissals + memory + audit)])

    /// What is remembered was searched by a scanner that did not look into archives.
    private static let memory = "DELETE FROM scan_units;"

    private static let findings = """
        -- How the key is written there: plain, base64, hex and so on.
        ALTER TABLE findings ADD COLUMN form TEXT NOT NULL DEFAULT 'plain';
        -- The path in the commit that brought it in, where the file was moved since.
        ALTER TABLE findings ADD COLUMN first_path TEXT;
        ALTER TABLE findings ADD COLUMN dismissed_at INTEGER;
        ALTER TABLE findings ADD COLUMN dismissed_by INTEGER;      -- user id
        ALTER TABLE findings ADD COLUMN dismissed_with TEXT;       -- program
        ALTER TABLE findings ADD COLUMN dismiss_reason TEXT;
        -- The commit of HEAD for which in_head is true.
        ALTER TABLE repositories ADD COLUMN head TEXT;
        """

    private static let objects = """
        -- The git objects that a finding stands in, by their ids in hexadecimal.
        CREATE TABLE finding_objects (
          finding_id INTEGER NOT NULL REFERENCES findings (finding_id) ON DELETE CASCADE,
          object TEXT NOT NULL,
          PRIMARY KEY (finding_id, object)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX finding_objects_by_object ON finding_objects (object);
        INSERT INTO finding_objects (finding_id, object)
          SELECT finding_id, object FROM findings WHERE object IS NOT NULL;
        """

    /// The public ids are random: with an index of them, each of many events in one transaction changed another page.
    private static let audit = """
        ALTER TABLE audit_events ADD COLUMN key_row INTEGER;       -- the key with the id key_id
        UPDATE audit_events SET key_row = (SELECT k.key_row FROM keys k WHERE k.id = audit_events.key_id)
          WHERE key_id IS NOT NULL;
        DROP INDEX audit_by_key;
        CREATE INDEX audit_by_key ON audit_events (key_row) WHERE key_row IS NOT NULL;
        """

    /// Until now only the audit knew who had set a finding aside.
    private static let dismissals = """
        UPDATE findings SET (dismissed_at, dismissed_by, dismissed_with, dismiss_reason) =
          (SELECT at, uid, program, details ->> 'reason' FROM audit_events
           WHERE action = 'finding.dismissed' AND details ->> 'finding' = findings.finding_id
           ORDER BY event_id DESC LIMIT 1)
        WHERE status = 'dismissed';
        """
}
