internal import Keys

extension KeyPlaces {
    /// The places of a key that are watched and still have it.
    init(of keyRow: Int64, _ db: Connection) throws {
        let names = try PlaceNames(db)
        var count = 0
        let first = try db.all(
            """
            SELECT r.path AS watched, f.repository, f.path, f.line, f.author, count(*) OVER () AS all_places
            FROM findings f JOIN repositories r USING (repository_id)
            WHERE f.key_row = \(keyRow) AND f.in_head AND f.path IS NOT NULL AND r.unwatched_at IS NULL
            ORDER BY f.secret_id IS NULL, f.finding_id LIMIT \(Self.mostNamed)
            """
        ) { row in
            count = try row["all_places"]
            let (watched, inner): (String, String?) = (names.shown(try row["watched"]), try row["repository"])
            return Place(
                repository: Sighting.repositoryPath(inner, in: watched), path: try row["path"], line: try row["line"],
                author: try row["author"])
        }
        self.init(first: first, count: count)
    }
}
