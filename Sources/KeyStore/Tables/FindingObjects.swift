internal import Foundation
internal import GRDB
internal import Keys

/// The git objects that findings stand in. By them a file that was moved as it is stays one finding, and an object that is
/// packed anew is not counted twice.
enum FindingObjects {
    static func add(_ objects: [String], to finding: Int64, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO finding_objects (finding_id, object) VALUES (?, ?) ON CONFLICT DO NOTHING")
        for object in objects { try statement.execute(arguments: [finding, object]) }
    }

    /// The finding of the same secret, or prefix, in one of the sighting's own objects under another path. Where both paths
    /// stand in HEAD there are two places to clean, so it is not the same finding; nor is it where the sighting's path stands
    /// in a branch other than HEAD's, unless the finding was told under it before.
    static func moved(_ sighting: Sighting, prefix: String, repository: Int64, _ db: Database) throws -> Int64? {
        guard sighting.source == "blob", sighting.path != nil else { return nil }
        let statement = try db.cachedStatement(
            sql: """
                SELECT f.finding_id FROM finding_objects o JOIN findings f USING (finding_id)
                WHERE o.object = ?1 AND f.repository_id = ?2 AND f.prefix = ?3 AND f.secret_id IS ?4 AND f.candidate IS ?8
                  AND f.source = 'blob' AND f.path IS NOT NULL AND NOT (f.in_head AND ?5)
                  AND (?5 OR NOT ?6 OR f.first_path IS ?7) ORDER BY f.finding_id LIMIT 1
                """)
        for object in sighting.objects {
            let found = try Int64.fetchOne(
                statement,
                arguments: [
                    object, repository, prefix, sighting.secretID, sighting.isInHead, sighting.isAtTip, sighting.path,
                    sighting.candidate.map { Data($0.bytes) },
                ])
            if let found { return found }
        }
        return nil
    }
}
