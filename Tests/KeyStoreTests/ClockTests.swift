import Foundation
import Keys
import Synchronization
import Testing

@testable import KeyStore

@Suite("A clock that was wrong")
struct WrongClockTests {
    let fixture: StoreFixture
    let machine = Machine()

    /// How long the machine has been running, as the test says.
    final class Machine: Sendable {
        private let milliseconds = Mutex<Int64>(1_000_000)

        var running: RunningTime { RunningTime(boot: "one", milliseconds: milliseconds.withLock { $0 }) }
        func run(_ period: Period) { milliseconds.withLock { $0 += period.milliseconds } }
    }

    init() throws { fixture = try StoreFixture() }

    func open(patience: Period = .zero) throws -> Store {
        let machine = self.machine
        fixture.options.runningTime = { machine.running }
        fixture.options.clockPatience = patience
        return try fixture.open()
    }

    func settle(_ store: Store, at now: Instant) throws {
        while try store.sweep(at: now, limit: 3, by: fixture.actor).isIncomplete {}
    }

    func clockAlerts(_ store: Store) throws -> [Alert] {
        try store.undeliveredAlerts(limit: 1000).map(\.alert).filter { $0.kind == .clockChanged }
    }

    @Test("days ahead for a moment: expiries, overlaps, notices and times of use are taken back, in one entry")
    func ahead() throws {
        let store = try open()
        let expiring = try fixture.create(store, "expiring") { $0.expiresAt = fixture.day(90) }
        let old = try fixture.create(store, "rotated") { $0.rotateEvery = .days(10) }
        let new = try fixture.rotate(store, "rotated", overlap: .days(1), at: fixture.start)
        let used = try fixture.create(store, "used")
        // A backlog that needs several batches.
        for number in 0..<20 {
            _ = try fixture.create(store, "many-\(number)") { $0.expiresAt = fixture.day(95) }
        }
        let wrong = fixture.day(100)
        try settle(store, at: wrong)
        try store.finishScan(of: "/srv/a", startedAt: wrong, problem: nil, reach: nil, alert: nil, at: wrong)
        #expect(try fixture.verify(store, expiring.secret, at: wrong) == .expired)
        let holder = try #require(try store.verify(StoreFixture.secret(used.secret), at: wrong).key)
        #expect(try store.noteUse(of: holder, at: wrong))

        let right = fixture.start.advanced(by: .seconds(60))
        // Verification goes by the clock as it is, at once.
        #expect(try fixture.verify(store, expiring.secret, at: right) == .valid)
        #expect(try fixture.verify(store, old.secret, at: right) == .valid)
        #expect(try store.key("expiring").status(at: right) == .active)
        try settle(store, at: right)
        #expect(try store.key("expiring").recordedStatus == .active)
        #expect(try store.key("rotated").retiresAt == fixture.day(1))
        #expect(try fixture.verify(store, new.secret, at: right) == .valid)
        let lastUse = try #require(try store.key("used").lastUsedAt)
        #expect(try store.repositories().first?.scannedAt == right)
        #expect(lastUse <= right && lastUse >= fixture.start.preceded(by: .days(1)))
        let entries = try clockAlerts(store)
        #expect(entries.count == 1)
        // What was not sent yet is not sent.
        #expect(try fixture.alerts(store) == [.clockChanged])
        let message = try #require(entries.first).message
        for part in ["21 expiries", "1 end of an overlap", "'expiring'", "1 time that lay ahead"] {
            #expect(message.contains(part), "\(message)")
        }
        #expect(try fixture.audit(store).filter { $0 == "record.taken_back" }.count == 23)
        // Nothing more, however often it is looked at; and the true dates raise their alerts when they come.
        let before = try fixture.alerts(store).count
        try settle(store, at: right.advanced(by: .seconds(5)))
        #expect(try fixture.alerts(store).count == before)
        try settle(store, at: fixture.day(2))
        #expect(try fixture.verify(store, old.secret, at: fixture.day(2)) == .notFound)
        try settle(store, at: fixture.day(91))
        let expiries = try store.undeliveredAlerts(limit: 1000).filter {
            $0.alert.kind == .keyExpired && $0.alert.fields[.keyName] == "expiring"
        }
        #expect(expiries.count == 1)
        guard case .intact = try store.checkAudit() else { throw StoreError.refused("the audit is broken", hint: "") }
    }

    @Test("a notice that was truly sent before is not sent again; those that a wrong clock ate come in their time")
    func notices() throws {
        let store = try open()
        _ = try fixture.create(store, "billing") {
            $0.expiresAt = fixture.day(100)
            $0.rotateEvery = .days(1000)
        }
        _ = try fixture.create(store, "metrics") { $0.rotateEvery = .days(30) }
        func count(_ kind: AlertKind) throws -> Int { return try fixture.alerts(store).count { $0 == kind } }
        for day in [41, 45] { try settle(store, at: fixture.day(day)) }
        #expect(try count(.keyExpiring) == 1 && count(.rotationDue) == 1 && count(.rotationOverdue) == 1)
        try settle(store, at: fixture.day(96))
        #expect(try count(.keyExpiring) == 2)
        try settle(store, at: fixture.day(45))
        #expect(try count(.keyExpiring) == 1 && count(.rotationDue) == 1 && count(.rotationOverdue) == 1)
        for day in [71, 94, 99] { try settle(store, at: fixture.day(day)) }
        #expect(try count(.keyExpiring) == 4)
        #expect(try count(.rotationDue) == 1 && count(.rotationOverdue) == 1)
    }

    @Test("the review goes on where it was after a restart, and a leak that had seemed harmless is open again")
    func restart() throws {
        var store = try open()
        for number in 0..<10 {
            _ = try fixture.create(store, "k\(number)") { $0.expiresAt = fixture.day(10) }
        }
        while try store.sweep(at: fixture.day(20), by: fixture.actor).isIncomplete {}
        let first = try store.sweep(at: fixture.day(1), limit: 4, by: fixture.actor)
        #expect(first.isIncomplete && first.review == ReviewProgress(done: 4, total: 10) && first.isClockBack)
        try store.close()
        store = try open()
        let second = try store.sweep(at: fixture.day(1), limit: 4, by: fixture.actor)
        #expect(second.review == ReviewProgress(done: 8, total: 10))
        try settle(store, at: fixture.day(1))
        #expect(try clockAlerts(store).first?.message.contains("10 expiries") == true)
        var active = 0
        try store.forEachKey(at: fixture.day(1)) { active += $0.recordedStatus == .active ? 1 : 0 }
        #expect(active == 10)
    }

    @Test("with the running time known, times are corrected by the step; after another start they lie at most now")
    func corrected() throws {
        let store = try open()
        let step = Period.days(100)
        let key = try fixture.create(store, "made", at: fixture.start.advanced(by: step)) {
            $0.expiresAt = fixture.day(400)
        }
        machine.run(.seconds(60))
        try settle(store, at: fixture.start.advanced(by: .seconds(60)))
        #expect(try store.key(key.key.id.text).createdAt == fixture.start)
    }

    @Test("a clock that is behind for a moment changes nothing; one that stays behind does")
    func moment() throws {
        let store = try open(patience: .seconds(1))
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(10) }
        try settle(store, at: fixture.day(11))
        let behind = try store.sweep(at: fixture.start, by: fixture.actor)
        #expect(behind.isClockBack && behind.awaitsClock)
        machine.run(.seconds(3600))
        try settle(store, at: fixture.day(11))
        #expect(try fixture.alerts(store) == [.keyExpired])
        #expect(try store.sweep(at: fixture.start, by: fixture.actor).awaitsClock)
        machine.run(.seconds(2))
        #expect(try !store.sweep(at: fixture.start, by: fixture.actor).awaitsClock)
        #expect(try fixture.alerts(store) == [.clockChanged])
        #expect(try store.key("billing").recordedStatus == .active)
    }

    @Test("a clock that shows less than it can records nothing")
    func impossible() throws {
        fixture.options.earliest = fixture.start
        let store = try open()
        let key = try fixture.create(store, "billing", at: fixture.start) { $0.expiresAt = fixture.day(1) }
        try settle(store, at: fixture.day(2))
        let early = fixture.start.preceded(by: .days(400))
        let result = try store.sweep(at: early, by: fixture.actor)
        #expect(result.isClockImpossible && result.alerts == 0)
        #expect(try store.key("billing").recordedStatus == .expired)
        let found = try store.verify(StoreFixture.secret(key.secret), at: early)
        #expect(found.code == .valid)
        #expect(try !store.noteUse(of: try #require(found.key), at: early))
        #expect(try store.key("billing").lastUsedAt == nil)
    }
}
