import Foundation
import KeyStore
import Keys
import Synchronization

/// The cases. Each prints its figure, its floor's, and the ratio.
final class StoreBench {
    private let path: String
    private let count: Int
    let store: Store
    let pepper: Pepper
    let start = Instant(milliseconds: 1_800_000_000_000)
    /// When all keys expire.
    private let end = Instant(milliseconds: 1_800_000_000_001)
    let actor = AuditActor(uid: 0, program: "benchmark")
    private var generator = SystemRandomNumberGenerator()

    init(directory: URL, count: Int) throws {
        path = directory.appending(path: "keys.sqlite").path
        self.count = count
        var bytes = Secret(capacity: 32)
        for _ in 0..<32 { bytes.append(UInt8.random(in: 0...255)) }
        pepper = try Pepper(bytes)
        store = try Store(path: path, pepper: pepper, now: start)
    }

    private static let body = Array("_0123456789abcdefghijklmnopqrst".utf8)

    /// A secret that can be made again from its number.
    func secret(_ index: Int) -> Secret {
        var secret = Secret(capacity: 18 + Self.body.count)
        for byte in "bench_".utf8 { secret.append(byte) }
        var weight = 100_000_000_000
        while weight > 0 {
            secret.append(UInt8(ascii: "0") + UInt8(index / weight % 10))
            weight /= 10
        }
        for byte in Self.body { secret.append(byte) }
        return secret
    }

    func fill() throws {
        let time = try measure {
            _ = try store.importKeys(using: &generator, at: start, by: actor) { importer in
                for index in 0..<count {
                    try importer.add(
                        NewKey(
                            name: "key \(index)", owner: "ana", permissions: try PermissionSet(parsing: ["read"]),
                            expiresAt: end),
                        .whole(secret(index), prefixLength: 19))
                }
                return true
            }
        }
        print(
            "import            \(count) keys in \(text(time)) s, \(Int(Double(count) / time)) a second, peak RSS \(peak()) MB"
        )
    }

    func verify() throws {
        let rounds = 200_000
        let floor = try LookupFloor(path: path)
        let order = (0..<rounds).map { $0 &* 7919 % count }
        var ratios: [Double] = []
        for _ in 0..<5 {
            let ours = try measure {
                for index in order {
                    guard
                        try store.verify(secret(index), for: AccessRequest(permission: "read"), at: start).code
                            == .valid
                    else {
                        fatal("verify")
                    }
                }
            }
            let hashes = order.map { pepper.hash(secret($0)).bytes }
            let bare = measure {
                for hash in hashes {
                    guard floor.find(hash) else { fatal("look-up") }
                }
            }
            ratios.append(bare / ours)
            print(
                "verify            \(Int(Double(rounds) / ours)) a second; bare look-ups \(Int(Double(rounds) / bare)); ratio \(text(bare / ours))"
            )
        }
        print("verify            median ratio \(text(ratios.sorted()[ratios.count / 2])) (at least 0.5 is wanted)")
    }

    func idleSweep() throws {
        let rounds = 20_000
        let time = try measure {
            for _ in 0..<rounds { guard try store.sweep(at: start, by: actor).keys == 0 else { fatal("sweep") } }
        }
        print("sweep, none due   \(text(time / Double(rounds) * 1e6)) µs each")
    }

    func list() throws {
        var seen = 0
        let before = peak()
        let time = try measure { try store.forEachKey(at: start) { _ in seen += 1 } }
        print("list              \(seen) keys in \(text(time)) s; peak RSS before \(before) MB, after \(peak()) MB")
    }

    /// What a scan reads before it begins, by one of its threads.
    func prefixes() throws {
        var seen = 0
        let time = try measure {
            try store.forEachPrefix(in: 1...max(1, store.greatestSecret())) { _, _, _, _ in seen += 1 }
        }
        print("prefixes          \(seen) in \(text(time)) s; peak RSS \(peak()) MB")
    }

    func sweepDue(_ due: Int) throws {
        let due = min(due, count)
        let now = Instant(milliseconds: start.milliseconds + 2)
        try makeDue(due)
        var longest = 0.0
        let ours = try measure {
            while true {
                var isIncomplete = false
                longest = max(longest, try measure { isIncomplete = try store.sweep(at: now, by: actor).isIncomplete })
                if !isIncomplete { break }
            }
        }
        // The floor: one statement that changes the same rows, and nothing else.
        try makeDue(due)
        let bare = try BareConnection(path: path)
        let floor = try measure {
            try bare.run(
                "UPDATE keys SET status = 'expired', next_due_at = NULL WHERE next_due_at <= \(now.milliseconds)")
        }
        print(
            "sweep, \(due) due  \(text(ours)) s in batches of at most \(text(longest * 1000)) ms; bare UPDATE \(text(floor)) s; ratio \(text(ours / floor)) (at most 4 is wanted)"
        )
        try verifyBesideSweep(due, at: now)
    }

    /// Verifies all the while that a sweep goes on in another thread, and tells the longest that one took.
    private func verifyBesideSweep(_ due: Int, at now: Instant) throws {
        try makeDue(due)
        let store = self.store
        let actor = self.actor
        let isOver = Mutex(false)
        let sweeper = Thread {
            while (try? store.sweep(at: now, by: actor).isIncomplete) == true {}
            isOver.withLock { $0 = true }
        }
        sweeper.start()
        var times: [Double] = []
        var index = 0
        while !isOver.withLock({ $0 }) {
            index = (index + 7919) % count
            times.append(
                try measure {
                    guard try store.verify(secret(index), at: now).key != nil else { fatal("verify") }
                })
        }
        times.sort()
        print(
            "verify in a sweep \(times.count) times; p99 \(text(times[times.count * 99 / 100] * 1000)) ms, longest \(text((times.last ?? 0) * 1000)) ms (at most 50 is wanted)"
        )
    }

    /// Puts keys back to before their expiry was recorded, and leaves the others out of the sweep. Neither is sealed.
    private func makeDue(_ due: Int) throws {
        try BareConnection(path: path).run(
            """
            UPDATE keys SET status = iif(key_row <= \(due), 'active', status),
              next_due_at = iif(key_row <= \(due), \(end.milliseconds), NULL)
            WHERE (key_row <= \(due) OR next_due_at IS NOT NULL) AND status IN ('active', 'expired')
            """)
    }

    // MARK: -

    func measure(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let time = try clock.measure(body)
        return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    }

    func text(_ number: Double) -> String { String(format: "%.2f", number) }

    private func peak() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1024 } ?? 0
    }

    func fatal(_ what: String) -> Never {
        print("the benchmark is wrong: \(what)")
        exit(1)
    }
}
