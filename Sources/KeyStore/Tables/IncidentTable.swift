internal import Keys

/// Reads and writes the rows of `incidents`: one for each secret that was found whole somewhere. An incident is open as long as
/// a finding of its secret is.
enum IncidentTable {
    /// An incident to which a finding was added.
    struct Addition {
        let number: Int64
        /// Whether an alert of full priority is due: the incident is new, was closed, or has become more dangerous since the
        /// last alert about it.
        let isNews: Bool
    }

    /// When a secret came to a place, by the commit that has it. The committer can write any date: what is before the secret
    /// was made, or later than now, is not believed. Git's dates are whole seconds.
    struct Introduction {
        let at: Instant?
        let backdatedTo: Instant?

        /// - Parameter madeAt: when the secret was made; nil where that is not known.
        init(committedAt: Instant?, madeAt: Instant?, at now: Instant) {
            guard let committedAt, let madeAt,
                committedAt.milliseconds / 1000 < madeAt.milliseconds / 1000
            else {
                let notBefore = committedAt.map { committed in madeAt.map { max(committed, $0) } ?? committed }
                (at, backdatedTo) = (notBefore.map { min($0, now) }, nil)
                return
            }
            (at, backdatedTo) = (madeAt, committedAt)
        }
    }

    /// An expression: the number of places of a secret that are counted and not listed, while some are listed that are open.
    static func unlistedPlaces(key: SQL, secret: SQL) -> SQL {
        """
        (SELECT ifnull(sum(u.places), 0) FROM unlisted_findings u JOIN repositories r USING (repository_id)
          WHERE u.key_row = \(key) AND u.secret_id = \(secret) AND u.grade = 'confirmed' AND r.unwatched_at IS NULL
            AND EXISTS (SELECT 1 FROM findings f WHERE f.key_row = u.key_row AND f.repository_id = u.repository_id
              AND f.secret_id = u.secret_id AND f.status = 'open'))
        """
    }

    /// Adds a finding that was just made, and opens the incident of its secret.
    static func add(
        _ introduction: Introduction, of secret: Int64, keyRow: Int64, danger: SecretCondition.Danger, _ db: Connection,
        at now: Instant
    ) throws -> Addition {
        let known = try db.first(
            "SELECT incident_id, danger, resolved_at IS NULL AS is_open FROM incidents WHERE secret_id = \(secret)"
        ) { row in
            (
                number: try row["incident_id"] as Int64, danger: try row["danger"] as Int,
                isOpen: try row["is_open"] as Bool
            )
        }
        let resolvedAt = danger == .none ? now : nil
        guard let known else {
            try db.run(
                """
                INSERT INTO incidents (key_row, secret_id, introduced_at, backdated_to, detected_at, opened_at,
                  resolved_at, danger)
                VALUES (\(keyRow), \(secret), \(introduction.at), \(introduction.backdatedTo), \(now), \(now),
                  \(resolvedAt), \(danger.rawValue))
                """)
            return Addition(number: db.lastInsertedRow, isNews: true)
        }
        try note(introduction, of: secret, db)
        if danger != .none {
            try db.run(
                """
                UPDATE incidents SET danger = \(danger.rawValue), close_reason = NULL,
                  opened_at = iif(resolved_at IS NULL, opened_at, \(now)), resolved_at = NULL
                WHERE incident_id = \(known.number)
                """)
        }
        return Addition(
            number: known.number, isNews: danger != .none && (!known.isOpen || danger.rawValue > known.danger))
    }

    /// Takes over when a secret came to one of its places, where that is earlier than is known.
    static func note(_ introduction: Introduction, of secret: Int64, _ db: Connection) throws {
        try db.run(
            """
            UPDATE incidents SET
              introduced_at = min(ifnull(introduced_at, \(introduction.at)), ifnull(\(introduction.at), introduced_at)),
              backdated_to = min(ifnull(backdated_to, \(introduction.backdatedTo)),
                ifnull(\(introduction.backdatedTo), backdated_to))
            WHERE secret_id = \(secret)
            """)
    }

    /// Opens the incident of a secret whose findings were made before it was known to be one.
    static func open(
        ofFindingsOf secret: Int64, danger: SecretCondition.Danger, _ db: Connection, at now: Instant
    ) throws {
        try db.run(
            """
            INSERT INTO incidents (key_row, secret_id, introduced_at, detected_at, opened_at, danger)
            SELECT s.key_row, s.secret_id, min(min(unixepoch(f.authored_at)) * 1000, \(now)), min(f.first_seen_at), \(now),
              \(danger.rawValue)
            FROM secrets s JOIN findings f ON f.key_row = s.key_row AND f.secret_id = s.secret_id
            WHERE s.secret_id = \(secret) GROUP BY s.secret_id
            ON CONFLICT DO NOTHING
            """)
        try settle(secret: secret, danger: danger, db, at: now)
    }

    /// Closes the incident of a secret of which no finding is open, and opens that of one of which a finding is open again.
    ///
    /// - Parameters:
    ///   - danger: nil where it has not changed.
    ///   - reason: why a person has closed it.
    static func settle(
        secret: Int64, danger: SecretCondition.Danger?, reason: String? = nil, _ db: Connection, at now: Instant
    ) throws {
        let isOpen: SQL = """
            EXISTS (SELECT 1 FROM findings f WHERE f.key_row = incidents.key_row AND f.secret_id = incidents.secret_id
              AND f.status = 'open')
            """
        try db.run(
            """
            UPDATE incidents SET danger = ifnull(\(danger?.rawValue), danger),
              opened_at = iif(resolved_at IS NOT NULL AND \(isOpen), \(now), opened_at),
              close_reason = iif(\(isOpen), NULL, ifnull(close_reason, \(reason))),
              resolved_at = iif(\(isOpen), NULL, ifnull(resolved_at, \(now)))
            WHERE secret_id = \(secret)
            """)
    }

    /// How dangerous the secret of an incident was when that was last looked at; nil where it has none.
    static func danger(ofSecret secret: Int64, _ db: Connection) throws -> SecretCondition.Danger? {
        try db.first("SELECT danger FROM incidents WHERE secret_id = \(secret)") { try $0["danger"] as Int }
            .flatMap(SecretCondition.Danger.init(rawValue:))
    }

    /// The number of the incident of a secret; nil where it has none.
    static func number(ofSecret secret: Int64, _ db: Connection) throws -> Int64? {
        try db.first("SELECT incident_id FROM incidents WHERE secret_id = \(secret)")
    }

    /// The findings of an incident's secret.
    static func findings(of incident: Int64) -> SQL {
        """
        (SELECT f.* FROM incidents i JOIN findings f ON f.key_row = i.key_row AND f.secret_id = i.secret_id
         WHERE i.incident_id = \(incident))
        """
    }
}
