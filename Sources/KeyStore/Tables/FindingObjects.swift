internal import Keys

/// The git objects that findings are in. By them a file that was moved as it is stays one finding, and an object that is
/// packed again is not counted twice.
///
/// A row repeats of its finding what ``moved(_:prefix:repository:_:)`` asks for, so that it is one look-up, however many
/// findings are in an object.
enum FindingObjects {
    /// The values of the column `in_head`.
    private enum InHead {
        static let not: SQL = "0"
        static let isIn: SQL = "1"
        /// Not in HEAD, as the scan at hand has found: a file that is new in it may be the same one.
        static let noLonger: SQL = "2"
    }

    /// Those of the objects that a finding is not known to be in.
    static func unknown(_ objects: [String], of finding: Int64, _ db: Connection) throws -> [String] {
        try objects.filter { object in
            try !db.isTrue(
                """
                SELECT EXISTS (SELECT 1 FROM finding_objects WHERE finding_id = \(finding) AND object = \(object))
                """)
        }
    }

    static func add(_ objects: [String], to finding: Int64, _ db: Connection) throws {
        for object in objects {
            try db.run(
                """
                INSERT INTO finding_objects (finding_id, object, repository_id, subject, in_head)
                SELECT finding_id, \(object), repository_id, \(subject), iif(in_head, \(InHead.isIn), \(InHead.noLonger))
                FROM findings
                WHERE finding_id = \(finding) ON CONFLICT DO NOTHING
                """)
        }
    }

    /// Takes over that something else was found: a candidate has turned out to be a secret.
    static func followSubject(ofSecret secret: Int64, candidate: SecretHash, _ db: Connection) throws {
        try db.run(
            """
            UPDATE finding_objects SET subject = \(secret)
            WHERE finding_id IN (SELECT finding_id FROM findings WHERE candidate = \(candidate))
            """)
    }

    /// Takes over whether a finding is in HEAD.
    static func followHead(of finding: Int64, _ db: Connection) throws {
        try db.run(
            """
            UPDATE finding_objects SET in_head = iif(f.in_head, \(InHead.isIn), \(InHead.noLonger))
            FROM (SELECT in_head FROM findings WHERE finding_id = \(finding)) f
            WHERE finding_id = \(finding) AND (finding_objects.in_head = \(InHead.isIn)) <> f.in_head
            """)
    }

    /// Whether files of a place left HEAD in a scan that was not settled.
    ///
    /// - Parameter place: as it is stored.
    static func areMoving(in place: String, _ db: Connection) throws -> Bool {
        try db.isTrue("SELECT EXISTS (SELECT 1 FROM finding_objects WHERE \(isMoving(in: place)))")
    }

    /// Takes down that none of the files that left HEAD in earlier scans is moved by the next one.
    ///
    /// - Parameter place: as it is stored.
    static func settleHead(in place: String, _ db: Connection) throws {
        try db.run("UPDATE finding_objects SET in_head = \(InHead.not) WHERE \(isMoving(in: place))")
    }

    private static func isMoving(in place: String) -> SQL {
        """
        in_head = \(InHead.noLonger)
          AND finding_id IN (SELECT finding_id FROM repositories r JOIN findings f USING (repository_id)
            WHERE r.path = \(place) AND NOT f.in_head)
        """
    }

    /// What was found: the secret, else the start of the candidate's hash, else the prefix. Of a row of `findings`.
    private static let subject: SQL = "ifnull(secret_id, ifnull(substr(candidate, 1, 8), prefix))"

    /// The finding of the same secret, or prefix, in one of the sighting's own objects under another path of the same repository.
    /// Where both paths are in HEAD there are two places to clean, so it is not the same finding; nor is it where the other path left
    /// HEAD before this scan, or where the sighting's path is in a branch other than HEAD's, unless the finding was reported under it
    /// before.
    static func moved(_ sighting: Sighting, prefix: String, repository: Int64, _ db: Connection) throws -> Int64? {
        guard sighting.source == "blob", sighting.path != nil else { return nil }
        if !sighting.isInHead, sighting.isAtTip {
            return try returned(sighting, prefix: prefix, repository: repository, db)
        }
        let subject: SQL =
            if let secret = sighting.secretID {
                "\(secret)"
            } else if let candidate = sighting.candidate {
                "substr(\(candidate), 1, 8)"
            } else {
                "\(prefix)"
            }
        let isMoving: SQL = sighting.isInHead ? "AND o.in_head = \(InHead.noLonger)" : ""
        for object in sighting.objects {
            let found: Int64? = try db.first(
                """
                SELECT f.finding_id FROM finding_objects o JOIN findings f USING (finding_id)
                WHERE o.object = \(object) AND o.repository_id = \(repository) AND o.subject = \(subject)
                  AND o.subject IS NOT NULL \(isMoving) AND f.repository IS \(sighting.repository) AND f.prefix = \(prefix)
                  AND f.secret_id IS \(sighting.secretID) AND f.candidate IS \(sighting.candidate)
                  AND f.source = 'blob' AND f.path IS NOT NULL
                ORDER BY o.in_head, o.finding_id LIMIT 1
                """)
            if let found { return found }
        }
        return nil
    }

    /// The finding that was reported under a sighting's path before its file was moved.
    private static func returned(
        _ sighting: Sighting, prefix: String, repository: Int64, _ db: Connection
    ) throws -> Int64? {
        for object in sighting.objects {
            let found: Int64? = try db.first(
                """
                SELECT f.finding_id FROM findings f JOIN finding_objects o ON o.finding_id = f.finding_id
                WHERE f.repository_id = \(repository) AND f.repository IS \(sighting.repository)
                  AND f.prefix = \(prefix) AND f.first_path = \(sighting.path)
                  AND f.secret_id IS \(sighting.secretID) AND f.candidate IS \(sighting.candidate)
                  AND f.source = 'blob' AND f.path IS NOT NULL AND o.object = \(object)
                ORDER BY f.finding_id LIMIT 1
                """)
            if let found { return found }
        }
        return nil
    }
}
