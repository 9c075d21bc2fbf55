import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite("Statements", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct StatementTests {
    let server: TestServer

    init() throws { server = try TestServer.shared.get() }

    @Test("values come back as they were sent, of each type, null and empty ones too")
    func values() throws {
        var connection = try server.connect()
        let bytes: [UInt8] = [0, 1, 255, 0]
        let text = "caf\u{E9} 'quoted'; DROP TABLE keys; -- $1"
        for number in [Int64.min, -1, 0, 1, .max] {
            let row = try connection.read(
                [
                    """
                    SELECT \(number) AS number, \(text) AS text, \("") AS nothing, \(bytes) AS bytes, \(true) AS yes, \(false) AS no,
                      \(Int64?.none) AS no_number, \(String?.none) AS no_text, \([UInt8]?.none) AS no_bytes,
                      (-2)::int2 AS small, (-70000)::int4 AS medium, current_user AS me
                    """
                ], before: soon)[0][0]
            #expect(try row["number"] == number)
            #expect(try row["text"] == text && row["nothing"] == "" && row["bytes"] == bytes)
            #expect(try row["yes"] == true && row["no"] == false && row["me"] == "keyvigil")
            #expect(try row["no_number"] == Int64?.none && row["no_text"] == String?.none)
            #expect(try row["no_bytes"] == [UInt8]?.none && row["small"] == Int64(-2) && row["medium"] == Int64(-70000))
            #expect(throws: PostgreSQLError.unexpectedType(column: "text")) { try row["text"] as Int64 }
            #expect(throws: PostgreSQLError.unexpectedType(column: "no_text")) { try row["no_text"] as String }
        }
    }

    @Test("a list is a table of many rows, with nulls, and empty")
    func lists() throws {
        var connection = try server.connect()
        let results = try connection.read(
            [
                "SELECT a, b, c FROM unnest(\(List([1, nil, 3 as Int64?])), \(List(["x", "", "z"])), \(List([[UInt8](), [7], [8, 9]]))) AS t (a, b, c)",
                "SELECT a FROM unnest(\(List([Int64]()))) AS t (a)",
            ], before: soon)
        #expect(try results[0].map { try $0["a"] as Int64? } == [1, nil, 3])
        #expect(try results[0].map { try $0["b"] as String } == ["x", "", "z"])
        #expect(try results[0].map { try $0["c"] as [UInt8] } == [[], [7], [8, 9]])
        #expect(results[1].count == 0)
    }

    @Test("the statements of one call are one transaction; after one that fails the connection goes on")
    func oneTransaction() throws {
        var connection = try server.connect()
        try connection.run(["CREATE TEMP TABLE t (n int8 PRIMARY KEY)"], before: soon)
        try connection.run(["INSERT INTO t VALUES (\(1))", "INSERT INTO t VALUES (\(2))"], before: soon)
        for _ in 0..<2 {
            let error = #expect(throws: PostgreSQLError.self) {
                try connection.run(
                    ["INSERT INTO t VALUES (\(3))", "INSERT INTO t VALUES (\(1))", "INSERT INTO t VALUES (\(4))"],
                    before: soon)
            }
            guard case .failed("23505", let message, "t_pkey") = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            // The server's details say which value it was.
            #expect(message.contains("unique") && !message.contains("(1)"))
        }
        let count: Int64? = try connection.read(["SELECT count(*) AS n FROM t"], before: soon)[0].first?["n"]
        #expect(count == 2)
    }

    @Test("a transaction is committed whole, or rolled back")
    func transactions() throws {
        var connection = try server.connect()
        try connection.run(["CREATE TEMP TABLE t (n int8)"], before: soon)
        let begun = try connection.begin(["INSERT INTO t VALUES (\(1))", "SELECT count(*) AS n FROM t"], before: soon)
        #expect(try begun.count == 2 && begun[0].affected == 1 && begun[1][0]["n"] == Int64(1))
        try connection.run(["INSERT INTO t VALUES (\(2))"], before: soon)
        #expect(try connection.commit(["INSERT INTO t VALUES (\(3))"], before: soon).count == 1)
        try connection.begin(["INSERT INTO t VALUES (\(4))"], before: soon)
        #expect(throws: PostgreSQLError.self) { try connection.run(["SELECT 1/0"], before: soon) }
        try connection.rollBack(before: soon)
        try connection.begin(["DELETE FROM t"], before: soon)
        try connection.rollBack(before: soon)
        let sum = try connection.read(["SELECT sum(n)::int8 AS n FROM t"], before: soon)[0][0]["n"] as Int64
        #expect(sum == 6)
    }

    @Test("what is sent ahead is done before the next statements, in their transaction; what fails in it fails them")
    func sentAhead() throws {
        var connection = try server.connect()
        try connection.run(["CREATE TEMP TABLE t (n int8 PRIMARY KEY)"], before: soon)
        for number in 1...3 { try connection.send(["INSERT INTO t VALUES (\(number))", "SELECT n FROM t"]) }
        let results = try connection.run(["SELECT count(*) AS n FROM t"], before: soon)
        #expect(try results.count == 1 && results[0][0]["n"] == Int64(3))
        // The next part fails, and the one after it is passed over.
        for number in [4, 1, 5] { try connection.send(["INSERT INTO t VALUES (\(number))"]) }
        let error = #expect(throws: PostgreSQLError.self) {
            try connection.commit(["INSERT INTO t VALUES (\(6))"], before: soon)
        }
        guard case .failed("23505", _, "t_pkey") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: PostgreSQLError.self) { try connection.read(["SELECT n FROM t"], before: soon) }
    }

    @Test(
        "what is sent ahead, however much, is committed with the rest, and not at all where the connection ends before")
    func sentAheadAndEnded() throws {
        var observer = try server.connect()
        try observer.run(["CREATE TABLE ahead (n int8, text text)"], before: soon)
        func count() throws -> Int64 { try observer.read(["SELECT count(*) AS n FROM ahead"], before: soon)[0][0]["n"] }
        // More than the socket holds.
        let text = String(repeating: "x", count: 100_000)
        do {
            var lost = try server.connect()
            for number in 1...50 { try lost.send(["INSERT INTO ahead VALUES (\(number), \(text))"]) }
        }
        var connection = try server.connect()
        for number in 1...50 { try connection.send(["INSERT INTO ahead VALUES (\(number), \(text))"]) }
        #expect(try count() == 0)
        try connection.commit(["INSERT INTO ahead VALUES (\(0), \(text))"], before: soon)
        #expect(try count() == 51)
        // It is used as before.
        try connection.run(["DROP TABLE ahead"], before: soon)
    }

    @Test("many statements with large values and results in one call do not block each other")
    func large() throws {
        var connection = try server.connect()
        let text = String(repeating: "x", count: 100_000)
        // The server answers the first ones with little, and so reads on; then it sends more than the socket holds.
        let statements: [Statement] =
            (0..<200).map { "SELECT length(\(text))::int8 + \($0 as Int) AS n" }
            + (0..<200).map { "SELECT repeat('y', 100000 + \($0 as Int)::int4) AS text" }
        let results = try connection.read(statements, before: soon)
        #expect(try results.prefix(200).map { try $0[0]["n"] as Int64 } == (100_000..<100_200).map { $0 })
        #expect(
            try results.suffix(200).map { try ($0[0]["text"] as String).utf8.count } == (100_000..<100_200).map { $0 })
    }

    @Test("a connection that ends is closed on the server")
    func closed() throws {
        var first = try server.connect()
        let backend = try {
            var other = try server.connect()
            return try other.read(["SELECT pg_backend_pid()::int8 AS pid"], before: soon)[0][0]["pid"] as Int64
        }()
        let end = ContinuousClock.now + .seconds(30)
        while true {
            try #require(.now < end, "the server still has the connection")
            let left =
                try first.read(
                    ["SELECT count(*) AS n FROM pg_stat_activity WHERE pid = \(backend)"], before: soon)[0][0]["n"]
                as Int64
            if left == 0 { break }
        }
    }
}

@Suite("Connections that fail", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FailureTests {
    let server: TestServer

    init() throws { server = try TestServer.shared.get() }

    /// The process of the server that serves a connection.
    func backend(_ connection: inout Connection) throws -> pid_t {
        pid_t(try connection.read(["SELECT pg_backend_pid()::int8 AS pid"], before: soon)[0][0]["pid"] as Int64)
    }

    enum Fault: CaseIterable {
        case ended, stopped
    }

    @Test(
        "lost before the commit nothing is changed; lost during the commit the outcome is unknown",
        arguments: Fault.allCases)
    func lost(_ fault: Fault) throws {
        for commits in [false, true] {
            var connection = try server.connect()
            let backend = try backend(&connection)
            try connection.begin(["SELECT 1"], before: soon)
            #expect(kill(backend, fault == .ended ? SIGTERM : SIGSTOP) == 0)
            defer { if fault == .stopped { kill(backend, SIGCONT) } }
            let error = #expect(throws: PostgreSQLError.self) {
                // A stopped process answers nothing, however long one waits.
                let deadline = fault == .ended ? soon : Deadline.after(.milliseconds(50))
                if commits {
                    try connection.commit(before: deadline)
                } else {
                    try connection.run(["SELECT 2"], before: deadline)
                }
            }
            switch error {
            case .lost: #expect(!commits)
            case .unknownOutcome: #expect(commits)
            default: Issue.record("\(String(describing: error))")
            }
            let isUsable = connection.isUsable
            #expect(!isUsable)
            #expect(throws: PostgreSQLError.self) { try connection.read(["SELECT 1"], before: soon) }
        }
    }

    @Test("a commit that no synchronous standby has, and that someone cancels, is of unknown outcome")
    func cancelledCommit() throws {
        let own = try TestServer()
        try own.run("CREATE TABLE t (n int8)")
        var connection = try own.connect()
        let backend = Int64(try backend(&connection))
        try own.run("ALTER SYSTEM SET synchronous_standby_names = 'absent'", "SELECT pg_reload_conf()")
        let end = ContinuousClock.now + .seconds(30)
        let canceller = Thread {
            guard var other = try? own.connect() else { return }
            while .now < end {
                let waits: Bool? = try? other.read(
                    [
                        "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep' AS waits FROM pg_stat_activity WHERE pid = \(backend)"
                    ],
                    before: soon
                )[0].first?["waits"]
                guard waits == true else { continue }
                _ = try? other.read(["SELECT pg_cancel_backend(\(backend)::int4)"], before: soon)
                return
            }
        }
        canceller.start()
        var error: PostgreSQLError?
        // The server takes the setting into use when it comes to it.
        while error == nil, .now < end {
            do throws(PostgreSQLError) {
                try connection.begin(["INSERT INTO t VALUES (1)"], before: soon)
                try connection.commit(before: soon)
            } catch let caught { error = caught }
        }
        guard case .unknownOutcome = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let isUsable = connection.isUsable
        #expect(!isUsable)
    }

    @Test("an address without a server says which was tried, and ends in time")
    func unreachable() throws {
        let error = #expect(throws: PostgreSQLError.self) {
            _ = try Connection.open(Address("host=/nonexistent,/missing user=keyvigil dbname=postgres"), before: soon)
        }
        guard case .unreachable(let reasons) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reasons.count == 2 && reasons[0].contains("/nonexistent") && reasons[1].contains("/missing"))
    }

    @Test("an address must let servers prove their names, and holds no password")
    func addresses() throws {
        for text in [
            "postgresql://kv:hunter2@db.example.org/keyvigil", "host=db.example.org password=hunter2",
            "hunter2 is no address",
            "postgresql://db.example.org/kv?sslmode=require", "postgresql://db.example.org/kv?sslmode=disable",
            "host=/run/postgresql,db.example.org sslmode=prefer", "host=a,b port=1,2,3",
            "host=a hostaddr=10.0.0.1,10.0.0.2",
        ] {
            let error = #expect(throws: PostgreSQLError.self) { try Address(text) }
            guard case .invalidAddress(let reason) = error else {
                Issue.record("\(text): \(String(describing: error))")
                continue
            }
            #expect(!reason.contains("hunter2"))
        }
        for text in [
            "postgresql://kv@db1.example.org,db2.example.org:6432/keyvigil?sslrootcert=/etc/keyvigil/ca.pem",
            "postgresql:///keyvigil?host=/run/postgresql", "host=/run/postgresql sslmode=disable",
            "hostaddr=10.0.0.1 host=db.example.org",
        ] { _ = try Address(text) }
    }
}
