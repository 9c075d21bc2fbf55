import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("Incidents")
struct IncidentTests {
    let fixture: StoreFixture
    let store: Store
    let key: Key
    let secret: String

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
        let end = fixture.day(300)
        (key, secret) = try fixture.create(store, "billing") {
            $0.owner = "ana"
            $0.expiresAt = end
        }
    }

    private func sighting(
        _ path: String, of secret: Int64 = 1, isConfirmed: Bool = true, committed: String? = "2027-01-16T00:00:00+01:00"
    ) -> Sighting {
        Sighting(
            prefixID: secret, secretID: isConfirmed ? secret : nil, source: "blob", object: "0123abcd", path: path,
            line: 3, column: 7, commit: committed == nil ? nil : "beef", author: "Eve", authoredAt: committed,
            isInHead: true, objectCount: 1, place: "path:\(path)")
    }

    @discardableResult
    private func see(
        _ sightings: [Sighting], in repository: String = "/srv/shop.git", onLeak: LeakAnswer = .alert, day: Int = 1
    ) throws -> Int {
        var tally = ScanTally(mostListed: 500)
        return try fixture.ledger(store).remember(
            sightings, searched: [], in: repository, greatestSecret: 1, onLeak: onLeak, tally: &tally,
            at: fixture.day(day), by: fixture.actor)
    }

    private var incidents: [Incident] {
        get throws {
            var found: [Incident] = []
            try store.forEachIncident(at: fixture.day(9)) { found.append($0) }
            return found
        }
    }

    private func leaks() throws -> [Alert] { try fixture.outbox(store).filter { $0.kind == .leakConfirmed } }

    @Test("one secret in many places is one critical alert, with their number and the first five")
    func together() throws {
        #expect(try see((1...26).map { sighting("f\($0).py") }) == 26)
        let alerts = try leaks()
        #expect(alerts.count == 1 && alerts[0].priority == .critical)
        #expect(alerts[0].fields[.findings] == "26" && alerts[0].fields[.incident] == "1")
        for path in ["f1.py:3", "25 more places", "f2.py:3", "f5.py:3; …", "keyvigil rotate \(key.id)"] {
            #expect(alerts[0].message.contains(path), "\(alerts[0].message)")
        }
        #expect(!alerts[0].message.contains("f6.py"))
        let incident = try #require(try incidents.first)
        #expect(incident.places == 26 && incident.openPlaces == 26 && incident.isOpen)
    }

    @Test("later places are added quietly; another secret of the key is another incident")
    func later() throws {
        try see([sighting("a.py")])
        try see([sighting("b.py"), sighting("c.py")], in: "/srv/other.git", day: 2)
        // What is known is no news.
        #expect(try see([sighting("b.py")], in: "/srv/other.git", day: 2) == 0)
        let alerts = try leaks()
        #expect(alerts.map(\.priority) == [.critical, .notice])
        #expect(alerts[1].message.hasPrefix("incident 1 goes on: "), "\(alerts[1].message)")
        #expect(alerts[1].message.contains("/srv/other.git, b.py:3") && alerts[1].message.contains("1 more place: "))
        _ = try fixture.rotate(store, "billing", at: fixture.day(3))
        try see([sighting("a.py", of: 2)], day: 4)
        #expect(try leaks().map(\.priority) == [.critical, .notice, .critical])
        #expect(try incidents.map(\.isOpen) == [false, true])
        #expect(
            try leaks().map { $0.message.contains("an earlier secret of the key was found") } == [false, false, true])
    }

    @Test("an alert names new places alone: neither those that are known, nor expected ones")
    func newPlaces() throws {
        try see([sighting("a.py")])
        var expected = sighting("env")
        expected.expectedID = 1
        // The known one is refreshed after an hour.
        try see([expected, sighting("a.py"), sighting("b.py")], day: 2)
        let alert = try #require(try leaks().last)
        #expect(alert.fields[.findings] == "1" && alert.message.contains("b.py:3"), "\(alert.message)")
        #expect(!alert.message.contains("more place") && !alert.message.contains("env"), "\(alert.message)")
    }

    @Test("a leak for which the key is revoked says so with full priority, and counts all places as resolved")
    func answered() throws {
        try see([sighting("a.py"), sighting("b.py")], onLeak: .revoke)
        let alerts = try fixture.outbox(store)
        #expect(alerts.map(\.kind) == [.leakConfirmed, .leakResolved])
        #expect(alerts[0].priority == .critical && alerts[0].message.contains("revoked at once"))
        #expect(alerts[1].message.contains("2 places") && alerts[1].fields[.incident] == "1")
        let incident = try #require(try incidents.first)
        #expect(!incident.isOpen && incident.timeToResolve == .zero)
    }

    @Test("it closes when the secret is dead, and opens again when the secret lives and is somewhere")
    func life() throws {
        try see([sighting("a.py")])
        _ = try fixture.ledger(store).revoke("billing", reason: nil, at: fixture.day(3), by: fixture.actor)
        let closed = try #require(try incidents.first)
        #expect(closed.resolvedAt == fixture.day(3) && closed.timeToResolve == .days(2) && closed.closeReason == nil)
        // The secret is dead: one more place opens nothing.
        try see([sighting("b.py")], day: 4)
        #expect(try incidents.map(\.isOpen) == [false] && leaks().map(\.priority) == [.critical, .notice])
    }

    @Test("a person closes it by dismissing its places; a new place opens it again, with full priority")
    func closed() throws {
        try see([sighting("a.py"), sighting("b.py")])
        #expect(
            try fixture.ledger(store).closeIncident(1, reason: "a drill", at: fixture.day(2), by: fixture.actor) == 2)
        let closed = try #require(try incidents.first)
        #expect(closed.closeReason == "a drill" && closed.openPlaces == 0 && closed.places == 2)
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).closeIncident(1, reason: "again", at: fixture.day(2), by: fixture.actor)
        }
        try see([sighting("a.py")], day: 3)
        #expect(try incidents.map(\.isOpen) == [false])
        try see([sighting("new.py")], day: 4)
        let again = try #require(try incidents.first)
        #expect(again.isOpen && again.closeReason == nil && again.openedAt == fixture.day(4))
        #expect(again.detectedAt == fixture.day(1))
        #expect(try leaks().map(\.priority) == [.critical, .critical])
        // One place after the other is the same.
        try fixture.ledger(store).dismissFinding(3, reason: "a drill, too", at: fixture.day(5), by: fixture.actor)
        #expect(try incidents.map(\.closeReason) == ["a drill, too"])
    }

    @Test("the commit's date counts, but neither one before the secret was made nor one in the future")
    func introduced() throws {
        func introduction(_ committed: String?, by late: Period = .zero) throws -> Incident {
            let fixture = try StoreFixture()
            let store = try fixture.open()
            _ = try fixture.create(store, "billing", at: fixture.start.advanced(by: late))
            var tally = ScanTally(mostListed: 5)
            _ = try fixture.ledger(store).remember(
                [sighting("a.py", committed: committed)], searched: [], in: "/srv/a", greatestSecret: 1, tally: &tally,
                at: fixture.day(1), by: fixture.actor)
            return try store.incident(1, at: fixture.day(1))
        }
        // The store begins on 2027-01-15 at 08:00.
        let usual = try introduction("2027-01-15T12:00:00+02:00")
        #expect(usual.introducedAt?.description == "2027-01-15T10:00:00Z" && usual.backdatedTo == nil)
        #expect(usual.timeToDetect == .seconds(22 * 3600))
        let backdated = try introduction("2020-01-01T00:00:00Z")
        #expect(backdated.introducedAt == fixture.start && backdated.backdatedTo?.description == "2020-01-01T00:00:00Z")
        // Git's dates are whole seconds: the secret was made within the one of the commit.
        let same = try introduction(fixture.start.description, by: Period(milliseconds: 900))
        #expect(same.backdatedTo == nil && same.introducedAt == fixture.start.advanced(by: Period(milliseconds: 900)))
        #expect(
            try introduction(fixture.start.description, by: Period(milliseconds: 1000)).backdatedTo == fixture.start)
        let ahead = try introduction("2031-01-01T00:00:00Z")
        #expect(ahead.introducedAt == fixture.day(1) && ahead.timeToDetect == .zero)
        for unknown in [nil, "yesterday"] { #expect(try introduction(unknown).introducedAt == nil) }
        // The earliest of several places.
        try see([sighting("a.py", committed: nil)])
        try see([sighting("b.py", committed: "2027-01-15T20:00:00Z")])
        try see([sighting("c.py", committed: "2027-01-15T18:00:00Z")])
        try see([sighting("d.py", committed: "2027-01-15T19:00:00Z")])
        #expect(try incidents.map { $0.introducedAt?.description } == ["2027-01-15T18:00:00Z"])
    }

    @Test("a leaked secret that is accepted is reported once an hour; one that has not leaked, or is refused, never")
    func used() throws {
        func use(_ secret: String, hour: Int) throws -> Bool {
            let now = fixture.day(1).advanced(by: .seconds(hour * 3600))
            let found = try store.verify(StoreFixture.secret(secret), at: now)
            guard found.code == .valid, let holder = found.key else { return false }
            return try fixture.ledger(store).noteExposedUse(of: holder, from: "10.0.0.7", at: now)
        }
        #expect(try !use(secret, hour: 0))
        try see([sighting("a.py", isConfirmed: false)])
        #expect(try !use(secret, hour: 0))
        try see([sighting("a.py")])
        #expect(try use(secret, hour: 0) && !use(secret, hour: 0) && use(secret, hour: 1) && !use(secret, hour: 1))
        let alerts = try fixture.outbox(store).filter { $0.kind == .secretUsedAfterExposure }
        #expect(alerts.count == 2 && alerts[0].priority == .critical && alerts[0].fields[.incident] == "1")
        #expect(alerts[0].message.contains("from 10.0.0.7") && alerts[0].message.contains("1 place (incident 1)"))
        let incident = try #require(try incidents.first)
        #expect(incident.usedAt == fixture.day(1).advanced(by: .seconds(3600)) && incident.usedFrom == "10.0.0.7")
        let (_, successor) = try fixture.rotate(store, "billing", at: fixture.day(2))
        #expect(try !use(successor, hour: 30) && !use(secret, hour: 30))
    }

    @Test("who works on it, and notes, are in its history and in the audit")
    func people() throws {
        try see([sighting("a.py")])
        try fixture.ledger(store).assignIncident(1, to: "bob", at: fixture.day(2), by: fixture.actor)
        try fixture.ledger(store).noteIncident(1, "asked the team", at: fixture.day(2), by: fixture.actor)
        _ = try fixture.rotate(store, "billing", at: fixture.day(3))
        let events = try store.history(ofIncident: 1)
        #expect(events.map(\.action) == [.keyCreated, .incidentAssigned, .incidentNoted, .keyRotated])
        #expect(events[1].text == "bob" && events[2].text == "asked the team")
        var filter = Store.IncidentFilter()
        for (owner, count) in [("bob", 1), ("ana", 0)] {
            filter.owner = owner
            var found = 0
            try store.forEachIncident(filter, at: fixture.day(3)) { _ in found += 1 }
            #expect(found == count)
        }
        for number in [0, 2] as [Int64] {
            let error = #expect(throws: StoreError.self) {
                try fixture.ledger(store).assignIncident(number, to: "bob", at: fixture.day(2), by: fixture.actor)
            }
            #expect(error?.message == "there is no incident \(number)")
        }
        guard case .intact = try store.checkAudit() else { throw StoreError.refused("the audit", hint: "") }
    }

    @Test("the history of an incident has the dismissals of its places, and of no others")
    func dismissals() throws {
        try see([sighting("a.py"), sighting("b.py"), sighting("c.py", isConfirmed: false)])
        for (finding, reason) in [(1, "a test"), (3, "a mention")] as [(Int64, String)] {
            try fixture.ledger(store).dismissFinding(finding, reason: reason, at: fixture.day(2), by: fixture.actor)
        }
        let events = try store.history(ofIncident: 1)
        #expect(events.map(\.action) == [.keyCreated, .findingDismissed])
        #expect(events[1].finding == 1 && events[1].text == "a test")
    }

    @Test("who is to rotate a key, or loses it, learns where it is")
    func stale() throws {
        try see((1...5).map { sighting("f\($0).py", isConfirmed: $0 == 4) }, day: 290)
        while try fixture.ledger(store).sweep(at: fixture.day(299), by: fixture.actor).isIncomplete {}
        let notice = try #require(try fixture.outbox(store).last { $0.kind == .keyExpiring })
        #expect(
            notice.message.hasSuffix(
                "; it is in 5 places: /srv/shop.git, f4.py:3 by Eve; /srv/shop.git, f1.py:3 by Eve; /srv/shop.git, f2.py:3 "
                    + "by Eve; …"), "\(notice.message)")
    }

    @Test("percentiles are values that occurred")
    func percentiles() {
        var times = Percentiles()
        #expect(times[50] == nil)
        for days in [5, 1, 3, 2, 4] { times.add(.days(days)) }
        #expect([1, 20, 50, 90, 100].map { times[$0] } == [1, 1, 3, 5, 5].map { .days($0) })
    }
}
