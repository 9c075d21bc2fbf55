import Dispatch
import Foundation
import Keys
import Synchronization
import Testing

@testable import KeyStore

@Suite("Many findings at once")
struct FloodTests {
    let fixture: StoreFixture
    let store: Store
    let place = "/srv/shop.git"

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    /// A sighting of a secret, or of its prefix alone, in a file of HEAD.
    func sighting(
        _ number: Int, of secret: Int64 = 1, isConfirmed: Bool = false, object: String = "0123abcd",
        isInHead: Bool = true
    ) -> Sighting {
        let path = "f\(number)"
        return Sighting(
            prefixID: secret, secretID: isConfirmed ? secret : nil, source: "blob", object: object, path: path,
            line: 1, column: 1, commit: "beef", author: nil, authoredAt: nil, isInHead: isInHead, objectCount: 1,
            objects: [object], place: "path:\(path)")
    }

    /// What one scan sees; returns the number of new findings.
    @discardableResult
    func scan(
        _ sightings: [Sighting], mostListed: Int = 5, in repository: String? = nil, onLeak: LeakAnswer = .alert,
        at now: Instant? = nil
    ) throws -> Int {
        let now = now ?? fixture.day(1)
        var tally = ScanTally(mostListed: mostListed)
        let new = try fixture.ledger(store).remember(
            sightings, searched: [], in: repository ?? place, greatestSecret: 1, onLeak: onLeak, tally: &tally, at: now,
            by: fixture.actor)
        _ = try fixture.ledger(store).reportUnlisted(in: repository ?? place, mostListed: mostListed, at: now)
        return new
    }

    /// What the file holds; it changes with each commit that writes something.
    var version: Int { get throws { try store.read { try $0.number(ofPragma: "data_version") } } }

    @Test("of a flood a few places are listed; the rest is counted, and reported once")
    func flood() throws {
        let (key, _) = try fixture.create(store, "billing")
        #expect(try scan((1...40).map { sighting($0) }) == 5)
        let alerts = try fixture.outbox(store)
        #expect(alerts.map(\.kind) == Array(repeating: .leakMention, count: 5) + [.leakUnlisted])
        let summary = try #require(alerts.last)
        #expect(summary.message.contains("at least 35 more places of /srv/shop.git"), "\(summary.message)")
        #expect(summary.message.contains("max_findings is 5") && summary.fields[.findings] == "35")
        #expect(summary.fields[.remedy] == "keyvigil findings --key \(key.id)" && summary.priority == .notice)
        let unlisted = try store.unlistedPlaces()
        #expect(unlisted.map(\.places) == [35] && unlisted.map(\.repository) == [place])
        #expect(unlisted.first?.grade == .mention && unlisted.first?.keyID == key.id.text)
        // More of it later raises the count, not the number of alerts.
        #expect(try scan((1...60).map { sighting($0) }, at: fixture.day(2)) == 0)
        #expect(try store.unlistedPlaces(keyID: key.id.text).map(\.places) == [55])
        #expect(try fixture.outbox(store).count == 6)
        // Another place has findings of its own.
        #expect(try scan([sighting(1)], in: "/srv/fork.git") == 1)
    }

    @Test("findings that were dismissed leave room for new ones, which are reported")
    func dismissed() throws {
        _ = try fixture.create(store, "billing")
        #expect(try scan((1...8).map { sighting($0, isConfirmed: true) }) == 5)
        for id in 1...5 as ClosedRange<Int64> {
            try fixture.ledger(store).dismissFinding(id, reason: "x", at: fixture.day(1), by: fixture.actor)
        }
        let before = try fixture.outbox(store).count
        #expect(try scan([sighting(1, isConfirmed: true)], at: fixture.day(2)) == 0)
        #expect(try scan([sighting(20, isConfirmed: true)], at: fixture.day(2)) == 1)
        #expect(try fixture.outbox(store).dropFirst(before).map(\.kind) == [.leakConfirmed])
        // What was only counted then is not looked for again.
        #expect(try !store.canListMore(in: place, mostListed: 5))
    }

    @Test("a flood of a prefix, or of an old secret, hides no secret that is in the same place")
    func hides() throws {
        _ = try fixture.create(store, "billing")
        _ = try fixture.rotate(store, "billing", at: fixture.start)
        try scan((1...40).map { sighting($0) } + (41...80).map { sighting($0, isConfirmed: true) })
        // The old secret opens nothing any more, so that its places are of no concern.
        #expect(try store.unlistedPlaces().map(\.places) == [35])
        #expect(try scan([sighting(99, of: 2, isConfirmed: true)]) == 1)
        let urgent = try #require(try store.undeliveredAlerts(limit: 1).first?.alert)
        #expect(urgent.kind == .leakConfirmed && urgent.priority == .critical && urgent.fields[.path] == "f99")
    }

    @Test("in one batch the secrets that are there are recorded before mentions, and so answered first")
    func order() throws {
        _ = try fixture.create(store, "billing")
        try scan((1...30).map { sighting($0) } + [sighting(31, isConfirmed: true)], onLeak: .revoke)
        #expect(try fixture.alerts(store).first == .leakConfirmed)
        #expect(try store.key("billing").recordedStatus == .revoked)
    }

    @Test("a scan that finds the same again writes nothing")
    func repeated() throws {
        _ = try fixture.create(store, "billing")
        let flood = (1...300).map { sighting($0, object: $0 % 2 == 0 ? "0123abcd" : "own\($0)") }
        try scan(flood, mostListed: 250)
        let before = try version
        #expect(try scan(flood, mostListed: 250, at: fixture.day(1).advanced(by: .seconds(60))) == 0)
        #expect(try version == before)
        // It is written when it has been a while, so that it can be seen when a finding was last seen.
        try scan(flood, mostListed: 250, at: fixture.day(2))
        #expect(try version != before)
        var seen: Set<Instant> = []
        try store.forEachFinding(at: fixture.day(2)) { seen.insert($0.lastSeenAt) }
        #expect(seen == [fixture.day(2)])
    }

    @Test("long work is cut into transactions by what their parts cost, none is left out, and the order stays")
    func turns() throws {
        var parts: [[Int]] = []
        try store.inTurns(Array(1...250), cost: { $0 == 200 ? 500 : 1 }) { parts.append($0) }
        #expect(parts.map(\.count) == [100, 99, 1, 50] && parts.flatMap(\.self) == Array(1...250))
        parts = []
        try store.inTurns([], cost: { $0 }) { parts.append($0) }
        #expect(parts.isEmpty)
    }

    @Test("while a flood is recorded, another program that changes a key has the store in between")
    func between() throws {
        _ = try fixture.create(store, "billing")
        _ = try fixture.create(store, "other")
        let other = try fixture.open()
        let (flood, place, ledger) = ((1...3_000).map { sighting($0) }, self.place, fixture.ledger(store))
        let (now, actor) = (fixture.day(1), fixture.actor)
        let recorded = Mutex(0)
        let finished = DispatchSemaphore(value: 0)
        let recording = Thread {
            var tally = ScanTally(mostListed: 10_000)
            let new = try? ledger.remember(
                flood, searched: [], in: place, greatestSecret: 1, tally: &tally, at: now, by: actor)
            recorded.withLock { $0 = new ?? -1 }
            finished.signal()
        }
        recording.start()
        while try other.countOpenFindings() == 0 {
            try #require(finished.wait(timeout: .now() + .milliseconds(1)) == .timedOut, "nothing was recorded")
        }
        _ = try other.revoke("other", reason: nil, at: fixture.day(1), by: fixture.actor)
        #expect(try other.countOpenFindings() < 3_000, "the revocation came after the flood")
        try #require(finished.wait(timeout: .now() + 300) == .success, "the flood did not end")
        #expect(recorded.withLock { $0 } == 3_000)
    }

    @Test("a file that was moved is found again among many findings in the same object")
    func moved() throws {
        _ = try fixture.create(store, "billing")
        #expect(try scan((1...20).map { sighting($0) }, mostListed: 100) == 20)
        // The file 7 has left HEAD, and is at another path now.
        let seven = try #require(try findings().first { $0.sighting.path == "f7" })
        try fixture.ledger(store).noteHead(
            "c0ffee", of: place,
            places: try findings().map { ($0.id, $0.id == seven.id ? nil : $0.sighting.path) })
        #expect(try scan([sighting(107)], mostListed: 100) == 0)
        let moved = try store.finding(seven.id, at: fixture.day(1))
        #expect(moved.sighting.path == "f107" && moved.first?.path == "f7" && moved.sighting.isInHead)
        // Back in a branch, under the path that was reported: no news.
        var back = sighting(7, isInHead: false)
        back.isAtTip = true
        #expect(try scan([back], mostListed: 100) == 0)
        // In another branch under a new path: a copy.
        var copy = sighting(207, isInHead: false)
        copy.isAtTip = true
        #expect(try scan([copy], mostListed: 100) == 1)
    }

    func findings() throws -> [Finding] {
        var found: [Finding] = []
        try store.forEachFinding(at: fixture.day(1)) { found.append($0) }
        return found
    }

    @Test("no statement that records a finding reads all findings of the key or of the object")
    func plans() throws {
        _ = try fixture.create(store, "billing")
        try scan((1...50).map { sighting($0) }, mostListed: 1_000)
        // The work of one more, in steps of SQLite's machine, is the same with ten times as many there.
        func steps(_ number: Int) throws -> Int {
            _ = try store.pool.withWriter { $0.takeStepCount() }
            try scan([sighting(number)], mostListed: 10_000)
            return try store.pool.withWriter { $0.takeStepCount() }
        }
        let few = try steps(1_000)
        try scan((51...600).map { sighting($0) }, mostListed: 1_000)
        let many = try steps(1_001)
        #expect(many <= few + few / 4, "\(few) steps with 50 findings, \(many) with 600")
    }
}
