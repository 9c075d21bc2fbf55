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
        private let time = Mutex(RunningTime(boot: "one", milliseconds: 1_000_000))

        var running: RunningTime { time.withLock { $0 } }
        func run(_ period: Period) {
            time.withLock { $0 = RunningTime(boot: $0.boot, milliseconds: $0.milliseconds + period.milliseconds) }
        }
        func start() { time.withLock { $0 = RunningTime(boot: "two", milliseconds: 5_000) } }
    }

    init() throws { fixture = try StoreFixture() }

    func open(patience: Period = .zero) throws -> Store {
        let machine = self.machine
        fixture.options.runningTime = { machine.running }
        fixture.options.clockPatience = patience
        return try fixture.open()
    }

    func settle(_ store: Store, at now: Instant) throws {
        while try sweep(store, at: now, limit: 3).isIncomplete {}
    }

    func sweep(_ store: Store, at now: Instant, limit: Int) throws -> SweepResult {
        let ledger = fixture.ledger(store)
        FleetOfOne.setTime(of: ledger, to: now)
        return try ledger.sweep(at: now, limit: limit, by: fixture.actor)
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
        try fixture.ledger(store).finishScan(
            of: "/srv/a", startedAt: wrong, problem: nil, leftOut: nil, reach: nil, alert: nil, at: wrong)
        #expect(try fixture.verify(store, expiring.secret, at: wrong) == .expired)
        let holder = try #require(try store.verify(StoreFixture.secret(used.secret), at: wrong).key)
        #expect(try fixture.ledger(store).noteUse(of: holder, at: wrong))

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
        while try fixture.ledger(store).sweep(at: fixture.day(20), by: fixture.actor).isIncomplete {}
        let first = try sweep(store, at: fixture.day(1), limit: 4)
        #expect(first.isIncomplete && first.review == ReviewProgress(done: 4, total: 10) && first.isClockBack)
        try store.close()
        store = try open()
        let second = try sweep(store, at: fixture.day(1), limit: 4)
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

    @Test(
        "whatever says when something was recorded lies in the past again, also where the machine was started in between",
        arguments: [false, true])
    func everyTime(isStarted: Bool) throws {
        var store = try open()
        for name in ["rotated", "revoked", "deleted", "leaked", "dismissed", "closed"] {
            _ = try fixture.create(store, name) { $0.expiresAt = fixture.day(400) }
        }
        let wrong = fixture.day(100)
        _ = try fixture.rotate(store, "rotated", at: wrong)
        _ = try fixture.ledger(store).revoke("revoked", reason: "left", at: wrong, by: fixture.actor)
        _ = try fixture.ledger(store).delete("deleted", at: wrong, by: fixture.actor)
        var tally = ScanTally(mostListed: 500)
        for secret in 4...6 as ClosedRange<Int64> {
            let sighting = Sighting(
                prefixID: secret, secretID: secret, source: "blob", object: "0123abcd", path: "f", line: 3, column: 7,
                commit: "beef", author: "Eve", authoredAt: "2027-01-16T00:00:00+01:00", isInHead: true, objectCount: 1,
                place: "path:f")
            _ = try fixture.ledger(store).remember(
                [sighting], searched: [SearchedUnit(kind: "loose", identity: [UInt8(secret)])], in: "/srv/a",
                greatestSecret: 6, tally: &tally, at: wrong, by: fixture.actor)
        }
        try fixture.ledger(store).dismissFinding(2, reason: "an example", at: wrong, by: fixture.actor)
        _ = try fixture.ledger(store).closeIncident(3, reason: "done", at: wrong, by: fixture.actor)
        _ = try fixture.ledger(store).expect("leaked", in: ["/etc/app.env"], at: wrong, by: fixture.actor)
        let reach = ScanReach(greatestSecret: 6, head: "beef")
        try fixture.ledger(store).finishScan(
            of: "/srv/a", startedAt: wrong, problem: nil, leftOut: nil, reach: reach, alert: nil, at: wrong)
        try fixture.ledger(store).finishScan(
            of: "/srv/b", startedAt: wrong, problem: nil, leftOut: nil, reach: reach, alert: nil, at: wrong)
        _ = try fixture.ledger(store).closePlace("/srv/b", reason: "it is gone", at: wrong)
        let alerts = try store.undeliveredAlerts(limit: 1000)
        try fixture.ledger(store).markAttempted(alerts, at: wrong)
        try fixture.ledger(store).markDelivered(alerts.map(\.entry), at: wrong)
        #expect(try timesAhead(of: fixture.start).count > 15)
        if isStarted {
            try store.close()
            machine.start()
            store = try open()
        }
        let right = fixture.start.advanced(by: .seconds(60))
        try settle(store, at: right)
        _ = try fixture.ledger(store).pruneUnits(seenBefore: right, after: nil, at: right)
        #expect(try timesAhead(of: right).isEmpty)
        #expect(try clockAlerts(store).count == 1)
        #expect(try store.key("rotated").generation == 2 && store.key("leaked").openLeaks == 1)
        guard case .intact = try store.checkAudit() else { throw StoreError.refused("the audit is broken", hint: "") }
    }

    /// The columns that say when something was recorded, and say an instant that has not come.
    private func timesAhead(of now: Instant) throws -> [String] {
        let dates = ["expires_at", "retires_at", "next_due_at", "authored_at", "first_authored_at"]
        let db = try fixture.connection()
        let columns: [(table: String, column: String)] = try db.all(
            """
            SELECT m.name AS table_name, c.name AS column_name FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.name LIKE '%\\_at' ESCAPE '\\'
            """
        ) { (try $0["table_name"], try $0["column_name"]) }
        #expect(columns.count > 30)
        return try columns.filter { !dates.contains($0.column) }.filter { table, column in
            let condition = SQL(
                stringLiteral: "\(column) > \(now.advanced(by: LifecycleRules.clockTolerance).milliseconds)")
            return try db.isTrue("SELECT EXISTS (SELECT 1 FROM \(SQL(stringLiteral: table)) WHERE \(condition))")
        }.map { "\($0.table).\($0.column)" }
    }

    @Test("after a scan by a clock that was ahead, and nothing else, the scan is in the past again")
    func scanAlone() throws {
        let store = try open()
        try fixture.ledger(store).finishScan(
            of: "/srv/a", startedAt: fixture.day(9), problem: nil, leftOut: nil, reach: nil, alert: nil,
            at: fixture.day(9))
        machine.run(.seconds(60))
        let right = fixture.start.advanced(by: .seconds(60))
        try settle(store, at: right)
        #expect(try store.repositories().first?.scannedAt == fixture.start)
        #expect(try clockAlerts(store).count == 1)
    }

    @Test("a clock that is behind for a moment changes nothing; one that stays behind does")
    func moment() throws {
        let store = try open(patience: .seconds(1))
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(10) }
        try settle(store, at: fixture.day(11))
        let behind = try fixture.ledger(store).sweep(at: fixture.start, by: fixture.actor)
        #expect(behind.isClockBack && behind.awaitsClock)
        machine.run(.seconds(3600))
        try settle(store, at: fixture.day(11))
        #expect(try fixture.alerts(store) == [.keyExpired])
        #expect(try fixture.ledger(store).sweep(at: fixture.start, by: fixture.actor).awaitsClock)
        machine.run(.seconds(2))
        #expect(try !fixture.ledger(store).sweep(at: fixture.start, by: fixture.actor).awaitsClock)
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
        let result = try fixture.ledger(store).sweep(at: early, by: fixture.actor)
        #expect(result.isClockImpossible && result.alerts == 0)
        #expect(try store.key("billing").recordedStatus == .expired)
        let found = try store.verify(StoreFixture.secret(key.secret), at: early)
        #expect(found.code == .valid)
        #expect(try !fixture.ledger(store).noteUse(of: try #require(found.key), at: early))
        #expect(try store.key("billing").lastUsedAt == nil)
    }
}
