internal import Keys

/// The git objects that findings are in. By them a file that was moved as it is stays one finding, and an object that is
/// packed again is not counted twice.
enum FindingObjects {
    static func add(_ objects: [String], to finding: Int64, _ db: Connection) throws {
        for object in objects {
            try db.run(
                """
                INSERT INTO finding_objects (finding_id, object) VALUES (\(finding), \(object)) ON CONFLICT DO NOTHING
                """)
        }
    }

    /// The finding of the same secret, or prefix, in one of the sighting's own objects under another path. Where both paths
    /// are in HEAD there are two places to clean, so it is not the same finding; nor is it where the sighting's path is
    /// in a branch other than HEAD's, unless the finding was told under it before.
    static func moved(_ sighting: Sighting, prefix: String, repository: Int64, _ db: Connection) throws -> Int64? {
        guard sighting.source == "blob", sighting.path != nil else { return nil }
        for object in sighting.objects {
            let found: Int64? = try db.first(
                """
                SELECT f.finding_id FROM finding_objects o JOIN findings f USING (finding_id)
                WHERE o.object = \(object) AND f.repository_id = \(repository) AND f.prefix = \(prefix)
                  AND f.secret_id IS \(sighting.secretID) AND f.candidate IS \(sighting.candidate)
                  AND f.source = 'blob' AND f.path IS NOT NULL AND NOT (f.in_head AND \(sighting.isInHead))
                  AND (\(sighting.isInHead) OR NOT \(sighting.isAtTip) OR f.first_path IS \(sighting.path))
                ORDER BY f.finding_id LIMIT 1
                """)
            if let found { return found }
        }
        return nil
    }
}
