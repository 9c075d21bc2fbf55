import Dispatch
import Foundation
import Keys
import Synchronization
import Systemd
import Testing

@testable import KeyStore
@testable import Keyvigil
@testable import LeakScan

@Suite("The watchdog and the clock")
struct WatchdogTests {
    typealias Progress = ScanControl.Progress

    @Test("a scan that gets on is no stall however long it is; one that does not is, after the limit")
    func stall() {
        var watch = StallWatch()
        func isStalled(_ bytes: UInt64?, _ place: String, at time: Int64) -> Bool {
            let progress = bytes.map {
                Progress(bytesDone: $0, bytesTotal: 100, objectsDone: 0, objectsTotal: 0)
            }
            return watch.isStalled(progress.map { ($0, place: place) }, at: time, limit: 1000)
        }
        for step in 0..<100 { #expect(!isStalled(UInt64(step), "/srv", at: Int64(step) * 1_000_000)) }
        #expect(!isStalled(99, "/srv", at: 99_000_999))
        #expect(isStalled(99, "/srv", at: 99_001_000))
        // Another place, or no scan at all, is a new beginning.
        #expect(!isStalled(99, "/home", at: 200_000_000))
        #expect(!isStalled(nil, "", at: 300_000_000))
        #expect(!isStalled(99, "/home", at: 400_000_000))
    }

    @Test("a process is at rest when it has done next to nothing since the last look")
    func rest() {
        var rest = RestWatch()
        let looks: [(spent: Int64, isAtRest: Bool)] = [
            (90_000, false), (200, true), (19_999, true), (20_000, false), (5_000_000, false), (0, true), (0, true),
        ]
        var time: Int64 = 0
        for (number, look) in looks.enumerated() {
            time += look.spent
            #expect(rest.isAtRest(at: time) == look.isAtRest, "look \(number)")
        }
    }

    @Test("a start is given more time for as long as it uses the processor")
    func longStart() {
        var start = StartProgress()
        let looks: [(used: Int64, gets: Bool)] = [
            (400_000, true), (401_000, true), (401_999, false), (402_000, false), (9_000_000, true), (9_000_000, false),
        ]
        for (number, look) in looks.enumerated() {
            #expect(start.isGettingOn(at: look.used) == look.gets, "look \(number)")
        }
    }

    @Test("a batch grows while there is more to do and time left, shrinks when it took long, and never ends")
    func pacing() {
        var pacer = BatchPacer()
        let first = pacer.limit
        pacer.note(2, isFull: false)
        #expect(pacer.limit == first)
        for _ in 0..<20 { pacer.note(5, isFull: true) }
        #expect(pacer.limit == BatchPacer.keys.upperBound)
        // A tenth of the speed: within the goal after one batch.
        pacer.note(BatchPacer.goal * 10, isFull: true)
        #expect(pacer.limit == BatchPacer.keys.upperBound / 10)
        for _ in 0..<20 { pacer.note(60_000, isFull: true) }
        #expect(pacer.limit == BatchPacer.keys.lowerBound)
        #expect(BatchPacer.pause(after: 40) == 40 && BatchPacer.pause(after: 0) == 1)
    }

    @Test("a queue that is stuck is named once; while it answers it is not", arguments: ["expiry", "delivery"])
    func stuckQueue(_ name: String) {
        let stuck = DispatchQueue(label: "test.stuck")
        let named = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        let reports = Mutex<[String]>([])
        stuck.async { release.wait() }
        let service = WatchdogService(
            notify: Notify(environment: [:]),
            watched: [(name, stuck), ("control", DispatchQueue(label: "test.alive"))],
            stalled: { stalled in
                reports.withLock { $0.append(stalled) }
                named.signal()
            })
        service.start(environment: ["WATCHDOG_USEC": "60000"], processID: 1)
        named.wait()
        release.signal()
        service.stop()
        #expect(reports.withLock { $0 } == [name])
    }

    @Test("a place that does not answer is asked separately, and reported when it answers")
    func suspects() {
        let gate = DispatchSemaphore(value: 0)
        let answered = DispatchSemaphore(value: 0)
        let suspects = SuspectPlaces(answers: { _ in gate.wait() })
        #expect(!suspects.isAnswering("/srv/hung") { answered.signal() })
        #expect(!suspects.isAnswering("/srv/hung") { Issue.record("asked twice") })
        gate.signal()
        answered.wait()
        #expect(suspects.isAnswering("/srv/hung") {})
        suspects.forget("/srv/hung")
    }

    /// The clock's steps are those of a parameter, since the machine's own is not the tests' to set.
    @Test(
        "whatever the clock does, each date is recorded once by the clock as it is: an hour and a year, forward and back"
    )
    func clockSteps() throws {
        let work = try Workplace()
        let start = Instant(milliseconds: 1_800_000_000_000)
        let clock = Mutex(start)
        let store = try store(work, at: start)
        var generator = SystemRandomNumberGenerator()
        let periods: [(String, Period)] = [("hour", .seconds(1800)), ("year", .days(200)), ("later", .days(800))]
        for (name, period) in periods {
            var key = NewKey(name: name)
            key.expiresAt = start.advanced(by: period)
            _ = try store.create(
                key, shape: .own(brand: "kv"), using: &generator, at: start,
                by: AuditActor(uid: 0, program: "test"))
        }
        let expiry = ExpiryService(
            store: store, actor: AuditActor(uid: 0, program: "test"), now: { clock.withLock { $0 } }, alerted: {},
            failed: { Issue.record("\($0)") })
        expiry.start(.standard, sweepInterval: .days(1))
        func step(to instant: Instant) throws -> [String] {
            clock.withLock { $0 = instant }
            expiry.kick()
            _ = expiry.state
            return try store.undeliveredAlerts(limit: 100).filter { $0.alert.kind == .keyExpired }
                .compactMap { $0.alert.fields[.keyName] }
        }
        func takenBack() throws -> Int {
            let alerts = try store.undeliveredAlerts(limit: 100)
            return alerts.count { $0.alert.kind == .clockChanged }
        }
        #expect(try step(to: start) == [])
        #expect(try step(to: start.advanced(by: .seconds(3600))) == ["hour"])
        #expect(try step(to: start.advanced(by: .seconds(3599))) == ["hour"])
        #expect(try takenBack() == 0)
        // What is taken back is said once, and the date is reported when it comes again.
        #expect(try step(to: start) == [])
        #expect(try step(to: start.preceded(by: .days(365))) == [])
        #expect(try takenBack() == 2)
        #expect(try step(to: start.advanced(by: .days(365))) == ["hour", "year"])
        #expect(try step(to: start.advanced(by: .days(365))) == ["hour", "year"])
        expiry.stop()
        try store.close()
    }

    @Test("a scan that fell due while the machine slept is made once when it wakes up")
    func overdue() throws {
        let work = try Workplace()
        let clock = Mutex(Instant(milliseconds: 1_800_000_000_000))
        let store = try store(work, at: clock.withLock { $0 })
        var settings = Configuration.ScanSettings()
        settings.folders = [work.path("files")]
        settings.interval = .days(1)
        try work.write("text", to: "files/a.txt")
        let finished = DispatchSemaphore(value: 0)
        let scans = ScanService(
            store: store, settings: settings, shortestPrefix: 8, now: { clock.withLock { $0 } },
            alerted: { finished.signal() }, failed: { Issue.record("\($0)") })
        func scanCount() throws -> Int {
            scans.queue.sync {}
            return try store.undeliveredAlerts(limit: 100).filter { $0.alert.kind == .scanFinished }.count
        }
        scans.start()
        finished.wait()
        scans.catchUp()
        #expect(try scanCount() == 1)
        clock.withLock { $0 = $0.advanced(by: .days(2)) }
        scans.catchUp()
        finished.wait()
        #expect(try scanCount() == 2)
        scans.catchUp()
        #expect(try scanCount() == 2)
        scans.stop()
        try store.close()
    }

    private func store(_ work: Workplace, at instant: Instant) throws -> Store {
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        return try Store(path: work.path("keys.sqlite"), pepper: try Pepper(bytes), now: instant)
    }
}
