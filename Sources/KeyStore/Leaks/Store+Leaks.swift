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

/// What the store remembers of units.
package struct RecalledUnits: Sendable {
    /// For each, in order, whether it need not be searched again: it was searched for every secret that could be in it.
    package fileprivate(set) var areSearched: [Bool] = []
    /// Those that were not seen for a while. A unit that scans no longer see is forgotten.
    package fileprivate(set) var fading: [SearchedUnit] = []
}

extension Store {
    /// What is remembered of units, and which of them should be noted as seen.
    ///
    /// A secret made by this store after a unit was read cannot be in it. An imported one can, so a newer import makes every
    /// unit due once more.
    ///
    /// - Parameter forms: from ``number(ofForms:)``, or from ``number(ofSearch:)`` where no forms are searched for; what was searched for fewer, or in an earlier
    ///   way, is due once more, too.
    package func recall(_ units: [SearchedUnit], forms: Int64 = 0, at now: Instant) throws -> RecalledUnits {
        try read { db in
            let newestImport: Int64 =
                try db.first("SELECT max(secret_id) FROM secrets WHERE origin = 'imported'") ?? 0
            var recalled = RecalledUnits()
            for unit in units {
                let seenAt: Instant?? = try db.first(
                    """
                    SELECT seen_at FROM scan_units
                    WHERE kind = \(unit.kind) AND identity = \(unit.identity) AND searched_secret >= \(newestImport)
                      AND ifnull(searched_forms, 0) >= \(forms)
                    """
                ) { try $0["seen_at"] }
                recalled.areSearched.append(seenAt != nil)
                if let seenAt, (seenAt ?? .earliest) < now.preceded(by: Self.seenPeriod) {
                    recalled.fading.append(unit)
                }
            }
            return recalled
        }
    }

    /// Remembers what a part of a scan saw, and what it has searched: in short transactions, each finding with its alert,
    /// the secrets that are there before mentions of them, and last what was searched. What is cut off is done again by the
    /// next scan. What is known already is not written again.
    ///
    /// - Parameters:
    ///   - greatestSecret: from ``greatestSecret()``, asked for after the units were listed.
    ///   - forms: from ``number(ofForms:)`` or ``number(ofSearch:)``.
    ///   - onLeak: what a new confirmed leak of a live key leads to.
    ///   - tally: of this scan of the place.
    /// - Returns: the number of findings that are new.
    package func remember(
        _ sightings: [Sighting], searched units: [SearchedUnit], in repository: String, greatestSecret: Int64,
        forms: Int64 = 0, onLeak: LeakAnswer = .alert, tally: inout ScanTally, at now: Instant, by actor: AuditActor
    ) throws -> Int {
        let context = LeakContext(
            repository: repository, onLeak: onLeak, policy: policy, issuers: issuers, seals: seals, now: now)
        var new = 0
        if !sightings.isEmpty {
            let place = try place(toRemember: repository)
            let news = try read { db in
                let recorder = FindingRecorder(place, context, db)
                return try sightings.compactMap { sighting in
                    try recorder.news(sighting, &tally).map { (sighting, $0) }
                }
            }
            var groups = LeakGroups(news.filter { $1 == .finding }.map(\.0))
            try inTurns(Self.urgent(news.map(\.0)), cost: { 1 + $0.objects.count / 8 }) { part in
                (new, groups, tally) = try change(at: now, by: actor) { db, audit in
                    var (new, groups, tally) = (new, groups, tally)
                    var recorder = FindingRecorder(place, context, db)
                    for sighting in part where try recorder.record(sighting, among: &groups, &tally, &audit) {
                        new += 1
                    }
                    try recorder.finish(&audit)
                    return (new, groups, tally)
                }
            }
            try remember(&tally, in: place)
        }
        try inTurns(units, cost: { _ in 1 }, of: Self.unitsOfTurn) { part in
            try writeLocally(at: now) { db in
                for unit in part {
                    try db.run(
                        """
                        INSERT INTO scan_units (kind, identity, searched_secret, searched_forms, seen_at)
                        VALUES (\(unit.kind), \(unit.identity), \(greatestSecret), \(forms), \(now))
                        ON CONFLICT DO UPDATE SET searched_secret = max(searched_secret, excluded.searched_secret),
                          searched_forms = max(ifnull(searched_forms, 0), excluded.searched_forms),
                          seen_at = excluded.seen_at
                        """)
                }
            }
        }
        return new
    }

    static let unitsOfTurn = 1_000

    /// The secrets that are there first, then what may be one, then mentions.
    private static func urgent(_ sightings: [Sighting]) -> [Sighting] {
        FindingGrade.allCases.flatMap { grade in sightings.filter { $0.grade == grade } }
    }

    /// The row of a place in which something was seen.
    func place(toRemember repository: String) throws -> Int64 {
        let known: Int64? = try read { db in
            let stored = try PlaceNames(db).stored(repository)
            return try db.first(
                "SELECT repository_id FROM repositories WHERE path = \(stored) AND unwatched_at IS NULL")
        }
        if let known { return known }
        return try write { db in
            let place = try Self.repositoryID(repository, db)
            // What a person has scanned is known again, though it is not watched.
            try db.run(
                """
                UPDATE repositories SET unwatched_at = NULL, watched = 0
                WHERE repository_id = \(place) AND unwatched_at IS NOT NULL
                """)
            return place
        }
    }

    /// Revokes the keys whose current secret is in a repository by a finding that was made when the configuration did
    /// not ask for it yet. It needs no memory: a revoked key's findings are resolved. What was set aside stays so, and of a
    /// key that only its issuer can revoke the alert of its finding has said what to do.
    ///
    /// - Returns: the number of keys.
    package func answerKnownLeaks(
        in repository: String, onLeak: LeakAnswer, at now: Instant, by actor: AuditActor
    ) throws -> Int {
        let context = LeakContext(
            repository: repository, onLeak: onLeak, policy: policy, issuers: issuers, seals: seals, now: now)
        // Nearly always there is none, and then nothing is written.
        guard onLeak == .revoke else { return 0 }
        var keys = 0
        try inTurns(try read { try Findings.unanswered(in: repository, context, $0) }, cost: { _ in 10 }) { part in
            keys += try change(at: now, by: actor) { db, audit in
                try part.count { try Findings.answer($0, context, db, audit: &audit) }
            }
        }
        return keys
    }

    /// Notes the end of a scan and puts its alert into the outbox.
    ///
    /// - Parameters:
    ///   - problem: why not all could be read; nil where it was.
    ///   - leftOut: what was not searched without being a problem.
    ///   - reach: what was searched for.
    package func finishScan(
        of repository: String, startedAt: Instant, problem: String?, leftOut: String?, reach: ScanReach?,
        alert: Alert?, at now: Instant
    ) throws {
        try write(at: now) { db in
            let place = try Self.repositoryID(repository, db)
            try db.run(
                """
                UPDATE repositories SET scanned_at = \(startedAt), complete = \(problem == nil), problem = \(problem ?? leftOut),
                  repeats = iif(problem = \(problem), ifnull(repeats, 0) + 1, NULL), watched = 1, unwatched_at = NULL
                WHERE repository_id = \(place)
                """)
            if let reach, problem == nil, leftOut == nil {
                try db.run(
                    """
                    UPDATE repositories SET searched_at = \(startedAt), searched_secret = \(reach.greatestSecret),
                      searched_head = \(reach.head) WHERE repository_id = \(place)
                    """)
            }
            if let alert { try OutboxTable.add(alert, db, at: now) }
        }
    }

    /// The row of a place of this host, which is made where there is none.
    static func repositoryID(_ path: String, _ db: Connection) throws -> Int64 {
        let stored = try PlaceNames(db).stored(path)
        let known: Int64? = try db.first("SELECT repository_id FROM repositories WHERE path = \(stored)")
        if let known { return known }
        try db.run("INSERT INTO repositories (path) VALUES (\(stored))")
        return db.lastInsertedRow
    }

    /// Why the last scan of a repository was not complete; nil where it was, or where there was none.
    package func lastProblem(of repository: String) throws -> String? {
        try read { db in
            try db.first(
                "SELECT problem FROM repositories WHERE path = \(PlaceNames(db).stored(repository)) AND NOT complete")
        }
    }

    /// The places of this host whose last scan had one of these problems, by their paths.
    package func repositories(with problems: [String]) throws -> [ExactText: WatchedRepository] {
        var found: [ExactText: WatchedRepository] = [:]
        for problem in problems {
            let places = try watchedRepositories(where: "problem = \(problem)")
            for place in places { found[ExactText(place.path)] = place }
        }
        return found
    }

    private static let watchedRepositories: SQL = """
        SELECT path, scanned_at, iif(complete, NULL, problem) AS problem, iif(complete, problem, NULL) AS left_out, repeats, watched AND unwatched_at IS NULL AS is_watched, searched_at, searched_head,
          searched_secret
        FROM repositories
        """

    /// Places of this host.
    private func watchedRepositories(where condition: SQL) throws -> [WatchedRepository] {
        try read { db in
            let names = try PlaceNames(db)
            let isWanted: SQL = "\(names.areOwn("path")) AND \(condition)"
            return try db.all("\(Self.watchedRepositories) WHERE \(isWanted) ORDER BY path") {
                try Self.watchedRepository($0, names)
            }
        }
    }

    private static func watchedRepository(_ row: Row, _ names: PlaceNames) throws -> WatchedRepository {
        let searchedAt: Instant? = try row["searched_at"]
        let greatestSecret: Int64? = try row["searched_secret"]
        let head: String? = try row["searched_head"]
        return WatchedRepository(
            path: names.shown(try row["path"]), scannedAt: try row["scanned_at"], problem: try row["problem"],
            leftOut: try row["left_out"], repeats: try row["repeats"] ?? 0, isWatched: try row["is_watched"],
            searched: searchedAt.map {
                .init(at: $0, reach: ScanReach(greatestSecret: greatestSecret ?? 0, head: head))
            })
    }

    /// A watched place as the store remembers it.
    package struct WatchedRepository: Hashable, Sendable {
        package let path: String
        package let scannedAt: Instant?
        /// Why the last scan could not read all of it.
        package let problem: String?
        /// What the last scan has left out of what it has read whole otherwise; nil: nothing.
        package let leftOut: String?
        /// How many scans in a row had this problem, after the first.
        package let repeats: Int
        /// Whether the service scans it by the present configuration.
        package let isWatched: Bool
        /// The last scan that searched all of it; nil: there was none.
        package let searched: Search?

        /// A scan that searched all of a place.
        package struct Search: Hashable, Sendable {
            /// When it began.
            package let at: Instant
            package let reach: ScanReach
        }
    }

    /// All places of this host that were ever scanned.
    package func repositories() throws -> [WatchedRepository] { try watchedRepositories(where: "TRUE") }

    /// The places that the service of another host of the fleet watches, as its scans have left them, with their paths there.
    ///
    /// - Parameter host: its name.
    package func repositories(ofHost host: String) throws -> [WatchedRepository] {
        let names = PlaceNames(ofHostNamed: host)
        return try read { db in
            try db.all(
                """
                \(Self.watchedRepositories) WHERE \(names.areOwn("path")) AND watched AND unwatched_at IS NULL
                ORDER BY path
                """
            ) { try Self.watchedRepository($0, names) }
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
        guard let secret = try read({ try SecretTable.secret(candidate, $0) }) else { return sighting }
        var sighting = sighting
        sighting.secretID = secret
        sighting.candidate = nil
        return sighting
    }

    /// Whether a person has dismissed the finding in a place that a sighting is of.
    package func isDismissed(_ sighting: Sighting, in repository: String) throws -> Bool {
        try read { db in
            guard let (_, prefix) = try SecretTable.holder(of: sighting.subject, db) else { return false }
            let stored = try PlaceNames(db).stored(repository)
            return try db.isTrue(
                """
                SELECT EXISTS (SELECT 1 FROM repositories r JOIN findings f USING (repository_id)
                  WHERE r.path = \(stored) AND f.prefix = \(prefix) AND f.place = \(sighting.place)
                    AND f.secret_id IS \(sighting.secretID) AND f.candidate IS \(sighting.candidate)
                    AND f.status = 'dismissed' AND f.expected_id IS NULL)
                """)
        }
    }

    /// Tells which key a sighting is of, and what is known of the secret at `now`.
    package func describe(_ sighting: Sighting, at now: Instant) throws -> SightedKey {
        try read { db in
            let isRefused = try sighting.candidate.map { try Findings.isRefused($0, db) } ?? false
            let found = try db.first(
                """
                SELECT s.prefix, k.id, k.name, k.issuer, \(SecretTable.conditionColumns)
                FROM secrets s JOIN keys k USING (key_row) WHERE s.secret_id = \(sighting.secretID ?? sighting.prefixID)
                """
            ) { row in
                SightedKey(
                    prefix: try row["prefix"], keyID: try row["id"], keyName: try row["name"],
                    issuer: try row["issuer"], condition: try SecretTable.condition(row, at: now),
                    isRefusedCandidate: isRefused)
            }
            guard let found else { throw StoreError.refused("a sighting is of no key", hint: "scan again") }
            return found
        }
    }

    /// Whether a secret that may work has leaked of a key whose record is deleted.
    package func hasLeakOfDeletedKey() throws -> Bool {
        try read {
            try $0.isTrue(
                """
                SELECT EXISTS (SELECT 1 FROM incidents i JOIN keys k USING (key_row)
                  WHERE i.resolved_at IS NULL AND i.danger > \(SecretCondition.Danger.none.rawValue) AND k.status = 'deleted')
                """)
        }
    }

    /// The number of findings that are open.
    package func countOpenFindings() throws -> Int {
        try read {
            try $0.first(
                """
                SELECT count(*) FROM findings JOIN repositories USING (repository_id)
                WHERE status = 'open' AND unwatched_at IS NULL
                """) ?? 0
        }
    }
}
