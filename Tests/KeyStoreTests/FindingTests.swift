import GRDB
import Keys
import Testing

@testable import KeyStore

@Suite("Findings")
struct FindingTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    func sighting(_ secret: Int64, isConfirmed: Bool = true, place: String = "path:a.py", source: String = "blob")
        -> Sighting
    {
        Sighting(
            prefixID: secret, secretID: isConfirmed ? secret : nil, source: source, object: "0123abcd", path: "a.py",
            line: 3,
            column: 7, commit: "beef", author: "Eve <eve@example.org>", authoredAt: "2027-01-01T00:00:00Z",
            isInHead: true,
            objectCount: 1, place: place)
    }

    /// Remembers sightings as one scan does, and returns the number of new findings.
    func see(_ sightings: [Sighting], in repository: String = "/srv/shop.git") throws -> Int {
        try store.remember(
            sightings, searched: [], in: repository, greatestSecret: 1, at: fixture.day(1), by: fixture.actor)
    }

    func states() throws -> [String] {
        var states: [String] = []
        try store.forEachFinding { states.append("\($0.secretState.rawValue) \($0.status.rawValue)") }
        return states
    }

    @Test("a place is told once, however often and in however many versions it is seen")
    func once() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([sighting(1), sighting(1), sighting(1, source: "worktree")]) == 1)
        #expect(try see([sighting(1)]) == 0)
        #expect(try see([sighting(1, place: "path:b.py")]) == 1)
        #expect(try see([sighting(1)], in: "/srv/fork.git") == 1)
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakConfirmed, .leakConfirmed])
    }

    @Test("a mention is told as one; the whole secret at the same place is told besides, not the other way round")
    func mention() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([sighting(1, isConfirmed: false)]) == 1)
        #expect(try see([sighting(1)]) == 1)
        #expect(try see([sighting(1, isConfirmed: false)]) == 0)
        #expect(try fixture.alerts(store) == [.leakMention, .leakConfirmed])
        var count = 0
        try store.forEachFinding { _ in count += 1 }
        #expect(count == 1)
    }

    @Test("a live secret's leak is critical, a dead one's is a notice; both say what to do")
    func priorities() throws {
        let (key, _) = try fixture.create(store, "billing") { $0.owner = "ana" }
        _ = try fixture.create(store, "old")
        _ = try store.revoke("old", reason: nil, at: fixture.start, by: fixture.actor)
        _ = try see([sighting(1), sighting(2)])
        let alerts = try store.undeliveredAlerts(limit: 10).map(\.alert)
        #expect(alerts.map(\.priority) == [.critical, .notice])
        #expect(alerts[0].fields[.secretState] == "current" && alerts[1].fields[.secretState] == "revoked")
        #expect(alerts[0].fields[.remedy] == "keyvigil rotate \(key.id)")
        #expect(
            alerts[0].fields[.owner] == "ana" && alerts[0].fields[.line] == "3" && alerts[0].fields[.commit] == "beef")
        #expect(try states() == ["current open", "revoked resolved"])
    }

    @Test("a leak is resolved when its secret dies, told once, and open again if the key lives again")
    func resolved() throws {
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(5) }
        _ = try see([sighting(1), sighting(1, place: "path:b.py")])
        #expect(try store.key("billing").openLeaks == 2)
        _ = try store.sweep(at: fixture.day(5), by: fixture.actor)
        #expect(try states() == ["expired resolved", "expired resolved"])
        #expect(try fixture.alerts(store).filter { $0 == .leakResolved }.count == 1)
        #expect(try store.key("billing").openLeaks == 0)
        var edit = KeyEdit()
        edit.expiresAt = .some(fixture.day(50))
        _ = try store.edit("billing", edit, at: fixture.day(6), by: fixture.actor)
        #expect(try states() == ["current open", "current open"])
        _ = try fixture.rotate(store, "billing", at: fixture.day(7))
        #expect(try states() == ["retired resolved", "retired resolved"])
        #expect(try fixture.alerts(store).filter { $0 == .leakResolved }.count == 2)
    }

    @Test("a leaked secret gets no overlap, whatever was asked for")
    func noOverlapForLeaked() throws {
        let (_, secret) = try fixture.create(store, "billing")
        _ = try see([sighting(1)])
        let (key, _) = try fixture.rotate(store, "billing", overlap: .days(3), at: fixture.day(2))
        #expect(key.retiresAt == nil)
        #expect(try fixture.verify(store, secret, at: fixture.day(2)) == .notFound)
        #expect(try states() == ["retired resolved"])
    }

    @Test("a leak of a retiring secret cuts its overlap short")
    func overlapCut() throws {
        let (_, secret) = try fixture.create(store, "billing")
        _ = try fixture.rotate(store, "billing", overlap: .days(30), at: fixture.start)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .valid)
        _ = try see([sighting(1)])
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .notFound)
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakResolved])
        #expect(try fixture.audit(store) == ["key.created", "key.rotated", "secret.retired"])
        #expect(try store.key("billing").retiresAt == nil)
        #expect(try store.checkAudit() == .intact(events: 3))
    }

    @Test("a dismissed finding raises no alarm any more")
    func dismissed() throws {
        _ = try fixture.create(store, "billing")
        _ = try see([sighting(1)])
        try store.dismissFinding(1, reason: "a test fixture", at: fixture.day(1), by: fixture.actor)
        #expect(try see([sighting(1)]) == 0)
        #expect(try states() == ["current dismissed"])
        #expect(throws: StoreError.self) {
            try store.dismissFinding(9, reason: "x", at: fixture.day(1), by: fixture.actor)
        }
        #expect(try store.checkAudit() == .intact(events: 2))
    }

    @Test("what was searched need not be searched again, until a secret is imported")
    func scanMemory() throws {
        _ = try fixture.create(store, "billing")
        let pack = SearchedUnit(kind: "pack", identity: [1, 2, 3])
        let other = SearchedUnit(kind: "loose", identity: [1, 2, 3])
        let (prefixes, greatest) = try store.searchPrefixes(shortest: 8)
        #expect(prefixes.count == 1 && greatest == 1)
        _ = try store.remember(
            [], searched: [pack], in: "/srv/shop.git", greatestSecret: greatest, at: fixture.start,
            by: fixture.actor)
        #expect(try store.areSearched([pack, other]) == [true, false])
        // A secret that is made here after the pack was read cannot stand in it.
        _ = try fixture.create(store, "later")
        #expect(try store.areSearched([pack]) == [true])
        // An imported one can.
        try store.write { db in
            try db.execute(sql: "UPDATE secrets SET origin = 'imported' WHERE secret_id = 2")
        }
        #expect(try store.areSearched([pack]) == [false])
        _ = try store.remember(
            [], searched: [pack], in: "/srv/shop.git", greatestSecret: 2, at: fixture.start,
            by: fixture.actor)
        #expect(try store.areSearched([pack]) == [true])
    }

    @Test("every prefix that ever was is searched for, deleted keys' too, but none that is too short")
    func prefixes() throws {
        let (first, _) = try fixture.create(store, "a")
        let (second, _) = try fixture.rotate(store, "a", at: fixture.day(1))
        _ = try store.delete("a", at: fixture.day(2), by: fixture.actor)
        let found = try store.searchPrefixes(shortest: 8).prefixes
        #expect(Set(found.map(\.prefix)) == [first.prefix, second.prefix])
        #expect(found.allSatisfy { $0.secretLengths == [first.prefix.utf8.count + 36] })
        #expect(try store.searchPrefixes(shortest: 64).prefixes.isEmpty)
    }
}
