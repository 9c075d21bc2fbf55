internal import KeyStore
package import Keys
internal import PostgreSQL

extension FleetAuthority {
    /// The members, by their names, and what the clock of the database shows.
    package func hosts() throws -> (hosts: [FleetHost], now: Instant) {
        try explaining {
            try use(repeats: true) { connection in
                let results = try connection.read(
                    [
                        "SELECT host, seq FROM keyvigil.feeds",
                        """
                        SELECT host, name, version, positions, coalesce(undelivered, 0) AS undelivered, last_scan_at, policy, peppers,
                          scan_sources, scan_heard, scan_done, scan_began_at, scan_ended_at, scan_places,
                          (extract(epoch FROM joined_at) * 1000)::bigint AS joined_at,
                          (extract(epoch FROM seen_at) * 1000)::bigint AS seen_at,
                          (extract(epoch FROM fresh_until) * 1000)::bigint AS fresh_until
                        FROM keyvigil.hosts WHERE removed_at IS NULL ORDER BY name
                        """,
                        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now",
                        Self.mergedPeppers,
                    ], before: .after(patience.asking))
                let merged = try Self.mergedPeppers(results[3])
                let ends = try results[0].map { (host: try $0["host"] as Int64, sequence: try $0["seq"] as Int64) }
                let hosts = try results[1].map { row in
                    let positions = Self.positions(try row["positions"])
                    let peppers = try (row["peppers"] as String?).map(Self.fingerprints)
                    func instant(_ name: String) throws -> Instant? {
                        try (row[name] as Int64?).map { Instant(milliseconds: $0) }
                    }
                    return FleetHost(
                        number: try row["host"], name: try row["name"], version: try row["version"],
                        joinedAt: try instant("joined_at") ?? .earliest, seenAt: try instant("seen_at"),
                        freshUntil: try instant("fresh_until"), positions: positions,
                        lag: ends.reduce(0) { $0 + max(0, $1.sequence - (positions[$1.host] ?? 0)) },
                        undelivered: try row["undelivered"], lastScanAt: try instant("last_scan_at"),
                        policy: (try row["policy"] as String?).flatMap(LifecyclePolicy.init(fingerprint:)),
                        peppers: peppers,
                        missingPeppers: merged.filter { !(peppers?.contains($0.fingerprint) ?? false) },
                        scan: try Self.scan(row))
                }
                let now = try results[2].first.map { Instant(milliseconds: try $0["now"]) }
                return (hosts, now ?? .earliest)
            }
        }
    }

    /// Reads what a host has said of its positions: `{"HOST":SEQ}`.
    private static func positions(_ text: String?) -> [Int64: Int64] {
        var positions: [Int64: Int64] = [:]
        for pair in (text ?? "").split(separator: ",") {
            let numbers = pair.split { !$0.isNumber }.compactMap { Int64($0) }
            if numbers.count == 2 { positions[numbers[0]] = numbers[1] }
        }
        return positions
    }

    private static func fingerprints(_ text: String) -> Set<SecretHash> {
        Set(text.split(separator: ",").compactMap { Hexadecimal.bytes($0.utf8) }.map(SecretHash.init))
    }

    /// The policy by which the fleet makes due dates; nil: no host has given one, or this version does not know it.
    package func policy() throws -> LifecyclePolicy? {
        try explaining {
            try use(repeats: true) { connection in
                let rows = try connection.read(["SELECT policy FROM keyvigil.fleet"], before: .after(patience.asking))
                return try rows[0].first.flatMap {
                    try ($0["policy"] as String?).flatMap(LifecyclePolicy.init(fingerprint:))
                }
            }
        }
    }

    /// Sets the policy by which the fleet makes due dates. The daemons of the hosts hear of it.
    package func setPolicy(_ policy: LifecyclePolicy) throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(
                    ["UPDATE keyvigil.fleet SET policy = \(policy.fingerprint)", "NOTIFY keyvigil_waiting"],
                    before: .after(patience.changing))
            }
        }
    }

    /// What a host says when it joins.
    package struct Registration: Sendable {
        package let name: String
        /// Names the machine: 16 bytes.
        package let machine: [UInt8]
        /// The boot id of the machine.
        package let boot: String
        package let version: String
        package let schema: Int64
        package let pepper: SecretHash

        package init(name: String, machine: [UInt8], boot: String, version: String, schema: Int64, pepper: SecretHash) {
            self.name = name
            self.machine = machine
            self.boot = boot
            self.version = version
            self.schema = schema
            self.pepper = pepper
        }
    }

    /// Makes this host a member; one that is a member already, on this machine and under this name, keeps its number.
    ///
    /// - Returns: its number.
    package func register(_ registration: Registration) throws -> Int64 {
        try explaining {
            do {
                return try use(repeats: false) { connection in
                    try register(registration, &connection)
                }
            } catch PostgreSQLError.failed("23505", _, _) {
                throw StoreError.nameTaken(registration.name)
            } catch PostgreSQLError.failed("KV403", _, _) {
                throw StoreError.otherPepper()
            }
        }
    }

    private func register(_ host: Registration, _ connection: inout Connection) throws -> Int64 {
        let boot = Self.bytes(ofBoot: host.boot)
        let known = try connection.read(
            [
                """
                SELECT host FROM keyvigil.hosts
                WHERE name = \(host.name) AND machine = \(host.machine) AND login = session_user AND removed_at IS NULL
                """
            ], before: .after(patience.asking))
        if let row = known[0].first { return try row["host"] }
        try connection.begin(
            [
                "UPDATE keyvigil.fleet SET pepper_fingerprint = \(host.pepper.bytes)",
                """
                INSERT INTO keyvigil.hosts (name, machine, nonce, version, schema)
                VALUES (\(host.name), \(host.machine), \(boot), \(host.version), \(host.schema))
                """,
            ], before: .after(patience.changing))
        let rows = try connection.run(["SELECT keyvigil.own_host() AS host"], before: .after(patience.asking))
        guard let row = rows[0].first else { throw PostgreSQLError.lost("the database did not give the host a number") }
        let number: Int64 = try row["host"]
        try connection.commit(
            [
                """
                INSERT INTO keyvigil.feeds (host, seq, clock, head) VALUES (\(number), 0, 0, \(FeedPosition.start))
                """
            ], before: .after(patience.changing))
        return number
    }
}
