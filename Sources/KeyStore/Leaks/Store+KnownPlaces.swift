package import Keys

/// A finding in a file of some history, as far as needed to see whether it is in HEAD.
package struct HistoryFinding: Hashable, Sendable {
    package let id: Int64
    /// Of ``Sighting/repository``.
    package let repository: String?
    package let path: String
    /// The objects that hold it.
    package fileprivate(set) var objects: [String]
}

/// A finding in a file on disk, as far as needed to see whether it is still there.
package struct FileFinding: Hashable, Sendable {
    package let number: PlacedFinding
    /// Of ``Sighting/repository``.
    package let repository: String?
    package let path: String
    package let lastSeenAt: Instant
}

/// What was found in git objects, as far as needed to see whether it is still there.
package struct ObjectFinding: Hashable, Sendable {
    package let number: PlacedFinding
    /// The objects that hold it; at least one.
    package fileprivate(set) var objects: [String]
}

/// What is recorded of one place: a finding of a key, or a place of a secret that belongs to none.
package enum PlacedFinding: Hashable, Sendable {
    case ofKey(Int64)
    case unregistered(place: Int64)
}

extension Store {
    /// The findings in files of a repository's history that have to be looked for in a new HEAD; none where this HEAD is
    /// known.
    package func findingsToPlace(in repository: String, head: String) throws -> [HistoryFinding] {
        try read { db in
            let stored = try PlaceNames(db).stored(repository)
            var found: [HistoryFinding] = []
            try db.forEach(
                """
                SELECT f.finding_id, f.path, o.object, f.repository FROM repositories r JOIN findings f USING (repository_id)
                JOIN finding_objects o USING (finding_id)
                WHERE r.path = \(stored) AND r.head IS NOT \(head) AND f.source = 'blob' AND f.path IS NOT NULL
                ORDER BY f.finding_id, o.object
                """
            ) { row in
                let id: Int64 = try row["finding_id"]
                if found.last?.id != id {
                    found.append(
                        HistoryFinding(
                            id: id, repository: try row["repository"], path: try row["path"], objects: []))
                }
                found[found.count - 1].objects.append(try row["object"])
            }
            return found
        }
    }

    /// Notes where findings are in HEAD; nil: no longer in it. A finding whose file was moved takes the new path, unless
    /// one of the same secret is there already. A file that comes into HEAD long after another one with the same content has left it is
    /// another place.
    package func noteHead(_ head: String, of repository: String, places: [(finding: Int64, path: String?)]) throws {
        let stored = try read { try PlaceNames($0) }.stored(repository)
        if try read({ try FindingObjects.areMoving(in: stored, $0) }) {
            try write { try FindingObjects.settleHead(in: stored, $0) }
        }
        let changed = try read { db in
            try places.filter { id, path in
                try db.isTrue(
                    """
                    SELECT in_head IS NOT ifnull(path = \(path), 0) FROM findings WHERE finding_id = \(id)
                    """)
            }
        }
        try inTurns(changed, cost: { _ in 1 }) { part in
            try write { db in
                for (id, path) in part { try Self.noteHead(path, of: id, db) }
            }
        }
        // Last: what is cut off is looked at again.
        try write { db in
            try db.run("UPDATE repositories SET head = \(head) WHERE path = \(stored)")
        }
    }

    private static func noteHead(_ path: String?, of id: Int64, _ db: Connection) throws {
        if let path {
            try db.run(
                """
                UPDATE OR IGNORE findings SET first_path = ifnull(first_path, path), path = \(path),
                  first_commit = iif(first_path IS NULL, commit_id, first_commit),
                  first_author = iif(first_path IS NULL, author, first_author),
                  first_authored_at = iif(first_path IS NULL, authored_at, first_authored_at),
                  commit_id = NULL, author = NULL, authored_at = NULL,
                  place = 'path:' || ifnull(repository || '//', '') || \(path)
                WHERE finding_id = \(id) AND path <> \(path) AND in_head
                """)
        }
        try db.run("UPDATE findings SET in_head = ifnull(path = \(path), 0) WHERE finding_id = \(id)")
        try FindingObjects.followHead(of: id, db)
    }

    /// The blobs in which something was found, in any repository: one that was searched in another is not searched again.
    package func blobsWithFindings() throws -> [String] {
        try read { db in
            try db.all(
                """
                SELECT o.object FROM finding_objects o JOIN findings f USING (finding_id) WHERE f.source = 'blob'
                UNION SELECT object FROM unregistered_places WHERE source = 'blob' AND object IS NOT NULL
                """)
        }
    }

    /// The findings in files on disk that a scan which began at `instant` did not see, and that may have been there until
    /// then.
    package func filesNotSeen(in repository: String, since instant: Instant) throws -> [FileFinding] {
        let isFile: SQL = "f.source IN ('worktree', 'file', 'name') AND f.path IS NOT NULL"
        return try placedFindings(
            in: repository,
            ofKeys: """
                SELECT f.finding_id AS number, f.path, f.last_seen_at AS seen_at, f.repository
                FROM repositories r JOIN findings f USING (repository_id)
                WHERE \(isFile) AND f.in_head AND f.last_seen_at < \(instant)
                """,
            unregistered: """
                SELECT f.place_id AS number, f.path, f.seen_at, f.repository
                FROM repositories r JOIN unregistered_places f USING (repository_id)
                WHERE \(isFile) AND f.seen_at < \(instant)
                """
        ) { row, number in
            FileFinding(
                number: number, repository: try row["repository"], path: try row["path"],
                lastSeenAt: try row["seen_at"])
        }
    }

    /// The findings in git objects of which all objects are recorded.
    package func findingsInObjects(in repository: String) throws -> [ObjectFinding] {
        let isObject: SQL = "f.source IN ('blob', 'commit', 'tag', 'tree')"
        let all = try placedFindings(
            in: repository,
            ofKeys: """
                SELECT f.finding_id AS number, o.object
                FROM repositories r JOIN findings f USING (repository_id) JOIN finding_objects o USING (finding_id)
                WHERE \(isObject)
                  AND f.objects <= (SELECT count(*) FROM finding_objects a WHERE a.finding_id = f.finding_id)
                """,
            unregistered: """
                SELECT f.place_id AS number, f.object FROM repositories r JOIN unregistered_places f USING (repository_id)
                WHERE \(isObject) AND f.object IS NOT NULL
                """
        ) { row, number in (number: number, object: try row["object"] as String) }
        return Dictionary(grouping: all, by: \.number).map { number, rows in
            ObjectFinding(number: number, objects: rows.map(\.object))
        }
    }

    /// The findings in the journal of which each entry was received before `instant`.
    package func entriesReceived(before instant: Instant, in repository: String) throws -> [PlacedFinding] {
        try placedFindings(
            in: repository,
            ofKeys: """
                SELECT f.finding_id AS number FROM repositories r JOIN findings f USING (repository_id)
                WHERE f.source = 'journal' AND f.in_head AND f.last_seen_at < \(instant)
                """,
            unregistered: """
                SELECT f.place_id AS number FROM repositories r JOIN unregistered_places f USING (repository_id)
                WHERE f.source = 'journal' AND f.seen_at < \(instant)
                """
        ) { $1 }
    }

    /// - Parameters:
    ///   - ofKeys: a query with `number`, of findings.
    ///   - unregistered: the same, of places of secrets that belong to no key.
    private func placedFindings<Found>(
        in repository: String, ofKeys: SQL, unregistered: SQL, _ make: (Row, PlacedFinding) throws -> Found
    ) throws -> [Found] {
        try read { db in
            let isThere: SQL = "r.path = \(try PlaceNames(db).stored(repository))"
            return try db.all("\(ofKeys) AND \(isThere)") { try make($0, .ofKey($0["number"])) }
                + db.all("\(unregistered) AND \(isThere)") { try make($0, .unregistered(place: $0["number"])) }
        }
    }

    /// Records that files no longer hold what was found in them. A place of a secret that belongs to no key is forgotten, and so
    /// are the oldest findings of each secret that are gone, beyond as many as may be listed: files with names of their own come and go
    /// without end.
    ///
    /// - Parameters:
    ///   - place: where they were.
    ///   - mostListed: `max_findings`.
    package func noteGone(_ findings: [PlacedFinding], in place: String, mostListed: Int) throws {
        guard !findings.isEmpty else { return }
        try inTurns(findings, cost: { _ in 1 }) { part in
            try write { db in
                for finding in part {
                    switch finding {
                    case .ofKey(let id):
                        try db.run("UPDATE findings SET in_head = 0 WHERE finding_id = \(id)")
                        try FindingObjects.followHead(of: id, db)
                    case .unregistered(let place):
                        try db.run("DELETE FROM unregistered_places WHERE place_id = \(place)")
                    }
                }
            }
        }
        let surplus: [Int64] = try read { db in
            try db.all(
                """
                SELECT finding_id FROM (
                  SELECT f.finding_id, row_number() OVER (
                    PARTITION BY f.key_row, f.secret_id, f.candidate IS NULL ORDER BY f.finding_id DESC) AS number
                  FROM repositories r JOIN findings f USING (repository_id)
                  WHERE r.path = \(try PlaceNames(db).stored(place)) AND NOT \(Findings.isThere))
                WHERE number > \(mostListed)
                """
            ) { try $0["finding_id"] }
        }
        try inTurns(surplus, cost: { _ in 1 }) { part in
            try write { db in try db.run("DELETE FROM findings WHERE finding_id IN \(list: part)") }
        }
    }
}
