import KeyStore
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite(
    "What the roles of a fleet may do",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct RoleTests {
    /// A fleet with two hosts, which sign in as `web1` and `web2`, and one that only verifies, `check1`; and a login that is none's.
    private static let fleet = Result {
        let server = try TestServer()
        var owner = try server.connect()
        _ = try FleetSchema.current.migrate(&owner, before: soon)
        for login in ["web1", "web2", "check1", "other"] {
            try owner.run([Statement(stringLiteral: "CREATE ROLE \(login) LOGIN")], before: soon)
        }
        try owner.run(["GRANT keyvigil_host TO web1, web2", "GRANT keyvigil_verifier TO check1"], before: soon)
        for login in ["web1", "web2", "check1"] {
            var connection = try server.connect(role: login)
            try connection.run(
                [
                    """
                    INSERT INTO keyvigil.hosts (name, machine, nonce, version, schema)
                    VALUES (\(login), \([UInt8](repeating: 1, count: 16)), \([UInt8](repeating: 2, count: 16)), 'v', 1)
                    """
                ], before: soon)
        }
        return server
    }

    let server: TestServer

    init() throws { server = try Self.fleet.get() }

    /// The number of a host.
    func number(_ login: String) throws -> Int64 {
        var connection = try server.connect()
        return try connection.read(
            ["SELECT host FROM keyvigil.hosts WHERE login = \(login)"], before: soon)[0][0]["host"]
    }

    /// Runs statements as a login in one transaction, which is rolled back.
    ///
    /// - Returns: the rows that the last one changed, or the SQLSTATE.
    func attempt(_ login: String, _ statements: Statement...) throws -> Outcome {
        do { return .rows(try changedRows(login, statements)) } catch PostgreSQLError.failed(let state, _, _) {
            return .refused(state)
        }
    }

    private func changedRows(_ login: String, _ statements: [Statement]) throws -> Int {
        var connection = try server.connect(role: login)
        let results = try connection.begin(statements, before: soon)
        // References are checked at the end.
        try connection.run(["SET CONSTRAINTS ALL IMMEDIATE"], before: soon)
        try connection.rollBack(before: soon)
        return results.last?.affected ?? 0
    }

    enum Outcome: Equatable {
        case rows(Int)
        /// The SQLSTATE: 42501 is insufficient_privilege, also where a policy is violated.
        case refused(String)
    }

    static let hash = [UInt8](repeating: 7, count: 32)

    func event(_ id: Int64) -> Statement {
        """
        INSERT INTO keyvigil.audit_events (event_id, at, uid, program, action, key_id, details, link, key_row)
        VALUES (\(id), 1, 0, 'test', 'key.created', NULL, '{}', \(Self.hash), NULL)
        """
    }

    func key(_ row: Int64) -> Statement {
        """
        INSERT INTO keyvigil.keys (key_row, id, kind, name, issuer, environment, permissions, role, status, created_at,
          generation, rotation_notice, unused_notice_sent, origin)
        VALUES (\(row), \("k\(row)"), 'api_key', \("key \(row)"), 'keyvigil', 'live', '*', 'member', 'active', 1, 1, 'none', 0,
          'issued')
        """
    }

    func secret(_ id: Int64, of key: Int64) -> Statement {
        """
        INSERT INTO keyvigil.secrets (secret_id, key_row, generation, state, prefix, hash_form, origin, made_at)
        VALUES (\(id), \(key), 1, 'current', 'kv_live_', 'secret', 'created', 1)
        """
    }

    func alert(_ id: String, takenBy host: Int64?) -> Statement {
        """
        INSERT INTO keyvigil.alerts (alert_id, taken_by, kind, priority, message, fields, created_at)
        VALUES (\(id), \(host), 'key.expired', 4, 'm', '{}', 1)
        """
    }

    @Test("a host writes its own chain, its own feed and its own row, and no other's")
    func ownRows() throws {
        let (own, other) = (try number("web1"), try number("web2"))
        #expect(own != other)
        #expect(try attempt("web1", event(own << 40 | 1)) == .rows(1))
        #expect(try attempt("web1", event(other << 40 | 1)) == .refused("42501"))
        #expect(try attempt("web1", event(1)) == .refused("42501"))
        func chain(_ host: Int64) -> Statement {
            """
            INSERT INTO keyvigil.audit_chains (host, name, audit_count, audit_head, audit_seal, clock)
            VALUES (\(host), 'n', 1, \(Self.hash), \(Self.hash), 1)
            """
        }
        #expect(try attempt("web1", chain(own), "UPDATE keyvigil.audit_chains SET audit_count = 2") == .rows(1))
        #expect(try attempt("web1", chain(other)) == .refused("42501"))
        func feed(_ host: Int64) -> Statement {
            "INSERT INTO keyvigil.feeds (host, seq, clock, head) VALUES (\(host), 1, 1, \(Self.hash))"
        }
        #expect(try attempt("web1", feed(own), "UPDATE keyvigil.feeds SET seq = 2") == .rows(1))
        #expect(try attempt("web1", feed(other)) == .refused("42501"))
        func entry(_ host: Int64) -> Statement {
            """
            INSERT INTO keyvigil.changes (host, seq, clock, schema, at, payload, link)
            VALUES (\(host), 1, 1, 1, 1, \([UInt8]()), \(Self.hash))
            """
        }
        #expect(try attempt("web1", entry(own)) == .rows(1))
        #expect(try attempt("web1", entry(other)) == .refused("42501"))

        #expect(try attempt("web1", "UPDATE keyvigil.hosts SET seen_at = now()") == .rows(1))
        #expect(try attempt("web1", "UPDATE keyvigil.hosts SET seen_at = now() WHERE host = \(other)") == .rows(0))
        for column in ["host = 9", "name = 'x'", "login = 'web2'", "joined_at = now()", "removed_at = now()"] {
            let statement = Statement(stringLiteral: "UPDATE keyvigil.hosts SET \(column)")
            #expect(try attempt("web1", statement) == .refused(column == "host = 9" ? "428C9" : "42501"), "\(column)")
        }
        #expect(try attempt("web1", "DELETE FROM keyvigil.hosts") == .refused("42501"))
        let scan: Statement = "UPDATE keyvigil.hosts SET scan_heard = 1, scan_done = 1"
        #expect(try attempt("web1", scan) == .rows(1) && attempt("check1", scan) == .rows(1))
        let request: Statement = "UPDATE keyvigil.fleet SET scan_request = 1, scan_asked_at = now()"
        #expect(try attempt("web1", request) == .rows(1) && attempt("check1", request) == .refused("42501"))
        // Neither another's login nor a second membership.
        #expect(
            try attempt(
                "web1",
                """
                INSERT INTO keyvigil.hosts (name, login, machine, nonce, version, schema)
                VALUES ('web9', 'other', '\\x00'::bytea, '\\x00'::bytea, 'v', 1)
                """) == .refused("42501"))
        let id = [UInt8](repeating: 3, count: 16)
        #expect(
            try attempt(
                "web1",
                "INSERT INTO keyvigil.hosts (name, machine, nonce, version, schema) VALUES ('web9', \(id), \(id), 'v', 1)"
            )
                == .refused("23505"))
    }

    @Test("no host changes or removes an event, an entry, a key or a secret for good")
    func history() throws {
        let own = try number("web1")
        #expect(
            try attempt("web1", event(own << 40 | 1), "UPDATE keyvigil.audit_events SET uid = 1") == .refused("42501"))
        for table in ["audit_events", "audit_chains", "changes", "feeds", "keys", "secrets", "rotations", "fleet"] {
            #expect(
                try attempt("web1", Statement(stringLiteral: "DELETE FROM keyvigil.\(table)")) == .refused("42501"),
                "\(table)")
            #expect(
                try attempt("web1", Statement(stringLiteral: "TRUNCATE keyvigil.\(table)")) == .refused("42501"),
                "\(table)")
        }
        for change in [
            "UPDATE keyvigil.changes SET clock = 2", "UPDATE keyvigil.keys SET id = 'x'",
            "UPDATE keyvigil.keys SET key_row = 2",
            "UPDATE keyvigil.keys SET origin = 'held'", "UPDATE keyvigil.secrets SET secret_id = 2",
            "UPDATE keyvigil.secrets SET key_row = 2", "UPDATE keyvigil.secrets SET prefix = 'x'",
            "UPDATE keyvigil.feeds SET host = 2", "UPDATE keyvigil.fleet SET version = 2",
            "UPDATE keyvigil.fleet SET fleet_id = ''", "UPDATE keyvigil.alerts SET message = ''",
            "CREATE TABLE keyvigil.more (n bigint)", "ALTER TABLE keyvigil.keys ADD COLUMN more bigint",
            "ALTER TABLE keyvigil.changes DISABLE ROW LEVEL SECURITY", "SET ROLE keyvigil",
        ] {
            #expect(try attempt("web1", Statement(stringLiteral: change)) == .refused("42501"), "\(change)")
        }
    }

    @Test("a host makes and changes keys and secrets; a secret without its key is refused at the end")
    func keys() throws {
        #expect(
            try attempt(
                "web1", secret(1, of: 1), key(1), "UPDATE keyvigil.keys SET status = 'revoked', revoked_at = 2",
                "UPDATE keyvigil.secrets SET state = 'retired', retired_at = 2") == .rows(1))
        #expect(try attempt("web1", secret(1, of: 1)) == .refused("23503"))
        #expect(
            try attempt(
                "web1", key(1), secret(1, of: 1),
                """
                INSERT INTO keyvigil.expected_places (expected_id, key_row, path, added_at, added_by)
                VALUES (1, 1, 'web1:/etc/a', 1, 'ana')
                """, "DELETE FROM keyvigil.expected_places") == .rows(1))
        #expect(try attempt("web1", "SELECT keyvigil.must(true)", "SELECT keyvigil.must(false)") == .refused("KV409"))
        #expect(try attempt("web1", "SELECT keyvigil.must(NULL)") == .refused("KV409"))
    }

    @Test("the pepper of a fleet is set once")
    func pepper() throws {
        let (first, second) = (Self.hash, [UInt8](repeating: 8, count: 32))
        func set(_ pepper: [UInt8]) -> Statement { "UPDATE keyvigil.fleet SET pepper_fingerprint = \(pepper)" }
        #expect(try attempt("web1", set(first), set(first), "UPDATE keyvigil.fleet SET policy = 'p'") == .rows(1))
        #expect(try attempt("web1", set(first), set(second)) == .refused("KV403"))
        #expect(
            try attempt("web1", set(first), "UPDATE keyvigil.fleet SET pepper_fingerprint = NULL") == .refused("KV403"))
    }

    @Test("an alert is taken by one host, which removes it when it is delivered")
    func alerts() throws {
        let (own, other) = (try number("web1"), try number("web2"))
        func take(_ host: Int64?) -> Statement { "UPDATE keyvigil.alerts SET taken_by = \(host), taken_at = now()" }
        #expect(try attempt("web1", alert("a", takenBy: own)) == .rows(1))
        #expect(try attempt("web1", alert("a", takenBy: other)) == .refused("42501"))
        #expect(try attempt("web1", alert("a", takenBy: nil), take(own), take(own)) == .rows(1))
        #expect(try attempt("web1", alert("a", takenBy: nil), take(other)) == .refused("42501"))
        #expect(try attempt("web1", alert("a", takenBy: own), take(nil)) == .refused("42501"))
        #expect(try attempt("web1", alert("a", takenBy: own), "DELETE FROM keyvigil.alerts") == .rows(0))
        #expect(
            try attempt(
                "web1", alert("a", takenBy: own), "UPDATE keyvigil.alerts SET delivered_at = now()",
                "DELETE FROM keyvigil.alerts") == .rows(1))
        // What another has taken is its own.
        try server.run(alert("taken", takenBy: other))
        #expect(
            try attempt("web1", "UPDATE keyvigil.alerts SET taken_by = \(own) WHERE alert_id = 'taken'") == .rows(0))
        #expect(
            try attempt("web2", "UPDATE keyvigil.alerts SET delivered_at = now() WHERE alert_id = 'taken'") == .rows(1))
    }

    @Test("old entries are removed by a function alone, and never the last one of a feed")
    func trimming() throws {
        let own = try number("web2")
        let old: Int64 = 1
        try server.run("INSERT INTO keyvigil.feeds (host, seq, clock, head) VALUES (\(own), 4, 4, \(Self.hash))")
        for (seq, at) in [(Int64(1), old), (2, old), (3, 4_000_000_000_000), (4, old)] {
            try server.run(
                """
                INSERT INTO keyvigil.changes (host, seq, clock, schema, at, payload, link)
                VALUES (\(own), \(seq), \(seq), 1, \(at), \([UInt8]()), \(Self.hash))
                """)
        }
        var connection = try server.connect(role: "web1")
        let removed = try connection.run(["SELECT keyvigil.trim_changes(30) AS n"], before: soon)[0][0]["n"] as Int64
        #expect(removed == 2)
        let rest = try connection.read(
            ["SELECT seq FROM keyvigil.changes WHERE host = \(own) ORDER BY seq"], before: soon)[0]
        #expect(try rest.map { try $0["seq"] as Int64 } == [3, 4])
        #expect(try attempt("web1", "SELECT keyvigil.trim_changes(0)") == .refused("22023"))
        #expect(try attempt("check1", "SELECT keyvigil.trim_changes(30)") == .refused("42501"))
    }

    @Test("a host that was removed writes no more of its own")
    func removed() throws {
        var owner = try server.connect()
        try owner.run(["CREATE ROLE gone LOGIN", "GRANT keyvigil_host TO gone"], before: soon)
        let id = [UInt8](repeating: 3, count: 16)
        var connection = try server.connect(role: "gone")
        let number =
            try connection.run(
                [
                    """
                    INSERT INTO keyvigil.hosts (name, machine, nonce, version, schema)
                    VALUES ('gone', \(id), \(id), 'v', 1) RETURNING host
                    """
                ], before: soon)[0][0]["host"] as Int64
        #expect(try attempt("gone", event(number << 40 | 1)) == .rows(1))
        try owner.run(["UPDATE keyvigil.hosts SET removed_at = now() WHERE host = \(number)"], before: soon)
        #expect(try attempt("gone", event(number << 40 | 1)) == .refused("42501"))
        #expect(try attempt("gone", "UPDATE keyvigil.hosts SET seen_at = now()") == .rows(0))
        #expect(try attempt("gone", alert("a", takenBy: nil)) == .refused("42501"))
    }

    @Test("a host ends its own membership by a function, and that of no other")
    func leaving() throws {
        let leave: Statement = "SELECT keyvigil.leave()"
        let own: Statement = "UPDATE keyvigil.hosts SET seen_at = now()"
        #expect(try attempt("web1", own) == .rows(1))
        #expect(try attempt("web1", leave, own) == .rows(0))
        #expect(try attempt("other", leave) == .refused("42501"))
        #expect(try attempt("web2", own) == .rows(1))
    }

    @Test("operators of the caller's own do not make a host another one")
    func ownOperators() throws {
        let (own, other) = (try number("web1"), try number("web2"))
        try server.run("CREATE SCHEMA mine", "GRANT ALL ON SCHEMA mine TO web1")
        #expect(
            try attempt(
                "web1",
                "CREATE FUNCTION mine.always(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text OPERATOR(pg_catalog.=) ''web2'''",
                "CREATE OPERATOR mine.= (FUNCTION = mine.always, LEFTARG = name, RIGHTARG = name)",
                "SET LOCAL search_path = mine, pg_catalog", event(other << 40 | 1)) == .refused("42501"))
        #expect(try attempt("web1", "SET LOCAL search_path = mine, pg_catalog", event(own << 40 | 1)) == .rows(1))
    }

    @Test("a host that only verifies reads, and says how it is")
    func verifier() throws {
        for table in SharedTable.names + ["fleet", "hosts", "feeds", "changes"] {
            let read = Statement(stringLiteral: "SELECT * FROM keyvigil.\(table) WHERE false")
            #expect(try attempt("check1", read) == .rows(0), "\(table)")
            #expect(try attempt("other", read) == .refused("42501"), "\(table)")
            let change = Statement(stringLiteral: "DELETE FROM keyvigil.\(table)")
            #expect(try attempt("check1", change) == .refused("42501"), "\(table)")
        }
        #expect(try attempt("check1", "UPDATE keyvigil.hosts SET seen_at = now(), positions = '{}'") == .rows(1))
        #expect(try attempt("check1", key(1)) == .refused("42501"))
        #expect(try attempt("check1", event(try number("check1") << 40 | 1)) == .refused("42501"))
        #expect(try attempt("check1", alert("a", takenBy: nil)) == .refused("42501"))
        #expect(try attempt("check1", "SELECT * FROM keyvigil.alerts") == .refused("42501"))
    }
}
