/// The sixth schema: repositories within a watched place, and places that are watched no longer.
enum SchemaV6 {
    static let migration = Migration(
        "6 places of findings",
        [
            .script(
                """
                -- The repository within the watched place that a finding is in; null: the place itself.
                ALTER TABLE findings ADD COLUMN repository TEXT;
                -- Who brought it in under first_path; commit_id, author and authored_at belong to path.
                ALTER TABLE findings ADD COLUMN first_commit TEXT;
                ALTER TABLE findings ADD COLUMN first_author TEXT;
                ALTER TABLE findings ADD COLUMN first_authored_at TEXT;
                -- Whether the service has scanned the place; a person can have any other one scanned.
                ALTER TABLE repositories ADD COLUMN watched INTEGER NOT NULL DEFAULT 0
                  CONSTRAINT watched_is_boolean CHECK (watched IN (0, 1));
                -- Since when the configuration does not name the place any more; null: it does.
                ALTER TABLE repositories ADD COLUMN unwatched_at INTEGER;
                """),
            .rows(
                of: "findings", by: "finding_id",
                change: """
                    UPDATE findings SET first_commit = commit_id, first_author = author, first_authored_at = authored_at,
                      commit_id = NULL, author = NULL, authored_at = NULL
                    WHERE first_path IS NOT NULL AND first_path <> path
                    """),
            // What is remembered was searched by a scanner that stored secrets which are names, and did not look whether all
            // objects are there that history leads to.
            .script("DELETE FROM scan_units;"),
        ])
}
