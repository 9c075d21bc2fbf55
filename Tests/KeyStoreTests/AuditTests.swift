import Keys
import Testing

@testable import KeyStore

@Suite("The audit")
struct AuditTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
        for name in ["a", "b", "c"] { _ = try fixture.create(store, name) }
        _ = try fixture.ledger(store).revoke("a", reason: "left", at: fixture.day(1), by: fixture.actor)
    }

    @Test("an untouched chain is intact")
    func intact() throws {
        #expect(try store.checkAudit() == .intact(events: 4))
        #expect(try fixture.audit(store) == ["key.created", "key.created", "key.created", "key.revoked"])
    }

    @Test(
        "any change, removal or reordering is found, and where", .ofStoresAlone,
        arguments: [
            ("UPDATE audit_events SET uid = 1000 WHERE event_id = 2", Int64?(2)),
            ("UPDATE audit_events SET details = '{}' WHERE event_id = 4", 4),
            ("UPDATE audit_events SET at = at + 1 WHERE event_id = 1", 1),
            ("UPDATE audit_events SET key_id = 'key_other' WHERE event_id = 3", 3),
            ("UPDATE audit_events SET key_row = NULL WHERE event_id = 3", 3),
            ("DELETE FROM audit_events WHERE event_id = 2", 3),
            ("DELETE FROM audit_events WHERE event_id = 4", nil),
            ("DELETE FROM audit_events WHERE event_id = 4; UPDATE audit_chains SET audit_count = 3", nil),
            ("UPDATE audit_events SET event_id = 10 WHERE event_id = 2", 3),
            ("DELETE FROM audit_events", nil),
            ("UPDATE audit_events SET event_id = event_id + 100", 101),
        ])
    func tampering(sql: String, event: Int64?) throws {
        try store.write { try $0.script(sql) }
        guard case .broken(let at, _, _) = try store.checkAudit() else {
            Issue.record("the tampering was not found")
            return
        }
        #expect(at == event)
    }

    @Test("what was cut off the end shows for good: no later event seals the chain again", .ofStoresAlone)
    func cut() throws {
        let cut = """
            DELETE FROM audit_events WHERE event_id > 2;
            UPDATE audit_chains SET audit_count = 2, audit_head = (SELECT link FROM audit_events WHERE event_id = 2)
            """
        try store.write { try $0.script(cut) }
        _ = try fixture.create(store, "d")
        // Also where the store was opened with its witness, which has seen the events.
        let again = try fixture.open()
        _ = try fixture.create(again, "e")
        #expect(
            try again.checkAudit() == .broken(at: nil, host: nil, reason: "events were removed from the end"))
    }
}
