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

    @Test("once a day the records are compared with their seals, and the end of the audit is written to the journal")
    func daily() throws {
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        let path = work.path("upkeep.sqlite")
        let store = try Store(path: path, pepper: try Pepper(bytes), now: Workspace.now)
        var generator = SystemRandomNumberGenerator()
        _ = try store.create(
            NewKey(name: "low"), shape: .own(brand: "kv"), using: &generator, at: Workspace.now,
            by: Actor(uid: 0, program: "test"))
        let alerts = Mutex(0)
        let ends = Mutex<[AuditEnd]>([])
        let upkeep = StoreUpkeep(
            store: store, retention: AlertRetention(), now: { Workspace.now }, alerted: { alerts.withLock { $0 += 1 } },
            checkpoint: { end in ends.withLock { $0.append(end) } })
        func hours(_ count: Int) {
            for _ in 0..<count {
                upkeep.queue.sync { upkeep.look() }
                for _ in 0..<5 { upkeep.queue.sync {} }
            }
        }
        hours(24)
        #expect(alerts.withLock { $0 } == 0 && ends.withLock(\.isEmpty))
        try Connection(path, .readWrite, patience: LockPatience(5)).script("UPDATE keys SET owner = 'eve'")
        hours(1)
        #expect(alerts.withLock { $0 } == 1 && ends.withLock { $0.map(\.count) } == [1])
        hours(48)
        #expect(alerts.withLock { $0 } == 1 && ends.withLock { $0.map(\.count) } == [1, 1, 1])
        #expect(try store.undeliveredAlerts(limit: 9).map(\.alert.kind) == [.storeTampered])
        upkeep.halt()
    }
}
