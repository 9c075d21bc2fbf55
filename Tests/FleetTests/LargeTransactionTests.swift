import Glibc
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@testable import Fleet

/// A transaction of many rows, which is sent to the database while the host makes it.
@Suite("Large transactions", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct LargeTransactionTests {
    private static let count = 2_500
    private let server: TestServer
    private let fleet: FleetFixture
    private let end: Instant

    init() throws {
        server = try TestServer()
        try server.makeLogins()
        fleet = try FleetFixture(hosts: 2, on: server)
        end = fleet.start.advanced(by: .days(1))
        try fleet.importKeys(Self.count, on: 1, expiresAt: end)
        try fleet[2].store.catchUp()
    }

    private static let expiredKeys: Statement = "SELECT count(*) FROM keyvigil.keys WHERE status = 'expired'"
    private static let lockedKeys: Statement = """
        WITH free AS MATERIALIZED (SELECT 1 FROM keyvigil.keys FOR UPDATE SKIP LOCKED)
        SELECT (SELECT count(*) FROM keyvigil.keys) - (SELECT count(*) FROM free) AS count
        """

    private func sweep(on number: Int) throws -> Int {
        try fleet[number].store.ledger.sweep(at: end, limit: Self.count, by: fleet.actor).keys
    }

    /// Whether all keys are expired in the database and on both hosts, each with one event and one alert.
    private func requireExpired(revoked: Int = 0) throws {
        for number in 1...2 {
            #expect(try fleet[number].store.differingTables() == [])
            #expect(try fleet[number].audit().filter { $0 == "key.expired" }.count == Self.count - revoked)
            guard case .intact = try fleet[number].store.checkAudit() else {
                Issue.record("the audit is damaged")
                return
            }
        }
        let expired = try fleet.number(Self.expiredKeys)
        #expect(expired == Int64(Self.count - revoked))
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.alerts WHERE kind = 'key.expired'") == expired)
    }

    @Test("it is there whole, on all hosts, and was under way before its end")
    func whole() throws {
        let (server, database) = (server, fleet.database)
        let visible = Mutex<Int64?>(nil)
        fleet[1].faults.afterNextPart {
            // The database works on it: a key is locked that is not expired for others.
            let end = ContinuousClock.now + .seconds(30)
            var connection = try server.connect(database)
            func number(_ statement: Statement) throws -> Int64 {
                try connection.read([statement], before: soon)[0][0]["count"]
            }
            while try number(Self.lockedKeys) == 0, .now < end { sched_yield() }
            let expired = try number(Self.expiredKeys)
            visible.withLock { $0 = expired }
        }
        #expect(try sweep(on: 1) == Self.count)
        try fleet[2].store.catchUp()
        #expect(visible.withLock(\.self) == 0)
        try requireExpired()
    }

    @Test("where another host was first with one of its rows, it is made again on what is there")
    func conflict() throws {
        let (first, second, actor, start) = (fleet[1], fleet[2], fleet.actor, fleet.start)
        // The first question is for the time, the second begins the transaction.
        first.faults.duringNextAnswer {
            first.faults.duringNextAnswer {
                _ = try second.store.ledger.revoke("key7", reason: nil, at: start, by: actor)
            }
        }
        let attempts = Mutex(0)
        fleet[1].faults.afterNextPart { attempts.withLock { $0 += 1 } }
        #expect(try sweep(on: 1) == Self.count - 1)
        #expect(attempts.withLock(\.self) == 1)
        try fleet[2].store.catchUp()
        #expect(try fleet.status("key7", on: 1) == .revoked)
        try requireExpired(revoked: 1)
    }

    @Test("nothing of it is left where the connection is lost before its end")
    func lost() throws {
        let server = server
        fleet[1].faults.afterNextPart { try server.crash() }
        #expect(try storeError { _ = try sweep(on: 1) }?.code == .unreachable)
        try server.startAgain()
        #expect(try fleet.number(Self.expiredKeys) == 0)
        #expect(try fleet.status("key7", on: 1) == .active)
        #expect(try onceReached { try sweep(on: 2) } == Self.count)
        _ = try onceReached { try fleet[1].store.catchUp() }
        try requireExpired()
    }

    @Test("nothing of it is left where the host fails before its end, and others need not wait for it")
    func abandoned() throws {
        struct Failure: Error {}
        fleet[1].faults.afterNextPart { throw Failure() }
        #expect(throws: Failure.self) { try sweep(on: 1) }
        #expect(try sweep(on: 2) == Self.count)
        #expect(try sweep(on: 1) == 0)
        try requireExpired()
    }

    @Test("a host that is stopped in it holds no rows for long")
    func stopped() throws {
        let (second, end, actor) = (fleet[2], end, fleet.actor)
        let swept = Mutex(0)
        // The database ends a transaction of which it hears nothing for five seconds.
        fleet[1].faults.afterNextPart {
            let count = try second.store.ledger.sweep(at: end, limit: Self.count, by: actor).keys
            swept.withLock { $0 = count }
        }
        // This host makes it again, on what the other one has done.
        #expect(try sweep(on: 1) == 0)
        #expect(swept.withLock(\.self) == Self.count)
        try requireExpired()
    }
}
