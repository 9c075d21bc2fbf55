package import Keys

extension Store {
    private static func incidents(_ names: PlaceNames) -> SQL {
        let found: SQL = "findings f WHERE f.key_row = i.key_row AND f.secret_id = i.secret_id"
        let unwatched: SQL = "SELECT repository_id FROM repositories WHERE unwatched_at IS NOT NULL"
        return """
            SELECT i.incident_id, k.id, k.name, k.owner, k.issuer, s.prefix, i.introduced_at, i.backdated_to,
              i.detected_at, i.opened_at, i.resolved_at, i.assignee, i.close_reason, i.used_at, i.used_from,
              (SELECT count(*) FROM \(found)) AS places,
              (SELECT count(*) FROM \(found) AND f.status = 'open' AND f.repository_id NOT IN (\(unwatched))) AS open_places,
              (SELECT count(*) FROM \(found) AND f.status = 'open' AND f.repository_id IN (\(unwatched))) AS unwatched_places,
              \(IncidentTable.unlistedPlaces(key: "i.key_row", secret: "i.secret_id")) AS unlisted_places,
              (SELECT \(names.hosts("r.path")) FROM repositories r
                WHERE r.repository_id IN (SELECT f.repository_id FROM \(found))) AS hosts,
              \(SecretTable.conditionColumns)
            FROM incidents i JOIN secrets s USING (secret_id) JOIN keys k ON k.key_row = i.key_row

            """
    }

    /// Which incidents are shown; nil leaves a property open.
    package struct IncidentFilter: Hashable, Sendable {
        package var isOpen: Bool?
        /// Who works on it: the person that it is assigned to, else the owner of the key.
        package var owner: String?
        /// The public id of a key.
        package var keyID: String?
        /// Only what was open at this instant, or later.
        package var since: Instant?
        /// Only what has a place on the host of the fleet with this name.
        package var host: String?

        package init() {}
    }

    /// Runs `body` on the incidents, oldest first.
    package func forEachIncident(
        _ filter: IncidentFilter = IncidentFilter(), at now: Instant, _ body: (Incident) throws -> Void
    ) throws {
        let isThere: SQL =
            filter.host.map { host in
                """
                EXISTS (SELECT 1 FROM findings f JOIN repositories r USING (repository_id)
                  WHERE f.key_row = i.key_row AND f.secret_id = i.secret_id
                    AND \(PlaceNames(ofHostNamed: host).areOwn("r.path")))
                """
            } ?? "TRUE"
        try read { db in
            try db.forEach(
                """
                \(Self.incidents(PlaceNames(db))) WHERE (\(filter.isOpen) IS NULL OR (i.resolved_at IS NULL) = \(filter.isOpen))
                  AND (\(filter.owner) IS NULL OR ifnull(i.assignee, k.owner) = \(filter.owner))
                  AND (\(filter.keyID) IS NULL OR k.id = \(filter.keyID))
                  AND (\(filter.since) IS NULL OR ifnull(i.resolved_at, \(now)) >= \(filter.since))
                  AND \(isThere)
                ORDER BY i.incident_id
                """
            ) { try body(try Self.incident($0, at: now)) }
        }
    }

    /// One incident by its number.
    ///
    /// - Throws: ``StoreError`` where there is none.
    package func incident(_ number: Int64, at now: Instant) throws -> Incident {
        try read { db in
            let found = try db.first("\(Self.incidents(PlaceNames(db))) WHERE i.incident_id = \(number)") {
                try Self.incident($0, at: now)
            }
            guard let found else { throw Self.noSuchIncident(number) }
            return found
        }
    }

    /// What the audit says of an incident and of what became of its key, oldest first.
    package func history(ofIncident number: Int64) throws -> [IncidentEvent] {
        try read { db in
            let order: SQL = try AuditChains.areSeveral(db) ? "at, event_id" : "event_id"
            return try db.all(
                """
                SELECT at, uid, program, action, details ->> 'finding' AS finding,
                  coalesce(details ->> 'assignee', details ->> 'note', details ->> 'answer', details ->> 'reason') AS text
                FROM audit_events
                WHERE key_row = (SELECT key_row FROM incidents WHERE incident_id = \(number)) AND (action = 'finding.dismissed'
                    AND details ->> 'finding' IN (SELECT finding_id FROM \(IncidentTable.findings(of: number)))
                  OR action IN ('key.created', 'key.imported', 'key.rotated', 'key.revoked', 'key.deleted', 'key.expired',
                    'secret.retired', 'secret.checked', 'incident.assigned', 'incident.noted', 'incident.closed')
                    AND ifnull(details ->> 'incident', \(number)) = \(number))
                ORDER BY \(order)
                """
            ) {
                IncidentEvent(
                    at: try $0["at"], uid: try $0["uid"], program: try $0["program"], action: try $0["action"],
                    finding: try $0["finding"], text: try $0["text"])
            }
        }
    }

    private static func noSuchIncident(_ number: Int64) -> StoreError {
        .refused("there is no incident \(number)", hint: "keyvigil incidents shows all")
    }

    private static func incident(_ row: Row, at now: Instant) throws -> Incident {
        Incident(
            number: try row["incident_id"], keyID: try row["id"], keyName: try row["name"], owner: try row["owner"],
            issuer: try row["issuer"], prefix: try row["prefix"], condition: try SecretTable.condition(row, at: now),
            introducedAt: try row["introduced_at"], backdatedTo: try row["backdated_to"],
            detectedAt: try row["detected_at"], openedAt: try row["opened_at"], resolvedAt: try row["resolved_at"],
            assignee: try row["assignee"], closeReason: try row["close_reason"], usedAt: try row["used_at"],
            usedFrom: try row["used_from"], places: try row["places"], openPlaces: try row["open_places"],
            unwatchedPlaces: try row["unwatched_places"], unlistedPlaces: try row["unlisted_places"],
            hosts: (try row["hosts"] as String? ?? "").split(separator: ",").map(String.init).sorted())
    }

    // MARK: - Changes

    package func assignIncident(_ number: Int64, to person: String, at now: Instant, by actor: AuditActor) throws {
        try changeIncident(number, .incidentAssigned, at: now, by: actor) { db, details in
            try db.run("UPDATE incidents SET assignee = \(person) WHERE incident_id = \(number)")
            details.add("assignee", person)
        }
    }

    package func noteIncident(_ number: Int64, _ text: String, at now: Instant, by actor: AuditActor) throws {
        try changeIncident(number, .incidentNoted, at: now, by: actor) { _, details in details.add("note", text) }
    }

    package func closeIncident(_ number: Int64, reason: String, at now: Instant, by actor: AuditActor) throws -> Int {
        try changeIncident(number, .incidentClosed, at: now, by: actor) { db, details in
            let secret: Int64? = try db.first(
                "SELECT secret_id FROM incidents WHERE incident_id = \(number) AND resolved_at IS NULL")
            guard let secret else {
                throw StoreError.refused(
                    "the incident \(number) is closed already", hint: "look at it: keyvigil incidents show \(number)")
            }
            try db.run(
                """
                UPDATE findings SET status = 'dismissed', dismissed_at = \(now), dismissed_by = \(actor.uid),
                  dismissed_with = \(actor.program), dismiss_reason = \(reason)
                WHERE finding_id IN (SELECT finding_id FROM \(IncidentTable.findings(of: number)) WHERE status = 'open')
                """)
            let count = db.changedRows
            try IncidentTable.settle(secret: secret, danger: nil, reason: reason, db, at: now)
            details.add("reason", reason)
            details.add("findings", Int64(count))
            return count
        }
    }

    private func changeIncident<Value>(
        _ number: Int64, _ action: AuditAction, at now: Instant, by actor: AuditActor,
        _ body: (Connection, inout JSONLine) throws -> Value
    ) throws -> Value {
        try change(at: now, by: actor) { db, audit in
            let key: KeyID? = try db.first(
                "SELECT k.id FROM incidents i JOIN keys k USING (key_row) WHERE i.incident_id = \(number)")
            guard let key else { throw Self.noSuchIncident(number) }
            var details = JSONLine()
            details.add("incident", number)
            let value = try body(db, &details)
            try audit.record(action, key: key, details: details)
            return value
        }
    }
}
