internal import Keys

/// The columns that say when something was recorded. After the clock was set back none of them lies ahead: what a clock that was
/// ahead has written is moved by its step, or to now where that is not known, and never beyond now.
///
/// The audit keeps what was written: its events are chained. Dates that people decide, such as an expiry, are no records.
enum RecordedTimes {
    private struct Table {
        let name: SQL
        /// Whose rows are corrected.
        let rows: Rows
        /// What it is called in the audit.
        let title: String
        let columns: [SQL]

        /// What was recorded by other hosts was recorded by their clocks.
        enum Rows {
            case all
            /// Those whose path is of this host.
            case ofOwnPlaces
            /// Those in a watched place of this host.
            case inOwnPlaces
        }

        init(_ name: SQL, _ title: String, of rows: Rows, _ columns: SQL...) {
            self.name = name
            self.rows = rows
            self.title = title
            self.columns = columns
        }

        /// The assignments that correct the columns.
        func corrections(_ step: Int64?, at now: Instant, until tolerated: Instant) -> SQL {
            list(separator: ", ") { column in
                guard let step else { return "\(column) = iif(\(column) > \(tolerated), \(now), \(column))" }
                return "\(column) = iif(\(column) > \(tolerated), min(\(now), \(column) - \(step)), \(column))"
            }
        }

        func lieAhead(of tolerated: Instant) -> SQL {
            list(separator: " OR ") { column in "\(column) > \(tolerated)" }
        }

        private func list(separator: SQL, _ part: (SQL) -> SQL) -> SQL {
            columns.dropFirst().reduce(part(columns[0])) { "\($0)\(separator)\(part($1))" }
        }
    }

    private static let ofKeys = [
        Table("keys", "key", of: .all, "stated_at", "on_hold_at"),
        Table("secrets", "secrets", of: .all, "made_at", "retired_at", "check_decided_at", "check_problem_at"),
        Table("findings", "findings", of: .inOwnPlaces, "first_seen_at", "last_seen_at", "dismissed_at"),
        Table(
            "incidents", "incidents", of: .all, "introduced_at", "detected_at", "opened_at", "resolved_at", "used_at",
            "use_reported_at"),
        Table("expected_places", "expected_places", of: .ofOwnPlaces, "added_at"),
    ]

    private static let others = [
        Table("repositories", "places", of: .ofOwnPlaces, "scanned_at", "searched_at", "unwatched_at"),
        Table("unlisted_findings", "unlisted_findings", of: .inOwnPlaces, "reported_at"),
        Table("unregistered_secrets", "unregistered_secrets", of: .all, "first_seen_at", "dismissed_at"),
        Table("unregistered_places", "unregistered_places", of: .inOwnPlaces, "seen_at", "reported_at"),
        Table("refused_candidates", "refused_candidates", of: .all, "refused_at"),
        Table("tampered_rows", "tampered_rows", of: .all, "reported_at"),
        Table("alerts", "alerts", of: .all, "created_at", "attempted_at", "delivered_at"),
        Table("imports", "imports", of: .all, "began_at"),
        Table("import_keys", "import_keys", of: .all, "stated_at"),
    ]

    /// Corrects what was recorded of a key.
    ///
    /// - Parameters:
    ///   - step: by how much the clock was set back, in milliseconds; nil where that is not known.
    ///   - details: gets how many rows of each table were corrected.
    /// - Returns: the number of rows.
    static func correct(
        ofKey row: Int64, step: Int64?, _ db: Connection, at now: Instant, _ details: inout JSONLine
    ) throws -> Int {
        var count = 0
        for table in ofKeys {
            let corrected = try correct(table, where: "key_row = \(row)", step: step, db, at: now)
            if corrected > 0 { details.add(table.title, corrected) }
            count += corrected
        }
        return count
    }

    /// Corrects what was recorded of no key alone.
    static func correctOthers(step: Int64?, _ db: Connection, at now: Instant) throws {
        for table in others { _ = try correct(table, where: "TRUE", step: step, db, at: now) }
    }

    private static func correct(
        _ table: Table, where condition: SQL, step: Int64?, _ db: Connection, at now: Instant
    ) throws -> Int {
        let tolerated = now.advanced(by: LifecycleRules.clockTolerance)
        let isOwn = try PlaceNames(db).areOwn("path")
        let rows: SQL =
            switch table.rows {
            case .all: "TRUE"
            case .ofOwnPlaces: isOwn
            case .inOwnPlaces: "repository_id IN (SELECT repository_id FROM repositories WHERE \(isOwn))"
            }
        try db.run(
            """
            UPDATE \(table.name) SET \(table.corrections(step, at: now, until: tolerated))
            WHERE \(condition) AND \(rows) AND (\(table.lieAhead(of: tolerated)))
            """)
        return db.changedRows
    }
}
