package import KeyStore
package import Keys
internal import PostgreSQL

extension FleetAuthority: Authority {
    /// The most entries of one answer.
    private static let page = 500

    package func news(after positions: [FeedPosition]) throws -> FeedNews {
        try explaining {
            try use(repeats: true) { connection in
                let (hosts, sequences) = (positions.map(\.host), positions.map(\.sequence))
                let results = try connection.read(
                    [
                        Self.endsOfFeeds,
                        """
                        SELECT c.host, c.seq, c.clock, c.schema, c.payload, c.link
                        FROM keyvigil.feeds f
                        LEFT JOIN unnest(\(List(hosts)), \(List(sequences))) AS p (host, seq) ON p.host = f.host
                        JOIN keyvigil.changes c ON c.host = f.host AND c.seq > coalesce(p.seq, 0)
                        WHERE f.seq > coalesce(p.seq, 0)
                        ORDER BY c.clock, c.host, c.seq LIMIT \(Self.page)
                        """,
                        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now",
                    ], before: .after(patience.asking))
                let time = try results[2].first.map { Instant(milliseconds: try $0["now"]) }
                return try Self.news(
                    after: positions, heads: results[0], entries: results[1], at: time ?? .earliest)
            }
        }
    }

    private static func news(
        after positions: [FeedPosition], heads: Rows, entries rows: Rows, at time: Instant
    ) throws -> FeedNews {
        let entries = try rows.map { row in
            FeedEntry(
                host: try row["host"], sequence: try row["seq"], clock: try row["clock"], schema: try row["schema"],
                changes: ChangeSet(bytes: try row["payload"]), link: try row["link"])
        }
        let ends = try ends(heads)
        let known = Dictionary(ends.map { ($0.host, $0) }, uniquingKeysWith: { $1 })
        let isOlder = positions.contains { position in
            let head = known[position.host] ?? FeedPosition(host: position.host)
            return head.sequence < position.sequence
                || head.sequence == position.sequence && head.head != position.head
        }
        let isPartial = rows.count == page
        // Entries are kept for a while only.
        let reached = Dictionary(entries.map { ($0.host, $0.sequence) }, uniquingKeysWith: max)
        let before = Dictionary(positions.map { ($0.host, $0.sequence) }, uniquingKeysWith: max)
        let isPruned =
            !isPartial
            && known.values.contains { head in
                head.sequence > max(reached[head.host] ?? 0, before[head.host] ?? 0)
            }
        return FeedNews(
            entries: entries, isPartial: isPartial, time: time,
            gap: isOlder ? .older : isPruned ? .pruned : nil)
    }

    /// The fingerprint of the fleet's pepper; nil: no host has joined yet.
    package func pepperFingerprint() throws -> SecretHash? {
        try explaining {
            try use(repeats: true) { connection in
                let rows = try connection.read(
                    ["SELECT pepper_fingerprint FROM keyvigil.fleet"], before: .after(patience.asking))
                return try rows[0].first.flatMap { try ($0["pepper_fingerprint"] as [UInt8]?).flatMap(SecretHash.init) }
            }
        }
    }

    package func transaction(on tables: [SharedTable]) -> any SharedTransaction { FleetTransaction(self, tables) }

    /// Whether a transaction whose answer did not come has happened. A server that still works on it is waited for, by the row that it
    /// holds.
    func isCommitted(_ entry: FeedEntry, _ error: PostgreSQLError) throws -> Bool {
        do {
            return try use(repeats: true) { connection in
                let results = try connection.run(
                    [
                        "SELECT seq FROM keyvigil.feeds WHERE host = \(entry.host) FOR UPDATE",
                        "SELECT link FROM keyvigil.changes WHERE host = \(entry.host) AND seq = \(entry.sequence)",
                    ], before: .after(patience.changing))
                return try results[1].first.map { try $0["link"] as [UInt8] == entry.link } ?? false
            }
        } catch is PostgreSQLError { throw error }
    }

    package func requireMember(_ host: Int64) throws {
        let rows = try explaining {
            try use(repeats: true) { connection in
                try connection.read(
                    ["SELECT removed_at IS NULL AS is_member FROM keyvigil.hosts WHERE host = \(host)"],
                    before: .after(patience.asking))
            }
        }
        guard try explaining({ try rows[0].first.map { try $0["is_member"] as Bool } }) == true else {
            throw StoreError.removed()
        }
    }

    /// A schema that was changed since the connection was made may be too new.
    private static func requireCompatible(_ rows: Rows) throws {
        guard let row = rows.first else { throw FleetError.noSchema }
        let known = FleetSchema.current.version
        let oldest: Int64 = try row["compatible_from"]
        guard oldest <= known else {
            throw FleetError.newerSchema(version: Int(try row["version"] as Int64), known: known)
        }
    }

    package func heartbeat(_ report: HostReport) throws -> FleetAnswer {
        let positions = JSONLine { line in
            for position in report.positions { line.add("\(position.host)", position.sequence) }
        }
        let boot = Self.bytes(ofBoot: report.boot)
        let results = try explaining {
            try use(repeats: true) { connection in
                try connection.run(
                    [
                        """
                        UPDATE keyvigil.hosts SET nonce = \(boot), version = \(version), schema = \(report.schema),
                          seen_at = clock_timestamp(),
                          fresh_until = clock_timestamp() + \(report.freshFor.milliseconds) * interval '1 millisecond',
                          positions = \(positions.line), undelivered = \(report.undelivered),
                          last_scan_at = \(report.lastScanAt?.milliseconds), policy = \(report.policy.fingerprint),
                          peppers = \(report.peppers.map { Hexadecimal.text($0.bytes[...]) }.joined(separator: ","))
                        WHERE host = \(report.host) AND removed_at IS NULL
                          AND (SELECT coalesce(pepper_fingerprint = \(report.pepper.bytes), true) FROM keyvigil.fleet)
                          AND (nonce = \(boot) OR nonce = \(Self.noBoot) OR seen_at IS NULL OR seen_at < clock_timestamp() - interval '60 seconds')
                        RETURNING coalesce(scan_done, 0) AS scan_done
                        """,
                        "SELECT removed_at IS NULL AS is_member FROM keyvigil.hosts WHERE host = \(report.host)",
                        """
                        SELECT h.host FROM keyvigil.hosts h
                        JOIN unnest(\(List(alertHosts))) WITH ORDINALITY AS named (name, position) ON named.name = h.name
                        WHERE h.removed_at IS NULL AND h.seen_at > clock_timestamp() - \(Self.silence) * interval '1 second'
                        ORDER BY named.position LIMIT 1
                        """,
                        "UPDATE keyvigil.fleet SET policy = \(report.policy.fingerprint) WHERE policy IS NULL",
                        """
                        SELECT version, compatible_from, policy, coalesce(pepper_fingerprint = \(report.pepper.bytes), true) AS is_own,
                          CASE WHEN clock_timestamp() - scan_asked_at BETWEEN interval '0' AND interval '1 day' THEN scan_request END
                            AS scan_request
                        FROM keyvigil.fleet
                        """,
                        Self.mergedPeppers,
                    ], before: .after(patience.changing))
            }
        }
        try explaining { try Self.requireCompatible(results[4]) }
        if let own = results[0].first {
            return try explaining {
                dateReporter = try results[2].first.map { try $0["host"] }
                let fleet = results[4].first
                let (done, asked): (Int64, Int64?) = (try own["scan_done"], try fleet?["scan_request"] ?? nil)
                scanRequest = asked.flatMap { $0 > done ? $0 : nil }
                let policy: String? = try fleet.flatMap { try $0["policy"] }
                return FleetAnswer(
                    policy: policy.flatMap(LifecyclePolicy.init(fingerprint:)),
                    peppers: try Self.mergedPeppers(results[5]))
            }
        }
        guard try explaining({ try results[4].first?["is_own"] ?? true }) else { throw StoreError.otherFleet() }
        let isMember = try explaining { try results[1].first.map { try $0["is_member"] as Bool } ?? false }
        throw isMember ? StoreError.otherMachine() : StoreError.removed()
    }

    package func signOff(_ host: Int64, boot: String) throws {
        try explaining {
            _ = try use(repeats: false) { connection in
                try connection.run(
                    [
                        """
                        UPDATE keyvigil.hosts SET nonce = \(Self.noBoot)
                        WHERE host = \(host) AND nonce = \(Self.bytes(ofBoot: boot))
                        """
                    ], before: .after(Patience.ending))
            }
        }
    }

    /// In the place of the boot id of a host that has ended in order.
    private static let noBoot = [UInt8](repeating: 0, count: 16)

    /// The boot id of a machine, which is a UUID, as bytes.
    static func bytes(ofBoot boot: String) -> [UInt8] {
        let digits = boot.filter { $0 != "-" }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start...].prefix(2), radix: 16)
        }
        return Array((bytes + [UInt8](repeating: 0, count: 16)).prefix(16))
    }

    package func copy(
        _ tables: [SharedTable], _ body: (SharedTable, [[SQLValue]]) throws -> Void
    ) throws -> [FeedPosition] {
        try explaining {
            try use(repeats: false) { connection in
                try connection.begin(
                    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"], before: .after(Patience.copying))
                let positions = try Self.ends(
                    connection.run([Self.endsOfFeeds], before: .after(Patience.copying))[0])
                for table in tables {
                    try Self.open(table, &connection)
                    while true {
                        let rows = try Self.fetch(table, &connection)
                        if rows.isEmpty { break }
                        try body(table, rows)
                    }
                    try Self.close(&connection)
                }
                try connection.rollBack(before: .after(Patience.copying))
                return positions
            }
        }
    }

    package func snapshot() throws -> any SharedSnapshot { try explaining { try FleetSnapshot(try open()) } }
}
