import Foundation
import KeyStore
import Keys
import Synchronization
import Testing

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
}
