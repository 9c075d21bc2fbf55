import Keys
import Testing

@testable import KeyStore

@Suite("What the store forgets")
struct PruneTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    func add(_ message: String, deliveredOn day: Int?, _ kind: AlertKind = .scanFailed) throws {
        try fixture.ledger(store).enqueue(
            Alert(kind: kind, priority: .warning, message: Wording(words: message)), at: fixture.start)
        guard let day else { return }
        let alert = try #require(try store.undeliveredAlerts(limit: 100).max { $0.row < $1.row })
        try fixture.ledger(store).markDelivered([alert.entry], at: fixture.day(day))
    }

    var messages: [String] {
        get throws {
            var messages: [String] = []
            try store.forEachAlert(since: nil, kind: nil, keyID: nil) { alert, _ in messages.append(alert.alert.message)
            }
            return messages
        }
    }

    @Test(
        "delivered alerts go by their age, some at a time; what waits, and the last word about delivery, stays",
        .ofStoresAlone)
    func age() throws {
        try add("degraded before", deliveredOn: 1, .deliveryDegraded)
        try add("degraded", deliveredOn: 1, .deliveryDegraded)
        try add("waits", deliveredOn: nil)
        for number in 1...4 { try add("old \(number)", deliveredOn: 1) }
        try add("new", deliveredOn: 50)
        var retention = AlertRetention()
        #expect(try fixture.ledger(store).pruneAlerts(retention, at: fixture.day(60)) == 0)
        #expect(try fixture.ledger(store).pruneAlerts(retention, at: fixture.day(100), limit: 3) == 3)
        #expect(try messages == ["degraded", "waits", "old 3", "old 4", "new"])
        #expect(try fixture.ledger(store).pruneAlerts(retention, at: fixture.day(100), limit: 3) == 2)
        #expect(try messages == ["degraded", "waits", "new"])
        retention.keep = nil
        #expect(try fixture.ledger(store).pruneAlerts(retention, at: fixture.day(10_000)) == 0)
    }

    @Test("of too many the oldest go", .ofStoresAlone)
    func count() throws {
        try add("waits", deliveredOn: nil)
        for number in 1...5 { try add("\(number)", deliveredOn: 1) }
        var retention = AlertRetention()
        retention.most = 2
        #expect(try fixture.ledger(store).pruneAlerts(retention, at: fixture.day(2)) == 3)
        #expect(try messages == ["waits", "4", "5"])
    }

    /// A scan that sees these units: it searches those that are not known, as the scanner does.
    ///
    /// - Returns: how many it had to search.
    func scan(_ units: [SearchedUnit], on day: Int) throws -> Int {
        let recalled = try store.recall(units, at: fixture.day(day))
        try fixture.ledger(store).noteSeen(recalled.fading, at: fixture.day(day))
        let due = zip(units, recalled.areSearched).filter { !$0.1 }.map(\.0)
        var tally = ScanTally(mostListed: 500)
        _ = try fixture.ledger(store).remember(
            [], searched: due, in: "/srv/shop.git", greatestSecret: 1, tally: &tally, at: fixture.day(day),
            by: fixture.actor)
        return due.count
    }

    func forgetUnits(seenBefore day: Int) throws {
        var end: SearchedUnit?
        repeat {
            end = try fixture.ledger(store).pruneUnits(seenBefore: fixture.day(day), after: end, at: fixture.day(day))
        } while end != nil
    }

    func countUnits() throws -> Int { try store.read { try $0.first("SELECT count(*) FROM scan_units") ?? 0 } }

    @Test("files that come and go do not fill the store, and what stays is never searched again")
    func units() throws {
        let staying = (0..<12_000).map { SearchedUnit(kind: "file", identity: Array("stays \($0)".utf8)) }
        #expect(try scan(staying, on: 0) == staying.count)
        var most = 0
        for day in 1...60 {
            let passing = (0..<500).map { SearchedUnit(kind: "loose", identity: Array("\(day) \($0)".utf8)) }
            #expect(try scan(staying + passing, on: day) == passing.count)
            try forgetUnits(seenBefore: day)
            most = max(most, try countUnits())
        }
        // What passed within the last week.
        #expect(most <= staying.count + 8 * 500)
        #expect(try scan(staying, on: 61) == 0)
        // A place that was not scanned since then: what was seen there is kept, however long ago that was.
        #expect(try scan(staying, on: 400) == 0)
        try forgetUnits(seenBefore: 60)
        #expect(try scan(staying, on: 401) == 0)
        try forgetUnits(seenBefore: 500)
        #expect(try countUnits() == 0)
    }

    @Test("what an earlier version remembers is kept until a scan has seen it, or not")
    func unitsOfBefore() throws {
        let (here, gone) = (SearchedUnit(kind: "pack", identity: [1]), SearchedUnit(kind: "pack", identity: [2]))
        #expect(try scan([here, gone], on: 0) == 2)
        try store.write { try $0.run("UPDATE scan_units SET seen_at = NULL") }
        #expect(try scan([here], on: 1) == 0)
        try forgetUnits(seenBefore: 1)
        #expect(try store.recall([here, gone], at: fixture.day(1)).areSearched == [true, false])
    }

    /// Fills a store with delivered alerts, and forgets them.
    func fillAndForget(_ store: Store) throws {
        let text = String(repeating: "x", count: 2_000)
        try store.write { db in
            for _ in 0..<3_000 {
                try OutboxTable.add(
                    Alert(kind: .scanFailed, priority: .warning, message: Wording(words: text)), db, at: fixture.start)
            }
            try db.script("UPDATE alerts SET delivered_at = 1")
        }
        while try fixture.ledger(store).pruneAlerts(AlertRetention(), at: fixture.start) > 0 {}
    }

    /// As a program sees it that opens the file now.
    func number(_ pragma: String, _ store: Store) throws -> Int {
        try fixture.connection().number(ofPragma: pragma)
    }

    @Test("the file gives the room of what was forgotten back, in pieces", .ofStoresAlone)
    func pages() throws {
        try fillAndForget(store)
        let before = try number("page_count", store)
        #expect(before > 1_000)
        #expect(try store.returnFreePages(100))
        #expect(try number("page_count", store) == before - 100)
        while try store.returnFreePages(100) {}
        #expect(try number("page_count", store) < 500)
        #expect(try !store.returnFreePages(100))
        try store.checkIntegrity()
    }

    @Test("a store of before is rewritten once, and from then on gives its pages back", .ofStoresAlone)
    func older() throws {
        try store.close()
        try fixture.connection().script("PRAGMA auto_vacuum = NONE; VACUUM")
        let store = try fixture.open()
        #expect(try number("auto_vacuum", store) == 0)
        try fillAndForget(store)
        #expect(try !store.returnFreePages())
        #expect(try number("auto_vacuum", store) == Store.incremental && number("freelist_count", store) == 0)
        try store.checkIntegrity()
        try fillAndForget(store)
        while try store.returnFreePages() {}
        #expect(try number("page_count", store) < 500)
    }
}
