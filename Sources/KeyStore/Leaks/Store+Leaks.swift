internal import Foundation
internal import GRDB
package import Keys

/// A thing that was searched whole, named by its content: a pack, a loose object, a version of a file.
package struct SearchedUnit: Hashable, Sendable {
    package let kind: String
    package let identity: [UInt8]

    package init(kind: String, identity: [UInt8]) {
        self.kind = kind
        self.identity = identity
    }
}

extension Store {
    /// Tells of each unit whether it need not be searched again: it was searched for every secret that could be in it.
    ///
    /// A secret made by this store after the unit was read cannot be in it. An imported one can, so a newer import
    /// makes every unit due once more.
    package func areSearched(_ units: [SearchedUnit]) throws -> [Bool] {
        try read { db in
            let newestImport =
                try Int64.fetchOne(
                    db, sql: "SELECT max(secret_id) FROM secrets WHERE origin = 'imported'") ?? 0
            let statement = try db.cachedStatement(
                sql: "SELECT searched_secret >= ? FROM scan_units WHERE kind = ? AND identity = ?")
            return try units.map { unit in
                try Bool.fetchOne(statement, arguments: [newestImport, unit.kind, Data(unit.identity)]) ?? false
            }
        }
    }

    /// Remembers what a part of a scan saw and what it has searched, in one transaction with the alerts.
    ///
    /// - Parameters:
    ///   - greatestSecret: from ``greatestSecret()``, asked for after the units were listed.
    ///   - onLeak: what a new confirmed leak of a live key leads to.
    /// - Returns: the number of findings that are new.
    package func remember(
        _ sightings: [Sighting], searched units: [SearchedUnit], in repository: String, greatestSecret: Int64,
        onLeak: LeakAnswer = .alert, at now: Instant, by actor: Actor
    ) throws -> Int {
        let context = Findings.Context(
            repository: repository, onLeak: onLeak, policy: policy, issuers: issuers, now: now)
        return try change(at: now, by: actor) { db, audit in
            let repositoryID = try Self.repositoryID(repository, db)
            if !sightings.isEmpty {
                // What a person has scanned is known again, though it is not watched.
                try db.execute(
                    sql: """
                        UPDATE repositories SET unwatched_at = NULL, watched = 0
                        WHERE repository_id = ? AND unwatched_at IS NOT NULL
                        """, arguments: [repositoryID])
            }
            var new = 0
            for sighting in sightings
            where try Findings.record(sighting, repository: repositoryID, context, db, &audit) {
                new += 1
            }
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO scan_units (kind, identity, searched_secret) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET searched_secret = max(searched_secret, excluded.searched_secret)
                    """)
            for unit in units { try statement.execute(arguments: [unit.kind, Data(unit.identity), greatestSecret]) }
            return new
        }
    }

    /// Revokes the keys whose current secret stands in a repository by a finding that was made when the configuration did
    /// not ask for it yet. It needs no memory: a revoked key's findings are resolved. What was set aside stays so, and of a
    /// key that only its issuer can revoke the alert of its finding has said what to do.
    ///
    /// - Returns: the number of keys.
    package func answerKnownLeaks(
        in repository: String, onLeak: LeakAnswer, at now: Instant, by actor: Actor
    ) throws -> Int {
        let context = Findings.Context(
            repository: repository, onLeak: onLeak, policy: policy, issuers: issuers, now: now)
        // Nearly always there is none, and then nothing is written.
        guard onLeak == .revoke, try !read({ try Findings.unanswered(in: repository, context, $0) }).isEmpty else {
            return 0
        }
        return try change(at: now, by: actor) { db, audit in
            var keys = 0
            for finding in try Findings.unanswered(in: repository, context, db)
            where try Findings.answer(finding, context, db, &audit) {
                keys += 1
            }
            return keys
        }
    }

    /// Notes the end of a scan and puts its alert into the outbox.
    package func finishScan(
        of repository: String, startedAt: Instant, problem: String?, alert: Alert?, at now: Instant
    ) throws {
        try write { db in
            try db.execute(
                sql: """
                    UPDATE repositories SET scanned_at = ?, complete = ?, problem = ?, watched = 1, unwatched_at = NULL
                    WHERE repository_id = ?
                    """,
                arguments: [startedAt.milliseconds, problem == nil, problem, try Self.repositoryID(repository, db)])
            if let alert { try Outbox.add(alert, db, at: now) }
        }
    }

    private static func repositoryID(_ path: String, _ db: Database) throws -> Int64 {
        if let known = try Int64.fetchOne(
            db, sql: "SELECT repository_id FROM repositories WHERE path = ?", arguments: [path])
        {
            return known
        }
        try db.execute(sql: "INSERT INTO repositories (path) VALUES (?)", arguments: [path])
        return db.lastInsertedRowID
    }

    /// Why the last scan of a repository was not complete; nil where it was, or where there was none.
    package func lastProblem(of repository: String) throws -> String? {
        try read { db in
            try String.fetchOne(db, sql: "SELECT problem FROM repositories WHERE path = ?", arguments: [repository])
        }
    }

    /// A watched place as the store remembers it.
    package struct WatchedRepository: Hashable, Sendable {
        package let path: String
        package let scannedAt: Instant?
        package let problem: String?
        /// Whether the service scans it by the present configuration.
        package let isWatched: Bool
    }

    /// All places that were ever scanned.
    package func repositories() throws -> [WatchedRepository] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT path, scanned_at, problem, watched AND unwatched_at IS NULL FROM repositories ORDER BY path
                    """
            ).map {
                WatchedRepository(path: $0[0], scannedAt: KeyRow.instant($0[1]), problem: $0[2], isWatched: $0[3])
            }
        }
    }
}

/// What a sighting is of.
package struct SightedKey: Hashable, Sendable {
    package let prefix: String
    package let keyID: String
    package let keyName: String
    package let issuer: String
    package let condition: SecretCondition
    /// Whether its issuer has refused what is there, of a sighting that is probable.
    package let isRefusedCandidate: Bool
}

extension Store {
    /// A probable sighting as a confirmed one, where what is there has become a known secret since.
    package func confirmed(_ sighting: Sighting) throws -> Sighting {
        guard let candidate = sighting.candidate else { return sighting }
        let secret = try read { db in
            try Int64.fetchOne(
                db, sql: "SELECT secret_id FROM secrets WHERE hash = ?", arguments: [Data(candidate.bytes)])
        }
        guard let secret else { return sighting }
        var sighting = sighting
        sighting.secretID = secret
        sighting.candidate = nil
        return sighting
    }

    /// Tells which key a sighting is of, and what is known of the secret at `now`.
    package func describe(_ sighting: Sighting, at now: Instant) throws -> SightedKey {
        try read { db in
            let found = try Row.fetchOne(
                db,
                sql: """
                    SELECT s.prefix, k.id, k.name, k.issuer, k.key_row, \(ConditionRow.columns)
                    FROM secrets s JOIN keys k USING (key_row) WHERE s.secret_id = ?
                    """, arguments: [sighting.secretID ?? sighting.prefixID])
            guard let found else { throw StoreError.refused("a sighting is of no key", hint: "scan again") }
            let isRefused = try sighting.candidate.map { candidate in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM refused_candidates WHERE hash = ?)",
                    arguments: [Data(candidate.bytes)]) ?? false
            }
            return SightedKey(
                prefix: found[0], keyID: found[1], keyName: found[2], issuer: found[3],
                condition: try ConditionRow.condition(found, from: 5, at: now), isRefusedCandidate: isRefused ?? false)
        }
    }

    /// The number of findings that are open.
    package func countOpenFindings() throws -> Int {
        try read {
            try Int.fetchOne(
                $0,
                sql:
                    "SELECT count(*) FROM findings JOIN repositories USING (repository_id) WHERE status = 'open' AND unwatched_at IS NULL"
            ) ?? 0
        }
    }
}
