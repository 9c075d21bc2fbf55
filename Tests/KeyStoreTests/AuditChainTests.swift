import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("The audit of several hosts", .ofStoresAlone)
struct AuditChainTests {
    let fixture: StoreFixture
    let store: Store

    /// A store that was of no fleet when `old` was made; then two hosts wrote to it.
    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
        _ = try fixture.create(store, "old")
        try become(2, "web2")
        _ = try fixture.create(store, "billing", at: fixture.day(2))
        try become(3, "web3")
        // The clock of this host is a day behind.
        _ = try fixture.ledger(store).rename("billing", to: "payments", at: fixture.day(1), by: fixture.actor)
        try become(2, "web2")
        _ = try fixture.ledger(store).rename("payments", to: "invoices", at: fixture.day(3), by: fixture.actor)
    }

    /// Makes the store that of a host.
    func become(_ number: Int64, _ name: String) throws {
        let host = try #require(HostIdentity(number: number, name: name))
        try store.write { db in
            try AuditChains.begin(host, db, pepper: fixture.pepper)
            try db.run("UPDATE store SET host = \(number)")
        }
    }

    func events() throws -> [AuditEvent] {
        var events: [AuditEvent] = []
        try store.forEachAuditEvent { events.append($0) }
        return events
    }

    @Test("each host has a chain of its own, and events from before the fleet keep their numbers")
    func numbers() throws {
        #expect(try store.checkAudit() == .intact(events: 4))
        let events = try events()
        #expect(events.map(\.id) == [1, 3 << 40 | 1, 2 << 40 | 1, 2 << 40 | 2])
        #expect(events.map(\.host) == ["", "web3", "web2", "web2"])
        #expect(events.map { AuditEvent.index(ofEvent: $0.id) } == [1, 1, 1, 2])
    }

    @Test("a host whose clock is behind does not make the audit differ from the keys")
    func skew() throws {
        _ = try fixture.ledger(store).rename("invoices", to: "billing", at: fixture.day(0), by: fixture.actor)
        #expect(try store.checkAudit() == .intact(events: 5))
        let clocks: [Int64] = try store.read { try $0.all("SELECT ifnull(clock, 0) FROM audit_events ORDER BY clock") }
        #expect(clocks == [0, 1, 2, 3, 4])
    }

    /// A change of the store, and which event of whose chain it breaks.
    struct Tampering: Sendable {
        let sql: String
        let event: Int64?
        let host: String?

        init(_ sql: String, _ event: Int64?, _ host: String?) {
            self.sql = sql
            self.event = event
            self.host = host
        }
    }

    static let first2: Int64 = 2 << 40 | 1
    static let second2: Int64 = 2 << 40 | 2
    static let first3: Int64 = 3 << 40 | 1

    static let tamperings: [Tampering] = [
        Tampering("UPDATE audit_events SET uid = 1000 WHERE event_id = 1", 1, ""),
        Tampering("UPDATE audit_events SET at = at + 1 WHERE event_id = \(first2)", first2, "web2"),
        Tampering("UPDATE audit_events SET clock = 9 WHERE event_id = \(second2)", second2, "web2"),
        Tampering("UPDATE audit_events SET clock = NULL WHERE event_id = \(second2)", second2, "web2"),
        Tampering("UPDATE audit_events SET event_id = 3 << 40 | 2 WHERE event_id = \(second2)", first3 + 1, "web3"),
        Tampering("UPDATE audit_events SET event_id = 4 << 40 | 1 WHERE event_id = \(first3)", 4 << 40 | 1, nil),
        Tampering("UPDATE audit_events SET event_id = -1 WHERE event_id = 1", -1, nil),
        Tampering("DELETE FROM audit_events WHERE event_id = \(first3)", nil, "web3"),
        Tampering("DELETE FROM audit_events WHERE event_id = \(first2)", second2, "web2"),
        Tampering("UPDATE audit_chains SET clock = 8 WHERE host = 3", nil, "web3"),
        Tampering("UPDATE audit_chains SET name = 'web4' WHERE host = 3", first3, "web4"),
        Tampering("DELETE FROM audit_chains WHERE host = 3", first3, nil),
    ]

    @Test("a change of a chain is found, and whose it is", arguments: tamperings)
    func tampering(_ tampering: Tampering) throws {
        try store.write { try $0.script(tampering.sql) }
        guard case .broken(let at, let whose, _) = try store.checkAudit() else {
            Issue.record("the tampering was not found")
            return
        }
        #expect(at == tampering.event && whose == tampering.host)
    }

    @Test("the chain of one host is not taken for that of another")
    func moved() throws {
        try store.write { db in
            try db.script(
                """
                UPDATE audit_events SET event_id = 5 << 40 | 1 WHERE event_id = 3 << 40 | 1;
                UPDATE audit_chains SET host = 5 WHERE host = 3
                """)
        }
        guard case .broken(let at, _, _) = try store.checkAudit() else {
            Issue.record("the chain was taken for that of another host")
            return
        }
        let first5: Int64 = 5 << 40 | 1
        #expect(at == first5)
    }

    @Test("a store that became one of a fleet is not rolled back, and an older one in its place is")
    func witness() throws {
        try store.close()
        let kept = fixture.path + ".kept"
        let before = try StoreFixture()
        let alone = try before.open()
        let key = try before.create(alone, "leaver").key
        try alone.close()
        try FileManager.default.copyItem(atPath: before.path, toPath: kept)
        defer { try? FileManager.default.removeItem(atPath: kept) }

        let member = try before.open()
        try member.write { db in
            try AuditChains.begin(try #require(HostIdentity(number: 7, name: "web7")), db, pepper: before.pepper)
            try db.run("UPDATE store SET host = 7")
        }
        _ = try before.ledger(member).revoke(key.name, reason: nil, at: before.day(1), by: before.actor)
        #expect(try #require(member.auditEnd()).store.hasSuffix(", host 7"))
        try member.close()
        let again = try before.open()
        #expect(again.rollBack == nil)
        try again.close()

        try FileManager.default.removeItem(atPath: before.path)
        try FileManager.default.moveItem(atPath: kept, toPath: before.path)
        let older = try before.open()
        let found = try #require(older.rollBack)
        #expect(found.onHold.map(\.key.id) == [key.id] && found.onHold.map(\.reason) == [.revoked])
        try older.close()
        #expect(try before.open().rollBack == nil)
    }

    @Test("a witness of an earlier version is taken over")
    func formerWitness() throws {
        try store.close()
        let path = Witness.path(ofStore: fixture.path)
        let db = try Connection(path, .readWrite, patience: LockPatience(5))
        try db.script("ALTER TABLE mark DROP COLUMN host; UPDATE mark SET audit_count = 0, audit_head = zeroblob(32)")
        let opened = try fixture.open()
        #expect(opened.rollBack == nil)
        _ = try fixture.ledger(opened).revoke("old", reason: nil, at: fixture.day(4), by: fixture.actor)
        #expect(try db.first("SELECT host FROM mark") == Int64(2))
    }
}
