package import Keys

extension Store {
    private static let findings: SQL = """
        SELECT f.finding_id, r.path AS repository, k.id, k.name, k.owner, k.issuer, f.prefix, f.secret_id, f.candidate,
          f.status, f.source, f.object, f.path, f.line, f.column_number, f.commit_id, f.author, f.authored_at, f.in_head,
          f.objects, f.form, f.place, f.first_path, f.first_seen_at, f.last_seen_at, f.dismissed_at, f.dismissed_by,
          f.dismissed_with, f.dismiss_reason, f.repository AS within, r.unwatched_at, f.first_commit, f.first_author,
          f.first_authored_at, f.expected_id, (SELECT incident_id FROM incidents i WHERE i.secret_id = f.secret_id) AS incident,
          \(SecretTable.conditionColumns)
        FROM findings f JOIN repositories r USING (repository_id) JOIN keys k USING (key_row)
        JOIN secrets s ON s.secret_id = ifnull(f.secret_id,
          (SELECT p.secret_id FROM secrets p WHERE p.key_row = f.key_row AND p.prefix = f.prefix
           ORDER BY p.generation DESC LIMIT 1))

        """

    /// Runs `body` on the findings, oldest first.
    ///
    /// - Parameters:
    ///   - keyID: only those of this key.
    ///   - place: only those in this watched place of this host.
    ///   - host: only those in places of the host of the fleet with this name.
    ///   - incident: only those of this incident.
    ///   - status: only those with this status.
    package func forEachFinding(
        keyID: String? = nil, place: String? = nil, host: String? = nil, incident: Int64? = nil,
        status: Finding.Status? = nil, at now: Instant,
        _ body: (Finding) throws -> Void
    ) throws {
        let names = try read { try PlaceNames($0) }
        // What is not asked for is not in the statement, so that each way to ask goes by its index.
        var conditions: SQL = "true"
        if let keyID {
            conditions = "\(conditions) AND f.key_row = (SELECT key_row FROM keys WHERE id = \(keyID))"
        }
        if let place {
            conditions = """
                \(conditions) AND f.repository_id =
                  (SELECT repository_id FROM repositories WHERE path = \(names.stored(place)))
                """
        }
        if let host { conditions = "\(conditions) AND \(PlaceNames(ofHostNamed: host).areOwn("r.path"))" }
        if let incident {
            conditions = """
                \(conditions) AND f.finding_id IN (SELECT finding_id FROM \(IncidentTable.findings(of: incident)))
                """
        }
        if let status {
            conditions =
                status == .unwatched
                ? "\(conditions) AND r.unwatched_at IS NOT NULL"
                : "\(conditions) AND f.status = \(status) AND r.unwatched_at IS NULL"
        }
        try read { db in
            try db.forEach("\(Self.findings) WHERE \(conditions) ORDER BY f.finding_id") {
                try body(try Self.finding($0, names, at: now))
            }
        }
    }

    /// One finding by its number.
    ///
    /// - Throws: ``StoreError`` where there is none.
    package func finding(_ id: Int64, at now: Instant) throws -> Finding {
        try read { db in
            let names = try PlaceNames(db)
            let found = try db.first("\(Self.findings) WHERE f.finding_id = \(id)") {
                try Self.finding($0, names, at: now)
            }
            guard let found else { throw Self.noSuchFinding(id) }
            return found
        }
    }

    private static func noSuchFinding(_ id: Int64) -> StoreError {
        .refused("there is no finding \(id)", hint: "keyvigil findings --all shows all")
    }

    private static func finding(_ row: Row, _ names: PlaceNames, at now: Instant) throws -> Finding {
        let unwatchedAt: Instant? = try row["unwatched_at"]
        let firstPath: String? = try row["first_path"]
        return Finding(
            id: try row["finding_id"], repository: names.shown(try row["repository"]),
            host: names.host(try row["repository"]), keyID: try row["id"], keyName: try row["name"],
            owner: try row["owner"], issuer: try row["issuer"], prefix: try row["prefix"],
            condition: try SecretTable.condition(row, at: now),
            status: unwatchedAt == nil ? try row["status"] : .unwatched,
            sighting: Sighting(
                prefixID: 0, secretID: try row["secret_id"], candidate: try row["candidate"],
                source: try row["source"], repository: try row["within"], object: try row["object"],
                path: try row["path"], line: try row["line"], column: try row["column_number"],
                commit: try row["commit_id"], author: try row["author"],
                authoredAt: try row["authored_at"], isInHead: try row["in_head"], objectCount: try row["objects"],
                form: try row["form"], place: try row["place"]),
            first: try firstPath.map {
                Finding.Origin(
                    path: $0, commit: try row["first_commit"], author: try row["first_author"],
                    authoredAt: try row["first_authored_at"])
            }, firstSeenAt: try row["first_seen_at"],
            lastSeenAt: try row["last_seen_at"], dismissal: try dismissal(row),
            isExpected: (try row["expected_id"] as Int64?) != nil, incident: try row["incident"])
    }

    static func dismissal(_ row: Row) throws -> Finding.Dismissal? {
        guard let at: Instant = try row["dismissed_at"] else { return nil }
        return Finding.Dismissal(
            at: at, uid: try row["dismissed_by"], program: try row["dismissed_with"], reason: try row["dismiss_reason"])
    }

    /// Sets a finding aside: it raises no alarm any more, whatever becomes of its key.
    package func dismissFinding(_ id: Int64, reason: String, at now: Instant, by actor: AuditActor) throws {
        try change(at: now, by: actor) { db, audit in
            let found = try db.first(
                "SELECT k.id, f.secret_id FROM findings f JOIN keys k USING (key_row) WHERE f.finding_id = \(id)"
            ) { (key: try $0["id"] as KeyID, secret: try $0["secret_id"] as Int64?) }
            guard let found else { throw Self.noSuchFinding(id) }
            try db.run(
                """
                UPDATE findings SET status = 'dismissed', dismissed_at = \(now), dismissed_by = \(actor.uid),
                  dismissed_with = \(actor.program), dismiss_reason = \(reason) WHERE finding_id = \(id)
                """)
            var details = JSONLine()
            details.add("finding", id)
            details.add("reason", reason)
            try audit.record(.findingDismissed, key: found.key, details: details)
            if let secret = found.secret {
                try IncidentTable.settle(secret: secret, danger: nil, reason: reason, db, at: now)
            }
        }
    }
}
