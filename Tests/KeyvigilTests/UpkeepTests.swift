import Dispatch
import Foundation
import Keys
import Synchronization
import Testing

@testable import KeyStore
@testable import Keyvigil

@Suite("The upkeep of the store")
struct UpkeepTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    @Test("old alerts are forgotten once the clock has gone on for an hour, not by a clock that has jumped")
    func steadyClock() throws {
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        let store = try Store(path: work.path("upkeep.sqlite"), pepper: try Pepper(bytes), now: Workspace.now)
        let start = Workspace.now
        for _ in 0..<3 {
            try store.enqueue(Alert(kind: .scanFailed, priority: .warning, message: "m"), at: start)
        }
        try store.markDelivered(store.undeliveredAlerts(limit: 9).map(\.entry), at: start)
        let time = Mutex<(wall: Instant, running: Int64)>((start, 0))
        let upkeep = StoreUpkeep(
            store: store, retention: AlertRetention(), now: { time.withLock { $0.wall } },
            monotonic: { time.withLock { $0.running } })
        func left(wall days: Double, running: Double) throws -> Int {
            time.withLock { time in
                time.wall = Instant(milliseconds: time.wall.milliseconds + Int64(days * 86_400_000))
                time.running += Int64(running * 86_400_000)
            }
            upkeep.queue.sync { upkeep.look() }
            // Its turns follow each other on the queue.
            for _ in 0..<5 { upkeep.queue.sync {} }
            var count = 0
            try store.forEachAlert(since: nil, kind: nil, keyID: nil) { _, _ in count += 1 }
            return count
        }
        #expect(try left(wall: 0, running: 0) == 3)
        #expect(try left(wall: 400, running: 1 / 24) == 3)
        #expect(try left(wall: -400, running: 1 / 24) == 3)
        #expect(try left(wall: 1 / 24, running: 1 / 24) == 3)
        #expect(try left(wall: 91, running: 91) == 0)
        upkeep.halt()
    }

    @Test("what was searched is forgotten after a scan of all places has not seen it any more, and a week")
    func units() throws {
        let shop = try work.repository("shop", ["stays": "stays"])
        let gone = try work.repository("gone", ["a": "a"])
        _ = try work.create("billing")
        let loaded = try LoadedConfiguration.load(work.configuration, required: true)
        let store = try Workspace.openStore(loaded, create: false, environment: [:], now: Workspace.now)
        let time = Mutex<(wall: Instant, running: Int64)>((Workspace.now, 0))
        var settings = Configuration.ScanSettings()
        settings.repositories = [shop, gone]
        settings.interval = nil
        let alerted = DispatchSemaphore(value: 0)
        let scans = ScanService(
            store: store, settings: settings, shortestPrefix: 8, now: { time.withLock { $0.wall } },
            alerted: { alerted.signal() },
            failed: { Issue.record("\($0)") }, pauseFactor: 0)
        let upkeep = StoreUpkeep(
            store: store, retention: AlertRetention(), now: { time.withLock { $0.wall } },
            earliestScan: { scans.earliestScan }, monotonic: { time.withLock { $0.running } })
        func count() throws -> Int { try store.read { try $0.first("SELECT count(*) FROM scan_units") ?? 0 } }
        func scan() throws {
            let before = try finished(store).count
            scans.request()
            while try finished(store).count == before {
                try #require(alerted.wait(timeout: .now() + 60) == .success, "the scan did not end")
            }
        }
        func passDays(_ days: Int64) {
            time.withLock { time in
                time.wall = time.wall.advanced(by: .days(Int(days)))
                time.running += days * 86_400_000
            }
            upkeep.queue.sync { upkeep.look() }
            for _ in 0..<10 { upkeep.queue.sync {} }
        }
        passDays(0)
        scans.start()
        try scan()
        // What is forgotten and searched again loses this mark.
        try store.write { try $0.run("UPDATE scan_units SET searched_secret = searched_secret + 1000") }
        func marked() throws -> Int {
            try store.read { try $0.first("SELECT count(*) FROM scan_units WHERE searched_secret > 1000") ?? 0 }
        }
        let kept = try count()
        #expect(try kept > 6 && marked() == kept)
        var most = kept
        for round in 0..<12 {
            try work.git(shop, "-C", shop, "checkout", "-q", "-B", "round", "main")
            try work.commit(shop, ["passing": "passes \(round)"])
            try scan()
            try work.git(shop, "-C", shop, "checkout", "-q", "main")
            try work.git(shop, "-C", shop, "branch", "-q", "-D", "round")
            try work.git(shop, "-C", shop, "reflog", "expire", "--expire=now", "--all")
            try work.git(shop, "-C", shop, "prune", "--expire=now")
            passDays(4)
            try scan()
            passDays(4)
            most = max(most, try count())
        }
        #expect(most < kept + 60, "\(most) units, of which \(kept) stay")
        let staying = try marked()
        // All but some files of the git directories, which git has written again.
        #expect(staying >= kept / 2 && staying > 6)
        // A place that cannot be scanned is waited for, and what is known of it is kept.
        try FileManager.default.moveItem(atPath: gone, toPath: gone + ".away")
        try scan()
        passDays(20)
        try scan()
        passDays(1)
        #expect(try marked() == staying)
        scans.stop()
        upkeep.halt()
        try store.close()
    }

    private func finished(_ store: Store) throws -> [Alert] {
        try store.undeliveredAlerts(limit: 1000).map(\.alert).filter { $0.kind == .scanFinished }
    }
}

@Suite("When places were seen")
struct SeenPlacesTests {
    let now = Workspace.now

    @Test("nothing is gone before each place was scanned; one that cannot be is waited for, but not without end")
    func earliest() {
        var places = SeenPlaces()
        let day: Int64 = 86_400_000
        #expect(places.earliestScan(at: 0, now: now) == nil)
        places.keep(["/a", "/b"], at: 0)
        #expect(places.earliestScan(at: 0, now: now) == nil)
        let (first, second) = (now.preceded(by: .days(2)), now.preceded(by: .days(1)))
        places.noteScanned("/a", began: first, at: 0)
        #expect(places.earliestScan(at: 0, now: now) == nil)
        places.noteScanned("/b", began: second, at: 0)
        #expect(places.earliestScan(at: 0, now: now) == first)
        places.noteScanned("/a", began: now, at: 20 * day)
        #expect(places.earliestScan(at: 20 * day, now: now) == second)
        // No scan of /b for more than thirty days.
        #expect(places.earliestScan(at: 31 * day, now: now) == now)
        places.keep(["/a", "/c"], at: 31 * day)
        #expect(places.earliestScan(at: 32 * day, now: now) == nil)
        places.keep(["/a"], at: 33 * day)
        #expect(places.earliestScan(at: 33 * day, now: now) == now)
    }
}
