package import Keys

/// The names of watched places, and those that are watched no longer.
extension Store {
    /// Takes a secret out of the name under which an earlier version has stored a place.
    package func renamePlace(_ former: String, to name: String) throws {
        let isStored = try read { db in
            let former = try PlaceNames(db).stored(former)
            return try db.isTrue("SELECT EXISTS (SELECT 1 FROM repositories WHERE path = \(former))")
        }
        guard isStored else { return }
        try write { db in
            let names = try PlaceNames(db)
            try db.run(
                """
                UPDATE OR IGNORE repositories SET path = \(names.stored(name)) WHERE path = \(names.stored(former))
                """)
        }
    }

    /// Closes the findings of a place that is watched no longer, and puts an alert about it into the outbox where there are
    /// any. What is found there again later opens them.
    ///
    /// - Parameter reason: why it is watched no longer, as a sentence continues it.
    /// - Returns: whether there is an alert.
    package func closePlace(_ place: String, reason: String, at now: Instant) throws -> Bool {
        try write(at: now) { db in
            let stored = try PlaceNames(db).stored(place)
            let found: (repository: Int64, findings: Int)? = try db.first(
                """
                SELECT r.repository_id, (SELECT count(*) FROM findings f
                  WHERE f.repository_id = r.repository_id AND f.status = 'open') AS findings
                FROM repositories r WHERE r.path = \(stored) AND r.watched AND r.unwatched_at IS NULL
                """
            ) { (try $0["repository_id"], try $0["findings"]) }
            guard let (repository, findings) = found else { return false }
            try db.run(
                "UPDATE repositories SET unwatched_at = \(now), problem = NULL WHERE repository_id = \(repository)")
            guard findings > 0 else { return false }
            try OutboxTable.add(Alert(unwatched: place, reason: reason, findings: findings), db, at: now)
            return true
        }
    }
}
