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

    @Test("alerts come out in order, whole, and not again once they are delivered")
    func order() throws {
        for number in 0..<5 {
            try store.enqueue(
                Alert(
                    kind: .scanFinished, priority: .info, message: "m\(number) \"quoted\"\nand more",
                    fields: [.path: "a\u{7}b", .line: "\(number)"]), at: fixture.start)
        }
        let batch = try store.undeliveredAlerts(limit: 3)
        #expect(batch.map { $0.alert.fields[.line] } == ["0", "1", "2"])
        #expect(batch[0].alert.message == "m0 \"quoted\"\nand more" && batch[0].alert.fields[.path] == "a\u{7}b")
        #expect(batch[0].attemptedAt == nil)
        #expect(Set(batch.map(\.id)).count == 3)
        try store.markAttempted(batch, at: fixture.day(1))
        #expect(try store.undeliveredAlerts(limit: 1)[0].attemptedAt == fixture.day(1))
        try store.markDelivered(Array(batch.dropFirst()), at: fixture.day(2))
        #expect(try store.undeliveredAlerts(limit: 9).map { $0.alert.fields[.line] } == ["0", "3", "4"])
        #expect(try store.undeliveredAlertCount() == 3)
    }

    @Test("delivered alerts can be forgotten, undelivered ones never are")
    func prune() throws {
        for _ in 0..<3 {
            try store.enqueue(Alert(kind: .scanFailed, priority: .warning, message: "m"), at: fixture.start)
        }
        try store.markDelivered(Array(store.undeliveredAlerts(limit: 2)), at: fixture.day(1))
        try store.pruneAlerts(deliveredBefore: fixture.day(5))
        var left = 0
        try store.forEachAlert(since: nil, kind: nil, keyID: nil) { _, _ in left += 1 }
        #expect(left == 1)
        #expect(try store.undeliveredAlertCount() == 1)
    }
}
