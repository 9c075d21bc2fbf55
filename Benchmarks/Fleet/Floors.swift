import Fleet
import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization

/// The seconds that PostgreSQL takes to copy the rows that an import has made into tables of the same indexes.
func copyTime(of database: String) throws -> Double {
    let tables = ["keys", "secrets", "audit_events"]
    let folder = server.directory.path
    func psql(_ commands: [String]) throws {
        let arguments =
            ["-q", "-h", server.directory.path, "-U", "keyvigil", "-d", database] + commands.flatMap { ["-c", $0] }
        try server.run(program: "psql", arguments)
    }
    try psql(
        tables.flatMap {
            [
                "\\copy keyvigil.\($0) TO '\(folder)/\($0).copy' (FORMAT binary)",
                "CREATE TABLE floor_\($0) (LIKE keyvigil.\($0) INCLUDING ALL)",
            ]
        } + ["CHECKPOINT"])
    return try measure {
        try psql(tables.map { "\\copy floor_\($0) FROM '\(folder)/\($0).copy' (FORMAT binary)" })
    }
}

/// Hosts that change keys at the same time, by what a member sends for a revocation: its row, its event, its entry.
struct Writers {
    static let count = 8
    private static let changes = 200
    let database: String

    init(database: String) throws {
        self.database = database
        for host in 1...Self.count { try Self.addHost(host, to: database) }
        try run(
            """
            INSERT INTO keyvigil.keys (key_row, id, kind, name, issuer, environment, permissions, role, status, created_at,
              generation, rotation_notice, unused_notice_sent, origin)
            SELECT n, 'key_' || n, 'api_key', 'key ' || n, 'keyvigil', 'live', '*', '', 'active', 0, 1, 'none', 0, 'issued'
            FROM generate_series(1, \(2 * Self.count * Self.changes)) n
            """, in: database)
    }

    static func addHost(_ host: Int, to database: String) throws {
        try run(
            """
            INSERT INTO keyvigil.hosts (name, login, machine, nonce, version, schema)
            VALUES (\("host\(host)"), \("host\(host)")::name, decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), '', 0)
            """, in: database)
        try run(
            "INSERT INTO keyvigil.feeds SELECT max(host), 0, 0, decode(repeat('00', 32), 'hex') FROM keyvigil.hosts",
            in: database)
    }

    /// The changes that all make in a second.
    ///
    /// - Parameter ownChains: whether each has a feed of its own; else all add to the first one's.
    func rate(ownChains: Bool) throws -> Double {
        let failure = Mutex<(any Error)?>(nil)
        let seconds = measure {
            DispatchQueue.concurrentPerform(iterations: Self.count) { number in
                do {
                    var connection = try server.connect(database)
                    for change in 0..<Self.changes {
                        let host = Int64(ownChains ? number + 1 : 1)
                        let key = Int64((ownChains ? 0 : Self.count) + number) * Int64(Self.changes) + Int64(change) + 1
                        try connection.run(Self.statements(host: host, key: key), before: .after(.seconds(60)))
                    }
                } catch { failure.withLock { $0 = error } }
            }
        }
        if let error = failure.withLock(\.self) { throw error }
        return Double(Self.count * Self.changes) / seconds
    }

    private static func statements(host: Int64, key: Int64) -> [Statement] {
        let payload = [UInt8](repeating: 7, count: 600)
        return [
            """
            UPDATE keyvigil.feeds SET seq = seq + 1, clock = clock + 1 WHERE host = \(host)
            """,
            """
            INSERT INTO keyvigil.changes (host, seq, clock, schema, at, payload, link)
            SELECT host, seq, clock, 1, 0, \(payload), decode(repeat('00', 32), 'hex') FROM keyvigil.feeds WHERE host = \(host)
            """,
            "UPDATE keyvigil.keys SET status = 'revoked', revoked_at = 1, version = 1 WHERE key_row = \(key)",
            """
            INSERT INTO keyvigil.audit_events (event_id, at, uid, program, action, details, link)
            SELECT (host << 40) + seq, 0, 0, 'keyvigil revoke', 'key.revoked', '{}', decode(repeat('00', 32), 'hex')
            FROM keyvigil.feeds WHERE host = \(host)
            """,
            "NOTIFY keyvigil",
        ]
    }
}

/// The seconds that a member waits for the answer that nothing is new.
func newsTime(hosts count: Int) throws -> Double {
    let database = try server.makeFleetDatabase()
    for host in 1...count { try Writers.addHost(host, to: database) }
    try run("UPDATE keyvigil.feeds SET seq = 1", in: database)
    try run("ANALYZE", in: database)
    let positions = (1...count).map {
        FeedPosition(host: Int64($0), sequence: 1, clock: 0, head: [UInt8](repeating: 0, count: 32))
    }
    let authority = FleetAuthority(try server.address(database), password: nil, version: "benchmark")
    _ = try authority.news(after: positions)
    let rounds = 100
    let seconds = try measure { for _ in 0..<rounds { _ = try authority.news(after: positions) } }
    return seconds / Double(rounds)
}
