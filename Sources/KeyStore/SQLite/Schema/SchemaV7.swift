/// The seventh schema: what keeps the cost of a finding the same however many there are, and when a unit was searched.
enum SchemaV7 {
    static let migration = Migration(
        "7 many findings",
        [.script(findings), objects, objectIndex, objectRows, .script(objectIndexes), units])

    private static let findings = """
        -- What was found besides the findings, since a place and a key have as many as the configuration allows.
        CREATE TABLE unlisted_findings (
          repository_id INTEGER NOT NULL REFERENCES repositories (repository_id) ON DELETE CASCADE,
          key_row INTEGER NOT NULL REFERENCES keys (key_row),
          grade TEXT NOT NULL
            CONSTRAINT unlisted_grade_is_known CHECK (grade IN ('confirmed', 'probable', 'mention')),
          secret_id INTEGER NOT NULL,  -- of what is confirmed; 0: only the prefix is known to be there
          prefix TEXT NOT NULL,
          places INTEGER NOT NULL,     -- the most that one scan has seen
          reported_at INTEGER,         -- when the alert was made
          PRIMARY KEY (repository_id, key_row, grade, secret_id)
        ) STRICT, WITHOUT ROWID;

        DROP INDEX findings_by_key;
        CREATE INDEX findings_by_key ON findings (key_row, repository_id, secret_id);
        CREATE INDEX findings_by_secret ON findings (key_row, secret_id, status) WHERE secret_id IS NOT NULL;
        CREATE INDEX findings_by_first_path ON findings (repository_id, prefix, first_path) WHERE first_path IS NOT NULL;

        -- Alerts about dates, which are worded when they are sent: a change of a key looks for its own among them.
        CREATE INDEX alerts_unworded ON alerts (alert_row) WHERE delivered_at IS NULL AND message = '';
        """

    /// By these the finding of a file that was moved is one look-up, however many findings are in the same object.
    private static let objects = Migration.Step.columns(
        to: "finding_objects",
        [
            "repository_id INTEGER",
            // What was found: the secret, else the start of the candidate's hash, else the prefix.
            "subject ANY",
            "in_head INTEGER",
        ])

    private static let objectIndex = Migration.Step.index(
        "finding_objects_by_subject",
        text: """
            CREATE INDEX finding_objects_by_subject ON finding_objects (object, repository_id, subject, in_head)
              WHERE subject IS NOT NULL
            """,
        of: "finding_objects", on: "subject")

    private static let objectRows = Migration.Step.rows(
        of: "findings", by: "finding_id",
        change: """
            UPDATE finding_objects SET (repository_id, subject, in_head) =
              (SELECT f.repository_id, ifnull(f.secret_id, ifnull(substr(f.candidate, 1, 8), f.prefix)), f.in_head
               FROM findings f WHERE f.finding_id = finding_objects.finding_id)
            WHERE true
            """)

    private static let objectIndexes = "DROP INDEX finding_objects_by_object;"

    /// When a unit was last searched; null: before this schema.
    private static let units = Migration.Step.columns(to: "scan_units", ["seen_at INTEGER"])
}
