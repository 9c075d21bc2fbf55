internal import GRDB
package import Keys

/// A finding in a file of some history, as far as needed to see whether it stands in HEAD.
package struct StandingFinding: Hashable, Sendable {
    package let id: Int64
    /// Of ``Sighting/repository``.
    package let repository: String?
    package let path: String
    /// The objects that hold it.
    package let objects: [String]
}

/// A finding in a file on disk, as far as needed to see whether it is still there.
package struct FileFinding: Hashable, Sendable {
    package let id: Int64
    /// Of ``Sighting/repository``.
    package let repository: String?
    package let path: String
    package let lastSeenAt: Instant
}

extension Store {
    /// The findings in files of a repository's history that have to be looked for in a new HEAD; none where this HEAD is
    /// known.
    package func findingsToPlace(in repository: String, head: String) throws -> [StandingFinding] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT f.finding_id, f.path, o.object, f.repository FROM repositories r JOIN findings f USING (repository_id)
                    JOIN finding_objects o USING (finding_id)
                    WHERE r.path = ? AND r.head IS NOT ? AND f.source = 'blob' AND f.path IS NOT NULL
                    ORDER BY f.finding_id, o.object
                    """, arguments: [repository, head])
            var found: [StandingFinding] = []
            var first = 0
            while first < rows.count {
                let id: Int64 = rows[first][0]
                let same = rows[first...].prefix { ($0[0] as Int64) == id }
                found.append(
                    StandingFinding(
                        id: id, repository: rows[first][3], path: rows[first][1], objects: same.map { $0[2] }))
                first = same.endIndex
            }
            return found
        }
    }

    /// Notes where findings stand in HEAD; nil: nowhere any more. A finding whose file was moved takes the new path, unless
    /// one of the same secret stands there already.
    package func noteHead(_ head: String, of repository: String, places: [(finding: Int64, path: String?)]) throws {
        try write { db in
            for (id, path) in places {
                guard let path else {
                    try db.execute(sql: "UPDATE findings SET in_head = 0 WHERE finding_id = ?", arguments: [id])
                    continue
                }
                try db.execute(
                    sql: """
                        UPDATE OR IGNORE findings SET first_path = ifnull(first_path, path), path = ?2,
                          first_commit = iif(first_path IS NULL, commit_id, first_commit),
                          first_author = iif(first_path IS NULL, author, first_author),
                          first_authored_at = iif(first_path IS NULL, authored_at, first_authored_at),
                          commit_id = NULL, author = NULL, authored_at = NULL,
                          place = 'path:' || ifnull(repository || '//', '') || ?2 WHERE finding_id = ?1 AND path <> ?2
                        """, arguments: [id, path])
                try db.execute(
                    sql: "UPDATE findings SET in_head = (path = ?2) WHERE finding_id = ?1", arguments: [id, path])
            }
            try db.execute(sql: "UPDATE repositories SET head = ? WHERE path = ?", arguments: [head, repository])
        }
    }

    /// The blobs in which something was found, in any repository: one that was searched in another is not searched again.
    package func blobsWithFindings() throws -> [String] {
        try read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT o.object FROM finding_objects o JOIN findings f USING (finding_id)
                    WHERE f.source = 'blob'
                    """)
        }
    }

    /// The findings in files on disk that a scan which began at `instant` did not see, and that may have been there until
    /// then.
    package func filesNotSeen(in repository: String, since instant: Instant) throws -> [FileFinding] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT f.finding_id, f.path, f.last_seen_at, f.repository FROM repositories r JOIN findings f USING (repository_id)
                    WHERE r.path = ? AND f.source IN ('worktree', 'file', 'name') AND f.in_head AND f.last_seen_at < ?
                      AND f.path IS NOT NULL
                    """, arguments: [repository, instant.milliseconds]
            ).map {
                FileFinding(id: $0[0], repository: $0[3], path: $0[1], lastSeenAt: Instant(milliseconds: $0[2]))
            }
        }
    }

    /// Notes that files do not hold any more what was found in them.
    package func noteGone(_ findings: [Int64]) throws {
        guard !findings.isEmpty else { return }
        try write { db in
            for id in findings {
                try db.execute(sql: "UPDATE findings SET in_head = 0 WHERE finding_id = ?", arguments: [id])
            }
        }
    }
}
