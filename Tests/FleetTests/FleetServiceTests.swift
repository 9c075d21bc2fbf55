import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@testable import Fleet
@testable import Keyvigil

@Suite(
    "The service of a member of a fleet",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetServiceTests {
    /// A service whose clock a test sets, and whose attempts it can wait for.
    private final class Service: Sendable {
        private let service: FleetService
        private let time: TestTime
        private let failures: EventLog<StoreError.Code>

        init(of member: FleetFixture.Member, at start: Instant) {
            let (time, failures) = (TestTime(), EventLog<StoreError.Code>())
            self.time = time
            self.failures = failures
            service = FleetService(
                store: member.store, database: member.authority, failed: { failures.add($0.code) }, recovered: {},
                alerted: {}, sources: 0, scan: { _ in }, now: { start }, uptime: { time.milliseconds }, jitter: { 0.5 })
            service.start()
        }

        deinit { service.halt() }

        /// Lets it say once more that the host lives, waits until that has failed, and returns why.
        func fail() throws -> StoreError.Code {
            let count = failures.count
            service.rearm(sources: 0)
            let code = try failures.next(after: count)
            service.queue.sync {}
            return code
        }

        func beat() { service.rearm(sources: 0) }

        func advance(by period: Period) { time.advance(by: period) }
    }

    @Test("a copy of a machine reports once, after two minutes, that another one is the host, and verifies nothing")
    func duplicate() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[1].store.confirm()
        let copy = try FleetFixture.Member(1, copyOf: fleet[1], in: fleet)
        let service = Service(of: copy, at: fleet.start)
        #expect(try service.fail() == .duplicate)
        service.advance(by: .seconds(119))
        for _ in 0..<8 { #expect(try service.fail() == .duplicate) }
        #expect(try copy.outbox()["host.duplicate"] == nil)
        // The machine lives.
        try fleet[1].store.confirm()
        service.advance(by: .seconds(1))
        let end = ContinuousClock.now + .seconds(300)
        while try copy.outbox()["host.duplicate"] == nil {
            try #require(.now < end, "it is not reported")
            #expect(try service.fail() == .duplicate)
        }
        service.advance(by: .seconds(600))
        for _ in 0..<8 { #expect(try service.fail() == .duplicate) }
        #expect(try copy.outbox()["host.duplicate"] == 1)
        copy.wait(.seconds(900))
        #expect(
            try storeError { _ = try copy.store.verify(FleetFixture.secret(secret), at: fleet.start) }?.code
                == .duplicate)
        #expect(try fleet.verify(secret, on: 1) == .valid)
        #expect(try fleet[1].outbox()["host.duplicate"] == nil)
    }

    @Test(
        "after a failover the service listens to the new primary, also where the former one hangs with its connections")
    func listensToNewPrimary() throws {
        let first = try TestServer()
        try first.makeLogins()
        let second = try TestServer(copyOf: first)
        var patience = FleetAuthority.Patience()
        (patience.connecting, patience.asking, patience.changing) = (.seconds(4), .seconds(2), .seconds(2))
        let fleet = try FleetFixture(
            hosts: 1, on: first, by: [first, second].map(\.directory.path).joined(separator: ","), patience: patience)
        let listening: Statement =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'host1' AND query LIKE 'LISTEN%'"
        // On a machine that is busy a call can exceed the patience, and is made again; the deadline only ends a test that has failed.
        func wait(_ server: TestServer, for statement: Statement) throws {
            let end = ContinuousClock.now + .seconds(300)
            while true {
                var owner = try server.connect(server === first ? fleet.database : "postgres")
                if try owner.read([statement], before: soon)[0][0]["count"] as Int64 > 0 { return }
                try #require(.now < end, "it did not come: \(statement.text)")
            }
        }
        let service = Service(of: fleet[1], at: fleet.start)
        try wait(first, for: listening)
        try wait(
            first,
            for: "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()")
        try first.pause()
        defer { try? first.resume() }
        try second.promote()
        // The call that is under way fails; the next one finds the other server.
        service.beat()
        try wait(second, for: listening)
    }
}

/// A clock that a test sets.
private final class TestTime: Sendable {
    private let time = Mutex<Int64>(0)

    var milliseconds: Int64 { time.withLock(\.self) }

    func advance(by period: Period) { time.withLock { $0 += period.milliseconds } }
}

/// What has happened, for those who wait for more.
private final class EventLog<Event: Sendable>: Sendable {
    private let events = Mutex<[Event]>([])
    private let added = DispatchSemaphore(value: 0)

    func add(_ event: Event) {
        events.withLock { $0.append(event) }
        added.signal()
    }

    var count: Int { events.withLock(\.count) }

    /// Waits for the event after the first `count`. The deadline only ends a test that has failed.
    func next(after count: Int) throws -> Event {
        while true {
            if let event = events.withLock({ $0.count > count ? $0[count] : nil }) { return event }
            try #require(added.wait(timeout: .now() + 300) == .success, "nothing more has happened")
        }
    }
}
