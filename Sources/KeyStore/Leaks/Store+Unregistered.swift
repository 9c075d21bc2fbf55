package import Keys

/// A secret of a known form that belongs to no key, as the store remembers it.
package struct UnregisteredFinding: Hashable, Sendable {
    package let id: Int64
    package let issuer: String
    package let prefix: String
    /// The keyed hash, by which it is known again.
    package let hash: SecretHash
    package let firstSeenAt: Instant
    /// Where it is; empty if it is gone from all places where it was found.
    package let places: [Place]
    /// Who dismissed it, if a person did.
    package let dismissal: Finding.Dismissal?

    package struct Place: Hashable, Sendable {
        /// The watched place.
        package let repository: String
        /// The host of the fleet that the place is on; nil for a store without a fleet.
        package let host: String?
        package let sighting: Sighting
        /// When it was last seen there; in a history, first.
        package let seenAt: Instant

        /// Whether it is in the history of a repository, so that it stays there.
        package var isInHistory: Bool { !sighting.isOutsideHistory }
    }
}

extension Store {
    /// The number of a way of searching, without forms of secrets; one that is new gets a greater number than those before. What was searched
    /// in this way for any forms has a greater one.
    package func number(ofSearch search: String) throws -> Int64 {
        if let known: Int64 = try read({ try $0.first("SELECT number FROM secret_forms WHERE forms = \(search)") }) {
            return known
        }
        return try writeLocally { db in
            // Another program may have been first.
            try db.run("INSERT INTO secret_forms (forms) VALUES (\(search)) ON CONFLICT DO NOTHING")
            return try db.first("SELECT number FROM secret_forms WHERE forms = \(search)") ?? 0
        }
    }

    /// The number of a set of forms, after that of the way of searching for them; one that is new gets a greater number than those before.
    ///
    /// - Parameter forms: begins with the way of searching.
    package func number(ofForms forms: String) throws -> Int64 {
        let query: SQL = "SELECT number FROM secret_forms WHERE forms = \(forms)"
        // The newest set is the one that is searched for: going back to an older one searches again.
        let newest: Int64? = try read { db in
            let number: Int64? = try db.first(query)
            let last: Int64? = try db.first("SELECT max(number) FROM secret_forms")
            return number == last ? number : nil
        }
        if let newest { return newest }
        return try writeLocally { db in
            try db.run("DELETE FROM secret_forms WHERE forms = \(forms)")
            try db.run("INSERT INTO secret_forms (forms) VALUES (\(forms))")
            return db.lastInsertedRow
        }
    }

    /// Remembers secrets of a known form that belong to no key, and where they are.
    ///
    /// - Parameter mostListed: the number of their places in one watched place beyond which none is added.
    /// - Returns: the number of places that are new.
    package func remember(
        unregistered secrets: [UnregisteredSecret], in repository: String, mostListed: Int, at now: Instant
    ) throws -> Int {
        guard !secrets.isEmpty else { return 0 }
        let place = try place(toRemember: repository)
        // Of what is in a file, the time is kept up to date: a file that has changed since then and does not have it is known by it.
        let news = try read { db in
            try secrets.filter { secret in
                let known = try db.first(
                    """
                    SELECT p.seen_at, \(Findings.isOutsideHistory) AS is_file, p.commit_id IS NOT NULL AS has_commit
                    FROM unregistered_secrets u JOIN unregistered_places p USING (unregistered_id)
                    WHERE u.hash = \(secret.hash) AND p.repository_id = \(place) AND p.place = \(secret.sighting.place)
                    """
                ) {
                    (
                        seenAt: try $0["seen_at"] as Instant, isFile: try $0["is_file"] as Bool,
                        hasCommit: try $0["has_commit"] as Bool
                    )
                }
                guard let known else { return true }
                guard !secret.sighting.isOutsideHistory else { return known.seenAt < now }
                return known.isFile || !known.hasCommit && secret.sighting.commit != nil
            }
        }
        var added = 0
        try inTurns(news, cost: { _ in 2 }) { part in
            added += try write(at: now) { db in
                try part.count { try Self.add($0, to: place, mostListed, db, at: now) }
            }
        }
        return added
    }

    /// Forgets secrets that belong to a key by now: of one that is recorded by its SHA-256 that shows when it is found again.
    package func forget(unregistered hashes: Set<SecretHash>) throws {
        guard !hashes.isEmpty else { return }
        let known: [SecretHash] = try read { db in
            try db.all("SELECT hash FROM unregistered_secrets") { try $0["hash"] }
        }
        try inTurns(known.filter(hashes.contains), cost: { _ in 2 }) { part in
            try write { db in
                for hash in part { try db.run("DELETE FROM unregistered_secrets WHERE hash = \(hash)") }
            }
        }
    }

    private static func add(
        _ secret: UnregisteredSecret, to place: Int64, _ mostListed: Int, _ db: Connection, at now: Instant
    ) throws -> Bool {
        // It may have been recorded as a key meanwhile.
        guard try SecretTable.secret(secret.hash, db) == nil else { return false }
        let sighting = secret.sighting
        try db.run(
            """
            UPDATE unregistered_places SET seen_at = \(now)
            WHERE repository_id = \(place) AND place = \(sighting.place)
              AND unregistered_id = (SELECT unregistered_id FROM unregistered_secrets WHERE hash = \(secret.hash))
            """)
        guard db.changedRows == 0 else {
            // What was in a file before git had it is in its history from now on.
            guard !sighting.isOutsideHistory else { return false }
            try db.run(
                """
                UPDATE unregistered_places SET source = \(sighting.source), object = \(sighting.object),
                  line = \(sighting.line), column_number = \(sighting.column), commit_id = \(sighting.commit),
                  author = \(sighting.author), authored_at = \(sighting.authoredAt), form = \(sighting.form)
                WHERE repository_id = \(place) AND place = \(sighting.place) AND commit_id IS NULL
                  AND unregistered_id = (SELECT unregistered_id FROM unregistered_secrets WHERE hash = \(secret.hash))
                """)
            return false
        }
        guard try makeRoom(for: secret.hash, in: place, mostListed, db) else { return false }
        try db.run(
            """
            INSERT INTO unregistered_secrets (hash, issuer, prefix, first_seen_at)
            VALUES (\(secret.hash), \(secret.issuer), \(secret.prefix), \(now)) ON CONFLICT DO NOTHING
            """)
        try db.run(
            """
            INSERT INTO unregistered_places (unregistered_id, repository_id, place, repository, source, object, path, line,
              column_number, commit_id, author, authored_at, form, seen_at, reported_at)
            SELECT unregistered_id, \(place), \(sighting.place), \(sighting.repository), \(sighting.source),
              \(sighting.object), \(sighting.path), \(sighting.line), \(sighting.column), \(sighting.commit),
              \(sighting.author), \(sighting.authoredAt), \(sighting.form), \(now), iif(dismissed_at IS NULL, NULL, \(now))
            FROM unregistered_secrets WHERE hash = \(secret.hash)
            ON CONFLICT DO NOTHING
            """)
        return db.changedRows > 0
    }

    /// Whether one more place of a secret can be listed. A secret that is new in a full place gets the room of the last place of the
    /// one that has the most. Those that were dismissed, and are written down to be known again, have room of their own.
    private static func makeRoom(
        for hash: SecretHash, in place: Int64, _ mostListed: Int, _ db: Connection
    ) throws -> Bool {
        let listed: SQL = """
            unregistered_places p JOIN unregistered_secrets u USING (unregistered_id)
            WHERE p.repository_id = \(place) AND (u.dismissed_at IS NULL) IS
              (SELECT dismissed_at IS NULL FROM unregistered_secrets WHERE hash = \(hash) UNION ALL SELECT 1 LIMIT 1)
            """
        let count: Int = try db.first("SELECT count(*) FROM (SELECT 1 FROM \(listed) LIMIT \(mostListed))") ?? 0
        if count < mostListed { return true }
        guard try !db.isTrue("SELECT EXISTS (SELECT 1 FROM \(listed) AND u.hash = \(hash))") else { return false }
        let last: Int64? = try db.first(
            """
            SELECT max(p.place_id) FROM \(listed) GROUP BY p.unregistered_id HAVING count(*) > 1
            ORDER BY count(*) DESC LIMIT 1
            """)
        guard let last else { return false }
        try db.run("DELETE FROM unregistered_places WHERE place_id = \(last)")
        return true
    }

    /// Reports once, at the end of a scan, which secrets of a known form that belong to no key it has found in a place.
    ///
    /// - Parameter mostListed: `max_findings`.
    /// - Returns: the number of alerts: one or none.
    package func reportUnregistered(in repository: String, mostListed: Int, at now: Instant) throws -> Int {
        let place: Int64? = try read { db in
            let stored = try PlaceNames(db).stored(repository)
            return try db.first(
                """
                SELECT repository_id FROM repositories r WHERE path = \(stored)
                  AND EXISTS (SELECT 1 FROM unregistered_places p
                    WHERE p.repository_id = r.repository_id AND reported_at IS NULL)
                """)
        }
        guard let place else { return 0 }
        try write(at: now) { db in
            let new = try Self.unregistered("p.repository_id = \(place) AND p.reported_at IS NULL", db)
            let listed: Int =
                try db.first(
                    """
                    SELECT count(*) FROM unregistered_places JOIN unregistered_secrets USING (unregistered_id)
                    WHERE repository_id = \(place) AND dismissed_at IS NULL
                    """) ?? 0
            try OutboxTable.add(
                Alert(
                    unregistered: new.map { found in
                        UnregisteredReport(
                            number: found.id, issuer: found.issuer, prefix: found.prefix,
                            sightings: found.places.map(\.sighting))
                    }, in: repository, mostListed: listed < mostListed ? nil : mostListed, issuers: issuers),
                db, at: now)
            try db.run(
                """
                UPDATE unregistered_places SET reported_at = \(now)
                WHERE repository_id = \(place) AND reported_at IS NULL
                """)
        }
        return 1
    }

    /// The secrets of a known form that belong to no key, in places that are watched.
    ///
    /// - Parameters:
    ///   - all: whether those are included that were dismissed, or are gone from all places.
    ///   - host: only those on the host of the fleet with this name, with their locations there.
    package func unregisteredFindings(all: Bool = false, host: String? = nil) throws -> [UnregisteredFinding] {
        let isThere: SQL = host.map { PlaceNames(ofHostNamed: $0).areOwn("r.path") } ?? "TRUE"
        return try read { db in
            try Self.unregistered(
                """
                r.unwatched_at IS NULL AND (\(all) OR u.dismissed_at IS NULL AND p.place_id IS NOT NULL) AND \(isThere)
                """, db)
        }
    }

    /// One of them by its number.
    ///
    /// - Throws: ``StoreError`` where there is none.
    package func unregisteredFinding(_ id: Int64) throws -> UnregisteredFinding {
        guard let found = try read({ try Self.unregistered("u.unregistered_id = \(id)", $0) }).first else {
            throw Self.noSuchUnregistered(id)
        }
        return found
    }

    /// The number of those that are open.
    package func countUnregistered() throws -> Int {
        try read {
            try $0.first(
                """
                SELECT count(*) FROM unregistered_secrets u WHERE dismissed_at IS NULL
                  AND EXISTS (SELECT 1 FROM unregistered_places p JOIN repositories r USING (repository_id)
                    WHERE p.unregistered_id = u.unregistered_id AND r.unwatched_at IS NULL)
                """) ?? 0
        }
    }

    /// Sets one aside: it is no longer listed, wherever it is found.
    package func dismissUnregistered(_ id: Int64, reason: String, at now: Instant, by actor: AuditActor) throws {
        try change(at: now, by: actor) { db, audit in
            try db.run(
                """
                UPDATE unregistered_secrets SET dismissed_at = \(now), dismissed_by = \(actor.uid),
                  dismissed_with = \(actor.program), dismiss_reason = \(reason) WHERE unregistered_id = \(id)
                """)
            guard db.changedRows > 0 else { throw Self.noSuchUnregistered(id) }
            var details = JSONLine()
            details.add("finding", "U\(id)")
            details.add("reason", reason)
            try audit.record(.findingDismissed, key: nil, details: details)
        }
    }

    private static func noSuchUnregistered(_ id: Int64) -> StoreError {
        .refused("there is no finding U\(id)", hint: "keyvigil findings --all shows all")
    }

    static func unregistered(_ condition: SQL, _ db: Connection) throws -> [UnregisteredFinding] {
        let names = try PlaceNames(db)
        let rows = try db.all(
            """
            SELECT u.unregistered_id, u.issuer, u.prefix, u.hash, u.first_seen_at, u.dismissed_at, u.dismissed_by, u.dismissed_with,
              u.dismiss_reason, r.path AS watched, p.place, p.repository, p.source, p.object, p.path, p.line,
              p.column_number, p.commit_id, p.author, p.authored_at, p.form, p.seen_at
            FROM unregistered_secrets u LEFT JOIN unregistered_places p USING (unregistered_id)
              LEFT JOIN repositories r USING (repository_id)
            WHERE \(condition) ORDER BY u.unregistered_id, p.place_id
            """
        ) { row in
            let finding = UnregisteredFinding(
                id: try row["unregistered_id"], issuer: try row["issuer"], prefix: try row["prefix"],
                hash: try row["hash"], firstSeenAt: try row["first_seen_at"], places: [],
                dismissal: try Self.dismissal(row))
            guard let watched: String = try row["watched"] else {
                return (finding: finding, places: [] as [UnregisteredFinding.Place])
            }
            let sighting = Sighting(
                prefixID: 0, secretID: nil, source: try row["source"], repository: try row["repository"],
                object: try row["object"], path: try row["path"], line: try row["line"],
                column: try row["column_number"], commit: try row["commit_id"], author: try row["author"],
                authoredAt: try row["authored_at"], isInHead: false, objectCount: 1, form: try row["form"],
                place: try row["place"])
            let place = UnregisteredFinding.Place(
                repository: names.shown(watched), host: names.host(watched), sighting: sighting,
                seenAt: try row["seen_at"])
            return (finding: finding, places: [place])
        }
        var found: [UnregisteredFinding] = []
        for (finding, places) in rows {
            let places = (found.last?.id == finding.id ? found.removeLast().places : []) + places
            found.append(
                UnregisteredFinding(
                    id: finding.id, issuer: finding.issuer, prefix: finding.prefix, hash: finding.hash,
                    firstSeenAt: finding.firstSeenAt, places: places, dismissal: finding.dismissal))
        }
        return found
    }
}
