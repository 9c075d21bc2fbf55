import Foundation
import Testing

/// How many keys to measure with; none unless asked for.
private let latencyCount = ProcessInfo.processInfo.environment["KEYVIGIL_LATENCY"].flatMap { Int($0) } ?? 0

extension EndToEnd {
    /// Not a test of speed, which no test is: a measurement on the booted system. `make bench-latency` runs it.
    @Suite("Latency", .enabled(if: latencyCount > 0, "make bench-latency measures it"))
    struct LatencyTests {
        @Test("from the instant of an expiry to its entry in the journal", .timeLimit(.minutes(30)))
        func expiry() throws {
            let scene = try Scene()
            let system = scene.system
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            // One every 50 ms, at instants that have nothing to do with any timer's.
            var random = SplitMix(state: 42)
            let first = Int64(Date().timeIntervalSince1970 * 1000) + 5_000
            let lines = (0..<latencyCount).map { number in
                let instant = first + Int64(number) * 50 + Int64(random.next() % 50)
                let text = String(format: "%03d", instant % 1000)
                let date = Date(timeIntervalSince1970: Double(instant / 1000)).ISO8601Format().dropLast()
                return
                    "{\"name\":\"k\(number)\",\"prefix\":\"latency_\(number)\",\"expires_at\":\"\(date).\(text)Z\"}\n"
            }
            try system.check("keyvigil", "import", "--issuer", "external", input: lines.joined())
            let entries = try system.waitForJournal(
                "KEYVIGIL_EVENT=key.expired", seconds: 60 + latencyCount / 10, until: { $0.count >= latencyCount })
            let late = try entries.map { entry in
                let written = try #require(entry["__REALTIME_TIMESTAMP"].flatMap { Double($0) }) / 1000
                let text = try #require(entry["KEYVIGIL_EXPIRES_AT"])
                let due = try Date(
                    text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains(".")))
                return written - due.timeIntervalSince1970 * 1000
            }.sorted()
            #expect(late.count == latencyCount)
            print(
                "latency: \(late.count) expiries, to the journal within \(Int(late[late.count / 2])) ms (median), "
                    + "\(Int(late[late.count * 99 / 100])) ms (p99), \(Int(late[late.count - 1])) ms at the most")
        }
    }
}
