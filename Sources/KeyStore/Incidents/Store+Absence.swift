package import Keys

/// What the scans of a watched place say of one key.
package struct PlaceSearch: Hashable, Sendable {
    /// The watched place.
    package let path: String
    package let verdict: Verdict
    /// The start of the last scan of the whole place; nil where there was none.
    package let searchedAt: Instant?
    /// The commit of HEAD before that scan began.
    package let head: String?

    package init(path: String, verdict: Verdict, searchedAt: Instant?, head: String?) {
        self.path = path
        self.verdict = verdict
        self.searchedAt = searchedAt
        self.head = head
    }

    package enum Verdict: Hashable, Sendable {
        /// The place was searched whole for all secrets of the key, and none of them, nor a prefix, is there.
        case absent
        /// The key is there.
        ///
        /// - Parameters:
        ///   - findings: the places of it that are listed.
        ///   - unlisted: at least as many that are counted, not listed.
        case present(findings: Int, unlisted: Int)
        /// The place was not searched whole for the key.
        case notSearched(reason: String)
    }
}

extension Store {
    /// What the scans of each watched place, also those of other hosts, say of a key.
    package func searches(for key: KeyID) throws -> [PlaceSearch] {
        try read { db in
            let keyRow = try KeyTable.row(of: key.text, db)
            let newest: Int64? = try db.first("SELECT max(secret_id) FROM secrets WHERE key_row = \(keyRow)")
            let names = try PlaceNames(db)
            return try db.all(
                """
                SELECT r.path, r.complete, r.problem, r.searched_at, r.searched_secret, r.searched_head,
                  (SELECT count(*) FROM findings f WHERE f.key_row = \(keyRow) AND f.repository_id = r.repository_id
                     AND \(Findings.isThere)) AS found,
                  (SELECT ifnull(sum(places), 0) FROM unlisted_findings u
                    WHERE u.key_row = \(keyRow) AND u.repository_id = r.repository_id) AS unlisted
                FROM repositories r WHERE r.watched AND r.unwatched_at IS NULL ORDER BY r.path
                """
            ) { row in
                let (found, unlisted): (Int, Int) = (try row["found"], try row["unlisted"])
                let gap = try Self.gap(row, newest: newest ?? 0)
                return PlaceSearch(
                    path: names.shown(try row["path"]),
                    verdict: found + unlisted > 0
                        ? .present(findings: found, unlisted: unlisted)
                        : gap.map { .notSearched(reason: $0) } ?? .absent,
                    searchedAt: try row["searched_at"], head: try row["searched_head"])
            }
        }
    }

    /// Why a place was not searched whole for a key since its newest secret was recorded; nil where it was.
    private static func gap(_ row: Row, newest: Int64) throws -> String? {
        let (problem, searchedAt): (String?, Instant?) = (try row["problem"], try row["searched_at"])
        if let problem {
            return try row["complete"]
                ? "the last scan has left something out: \(problem)" : "the last scan was not whole: \(problem)"
        }
        guard searchedAt != nil else { return "no scan of it has ended yet" }
        guard let secret: Int64 = try row["searched_secret"], secret >= newest else {
            return "the newest secret of the key was recorded after the last scan"
        }
        return nil
    }

    package func recordAbsence(of key: KeyID, digest: [UInt8], at now: Instant, by actor: AuditActor) throws -> Int64 {
        try change(at: now, by: actor) { _, audit in
            var details = JSONLine()
            details.add("sha256", Hexadecimal.text(digest))
            return try audit.record(.absenceStated, key: key, details: details)
        }
    }
}
