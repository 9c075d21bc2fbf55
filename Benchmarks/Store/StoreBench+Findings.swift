import Foundation
import KeyStore
import Keys
import Synchronization

extension StoreBench {
    /// Records findings of one prefix, all in one object, as a push can bring them, while another program revokes keys all
    /// the time. The floor is the same rows, with the same indexes, copied by SQLite's own statements in one transaction.
    func findings(_ count: Int) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-findings-\(getpid())-\(count)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "keys.sqlite").path
        let store = try Store(path: path, pepper: pepper, now: start)
        try fill(store, keys: 20_000)
        let (start, actor) = (self.start, self.actor)
        let isOver = Mutex(false)
        let beside = try Store(path: path, pepper: pepper, now: start)
        let waits = Mutex<[Double]>([])
        let revoker = Thread {
            var key = 1
            while !isOver.withLock({ $0 }) {
                let clock = ContinuousClock()
                let asked = clock.now
                let isDone = (try? beside.revoke("key \(key)", reason: nil, at: start, by: actor)) != nil
                let time = clock.now - asked
                waits.withLock { $0.append(isDone ? Double(time.components.attoseconds) / 1e15 : .infinity) }
                key += 1
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
        let probe = try LockProbe(path: path)
        let ours = try record(count, in: store) {
            revoker.start()
            probe.start()
        }
        let longest = probe.stop()
        isOver.withLock { $0 = true }
        let sorted = waits.withLock { $0.sorted() }
        let again = try record(count, in: store) {}
        let floor = try copyFindings(path, directory)
        let each = 1e6 / Double(count)
        let p99 = sorted.isEmpty ? 0 : sorted[sorted.count * 99 / 100]
        print(
            "findings          \(count): \(text(ours * each)) µs each, bare inserts \(text(floor * each)), "
                + "ratio \(text(ours / floor)); lock held \(text(longest)) ms at most; \(sorted.count) revocations "
                + "beside: p99 \(text(p99)) ms, longest \(text(sorted.last ?? 0)) ms; "
                + "the same again \(text(again * each)) µs each")
    }

    private func fill(_ store: Store, keys: Int) throws {
        var generator = SystemRandomNumberGenerator()
        _ = try store.importKeys(using: &generator, at: start, by: actor) { importer in
            for index in 0..<keys {
                try importer.add(NewKey(name: "key \(index)"), .whole(secret(index), prefixLength: 19))
            }
            return true
        }
    }

    /// In parts of as many sightings as the scanner delivers.
    private func record(_ count: Int, in store: Store, _ begun: () -> Void) throws -> Double {
        let sightings = (0..<count).map { number in
            Sighting(
                prefixID: 1, secretID: nil, source: "blob", object: Self.blob, path: "src/f\(number)", line: 1,
                column: 5,
                commit: Self.blob, author: "ana", authoredAt: "2027-01-01T00:00:00Z", isInHead: true, objectCount: 1,
                objects: [Self.blob], place: "path:src/f\(number)")
        }
        begun()
        var tally = ScanTally(mostListed: 1_000_000)
        return try measure {
            for part in stride(from: 0, to: count, by: 4_096) {
                _ = try store.remember(
                    Array(sightings[part..<min(part + 4_096, count)]), searched: [], in: "/srv/shop.git",
                    greatestSecret: 1,
                    tally: &tally, at: start, by: actor)
            }
        }
    }

    private static let blob = "d670460b4b4aece5915caf5c68d12f560a9fe3e4"

    private func copyFindings(_ path: String, _ directory: URL) throws -> Double {
        let copy = directory.appending(path: "floor.sqlite").path
        _ = FileManager.default.createFile(atPath: copy, contents: nil)
        let bare = try BareConnection(path: copy)
        try bare.run("PRAGMA journal_mode = WAL; ATTACH '\(path)' AS ours")
        // The tables and indexes as the store has them.
        for name in ["findings", "finding_objects", "alerts"] {
            for text in try bare.texts(
                "SELECT sql FROM ours.sqlite_schema WHERE tbl_name = '\(name)' AND sql IS NOT NULL ORDER BY type DESC")
            {
                try bare.run(text)
            }
        }
        return try measure {
            try bare.run(
                """
                BEGIN; INSERT INTO findings SELECT * FROM ours.findings;
                INSERT INTO finding_objects SELECT * FROM ours.finding_objects;
                INSERT INTO alerts SELECT * FROM ours.alerts; COMMIT
                """)
        }
    }
}

/// Asks for the store's write lock every half millisecond, and tells the longest time for which it was refused.
private final class LockProbe: Sendable {
    private let isOver = Mutex(false)
    private let longest = Mutex(0.0)
    private let ended = DispatchSemaphore(value: 0)
    private let path: String

    init(path: String) throws { self.path = path }

    func start() {
        Thread { [self] in
            defer { ended.signal() }
            guard let connection = try? BareConnection(path: path, patience: 0) else { return }
            let clock = ContinuousClock()
            var since: ContinuousClock.Instant?
            while !isOver.withLock({ $0 }) {
                if (try? connection.run("BEGIN IMMEDIATE")) != nil {
                    try? connection.run("ROLLBACK")
                    since = nil
                } else {
                    let begin = since ?? clock.now
                    since = begin
                    let time = Double((clock.now - begin).components.attoseconds) / 1e15
                    longest.withLock { $0 = max($0, time) }
                }
                usleep(500)
            }
        }.start()
    }

    /// - Returns: in milliseconds.
    func stop() -> Double {
        isOver.withLock { $0 = true }
        ended.wait()
        return longest.withLock { $0 }
    }
}
