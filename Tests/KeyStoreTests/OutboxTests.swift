import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("The outbox")
struct OutboxTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    @Test("alerts come out whole, and not again once they are delivered")
    func order() throws {
        for number in 0..<5 {
            try fixture.ledger(store).enqueue(
                Alert(
                    kind: .scanFinished, priority: .info, message: "m\(number) \"quoted\"\nand more",
                    fields: [.path: "a\u{7}b", .line: "\(number)"]), at: fixture.start)
        }
        let batch = try store.undeliveredAlerts(limit: 3)
        #expect(batch.map { $0.alert.fields[.line] } == ["0", "1", "2"])
        #expect(batch[0].alert.message == "m0 \"quoted\"\nand more" && batch[0].alert.fields[.path] == "a\u{7}b")
        #expect(batch[0].attemptedAt == nil)
        #expect(Set(batch.map(\.id)).count == 3)
        try fixture.ledger(store).markAttempted(batch, at: fixture.day(1))
        #expect(try store.undeliveredAlerts(limit: 1)[0].attemptedAt == fixture.day(1))
        try fixture.ledger(store).markDelivered(batch.dropFirst().map(\.entry), at: fixture.day(2))
        #expect(try store.undeliveredAlerts(limit: 9).map { $0.alert.fields[.line] } == ["0", "3", "4"])
        #expect(try store.undeliveredAlertCount() == 3 && store.oldestUndeliveredAlert() == fixture.start)
    }

    @Test("the most urgent come first; those that were sent are asked for apart")
    func urgency() throws {
        for (number, priority) in [AlertPriority.info, .warning, .critical, .info, .critical].enumerated() {
            try fixture.ledger(store).enqueue(
                Alert(kind: .scanFinished, priority: priority, message: "m\(number)"), at: fixture.start)
        }
        let all = try store.undeliveredAlerts(limit: 9)
        #expect(all.map(\.alert.message) == ["m2", "m4", "m1", "m0", "m3"])
        try fixture.ledger(store).markAttempted(Array(all.prefix(1)), at: fixture.start)
        #expect(try store.attemptedAlerts() == [all[0].entry])
        let unsent = try store.unsentAlerts(limit: 9, priorities: [.critical, .warning])
        #expect(unsent.map(\.entry) == [all[1].entry, all[2].entry] && unsent[0].createdAt == fixture.start)
        #expect(try store.undeliveredAlerts(of: [all[4].entry, all[0].entry]).map(\.alert.message) == ["m2", "m3"])
        try fixture.ledger(store).markDelivered(all.map(\.entry), at: fixture.start)
        #expect(try store.undeliveredAlerts(of: [all[0].entry]).isEmpty && store.attemptedAlerts().isEmpty)
    }

    /// The words of the alerts of a kind, as the store has them.
    func words(_ kind: AlertKind) throws -> [String] {
        var words: [String] = []
        try store.forEachAlert(since: nil, kind: kind, keyID: nil) { alert, _ in words.append(alert.alert.message) }
        return words
    }

    @Test(
        "a change by date that is lost and made again has the same alerts, by their ids; another change has others",
        .ofStoresAlone)
    func derivedIDs() throws {
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(100) }
        _ = try fixture.create(store, "metrics") { $0.expiresAt = fixture.day(100) }
        let backup = fixture.directory.appending(path: "backup.sqlite").path
        try store.backUp(to: backup)
        func sweep(_ store: Store) throws -> [String] {
            for day in [41, 94, 100] { _ = try fixture.ledger(store).sweep(at: fixture.day(day), by: fixture.actor) }
            return try store.undeliveredAlerts(limit: 99).map(\.id).sorted()
        }
        let ids = try sweep(store)
        #expect(Set(ids).count == ids.count && ids.count >= 6)
        // The time, and what cannot be computed without the pepper.
        let expiry = try #require(ids.last)
        #expect(expiry.hasPrefix("0" + String(fixture.day(100).milliseconds, radix: 16)) && expiry.utf8.count == 32)

        fixture.options.keepsWitness = false
        let other = try Store(path: backup, pepper: fixture.pepper, now: fixture.start, options: fixture.options)
        #expect(try sweep(other) == ids)

        // The outbox has them, though the keys are as they were before: none is added.
        try other.write { db in
            try db.script(
                """
                UPDATE keys SET status = 'active', next_due_at = expires_at, version = 2, expiry_notice_sent = 604800000
                """)
        }
        #expect(try other.sweep(at: fixture.day(100), by: fixture.actor) == SweepResult(keys: 2, alerts: 0))
        #expect(try other.undeliveredAlerts(limit: 99).count == ids.count)
    }

    @Test("an alert keeps the words of its day, sent or not, whatever becomes of its key")
    func wordsOfTheDay() throws {
        for (name, isSent) in [("sent", true), ("waiting", false)] {
            let id = try fixture.create(store, name) { $0.expiresAt = fixture.day(1) }.key.id.text
            _ = try fixture.ledger(store).sweep(at: fixture.day(1), by: fixture.actor)
            if isSent { try fixture.ledger(store).markAttempted(store.undeliveredAlerts(limit: 9), at: fixture.day(1)) }
            let before = try words(.keyExpired).filter { $0.contains(name) }
            #expect(before.count == 1)
            var edit = KeyEdit()
            edit.owner = .some("ben")
            edit.expiresAt = .some(fixture.day(90))
            _ = try fixture.ledger(store).edit(id, edit, at: fixture.day(2), by: fixture.actor)
            _ = try fixture.ledger(store).rename(id, to: "payroll of \(name)", at: fixture.day(2), by: fixture.actor)
            #expect(try words(.keyExpired).contains(before[0]))
        }
        #expect(try words(.keyExpired).allSatisfy { !$0.contains("payroll") && !$0.contains("ben") })
    }
}
