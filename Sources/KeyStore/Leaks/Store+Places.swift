internal import GRDB
package import Keys

/// The names of watched places, and those that are watched no longer.
extension Store {
    /// Takes a secret out of the name under which an earlier version has stored a place.
    package func renamePlace(_ former: String, to name: String) throws {
        let isStored = try read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM repositories WHERE path = ?)", arguments: [former]) ?? false
        }
        guard isStored else { return }
        try write { db in
            try db.execute(sql: "UPDATE OR IGNORE repositories SET path = ? WHERE path = ?", arguments: [name, former])
        }
    }

    /// Closes the findings of a place that is watched no longer, and puts an alert about it into the outbox where there are
    /// any. What is found there again later opens them.
    ///
    /// - Parameter reason: why it is watched no longer, as a sentence continues it.
    /// - Returns: whether there is an alert.
    package func closePlace(_ place: String, reason: String, at now: Instant) throws -> Bool {
        try write { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT r.repository_id, (SELECT count(*) FROM findings f
                      WHERE f.repository_id = r.repository_id AND f.status = 'open')
                    FROM repositories r WHERE r.path = ? AND r.watched AND r.unwatched_at IS NULL
                    """, arguments: [place])
            guard let row else { return false }
            try db.execute(
                sql: "UPDATE repositories SET unwatched_at = ?, problem = NULL WHERE repository_id = ?",
                arguments: [now.milliseconds, row[0] as Int64])
            let findings: Int = row[1]
            guard findings > 0 else { return false }
            try Outbox.add(Alert(unwatched: place, reason: reason, findings: findings), db, at: now)
            return true
        }
    }
}
