import Dispatch
import Foundation
import Keys
import LeakScan
import Synchronization
import SystemPackage
import Systemd
import Testing

@testable import KeyStore
@testable import Keyvigil

@Suite("Which place is scanned when")
struct PlaceTurnsTests {
    @Test("a place that changes without end gets a fifth of the time, and no other place waits for it")
    func storm() {
        var turns = PlaceTurns()
        turns.noteScanned("/storm", took: 100, at: 1000, isWhole: true)
        let parts = turns.assign(.some(["/storm", "/calm"]), at: 1010)
        #expect(parts == [.quick: .some(["/calm"])])
        #expect(turns.wait(at: 1010) == 390 && turns.due(at: 1399).isEmpty)
        #expect(turns.due(at: 1400) == ["/storm"] && turns.wait(at: 1400) == nil)
        #expect(turns.assign(.some(["/storm"]), at: 1400) == [.quick: .some(["/storm"])])
        turns.noteScanned("/storm", took: 1_000_000, at: 2_000_000, isWhole: true)
        _ = turns.assign(.some(["/storm"]), at: 2_000_000)
        #expect(turns.wait(at: 2_000_000) == 60_000)
    }

    @Test(
        "files that change without end get a twentieth of the time, and a push to the same place does not wait for that"
    )
    func content() {
        var turns = PlaceTurns()
        #expect(turns.assign(.some(["/log"]), after: .content, at: 0) == [.quick: .some(["/log"])])
        turns.noteScanned("/log", took: 10, at: 1000, isWhole: true)
        #expect(turns.assign(.some(["/log"]), after: .content, at: 1100).isEmpty)
        #expect(turns.wait(at: 1100) == 4900 && turns.due(at: 5999).isEmpty)
        #expect(turns.assign(.some(["/log"]), after: .push, at: 1100) == [.quick: .some(["/log"])])
        #expect(turns.due(at: 6000) == ["/log"] && turns.wait(at: 6000) == nil)
        turns.noteScanned("/log", took: 10_000, at: 10_000, isWhole: true)
        #expect(turns.assign(.some(["/log"]), after: .content, at: 10_000).isEmpty)
        #expect(turns.wait(at: 10_000) == 200_000)
    }

    @Test(
        "a place that takes longer than a turn goes on in the thorough lane, in longer turns, until it is searched whole"
    )
    func long() {
        var turns = PlaceTurns()
        for count in 0..<3 {
            #expect(turns.turn(of: "/large", 5) == 5 << count)
            turns.noteScanned("/large", took: 5, at: 0, isWhole: false)
            #expect(turns.assign(.some(["/large"]), at: 1000) == [.thorough: .some(["/large"])])
        }
        let targets = ["/large", "/small"].map { ScanTarget(path: $0) }
        #expect(turns.ordered(targets).map(\.path) == ["/small", "/large"])
        turns.noteScanned("/large", took: 5, at: 0, isWhole: true)
        #expect(turns.turn(of: "/large", 5) == 5)
        #expect(turns.assign(.some(["/large"]), at: 1000) == [.quick: .some(["/large"])])
        turns.noteListed("/large", isSlow: true)
        // It pauses like others, and then leaves the quick lane to them.
        #expect(turns.assign(.some(["/large"]), at: 10).isEmpty && turns.due(at: 1000) == ["/large"])
        #expect(turns.assign(.some(["/large"]), at: 1000) == [.thorough: .some(["/large"])])
    }

    @Test("what was scanned quickly comes first, then what is new, then what takes longer than a turn")
    func order() {
        var turns = PlaceTurns()
        turns.noteScanned("/slow", took: 900, at: 0, isWhole: true)
        turns.noteScanned("/fast", took: 3, at: 0, isWhole: true)
        turns.noteScanned("/large", took: 5, at: 0, isWhole: false)
        let targets = ["/large", "/new", "/other", "/slow", "/fast"].map { ScanTarget(path: $0) }
        #expect(turns.ordered(targets).map(\.path) == ["/fast", "/slow", "/new", "/other", "/large"])
    }

    @Test("a scan of everything is one of the thorough lane")
    func all() {
        var turns = PlaceTurns()
        #expect(turns.assign(.all, at: 0) == [.thorough: .all])
        #expect(turns.assign(.nothing, at: 0) == [:])
    }
}

@Suite("The two lanes of scans")
struct ScanLaneTests {
    let work: Workplace
    let store: Store
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
        let loaded = try LoadedConfiguration.load(work.configuration, required: true)
        store = try Workspace.openStore(loaded, create: false, environment: [:], now: Workspace.now)
    }

    private func service(
        _ places: [String], turn: Period = .seconds(120), pushTurn: Period = .seconds(5), interval: Period = .days(1),
        confirmPause: Int = 60_000_000, boot: String = "boot",
        now: @escaping @Sendable () -> Instant = { Workspace.now }, alerted: @escaping @Sendable () -> Void = {},
        answers: @escaping @Sendable (String) -> Void = { _ in }
    ) -> ScanService {
        var settings = Configuration.ScanSettings()
        settings.repositories = places
        settings.interval = interval
        settings.turn = turn
        settings.pushTurn = pushTurn
        return ScanService(
            store: store, settings: settings, shortestPrefix: 8, now: now, alerted: alerted,
            failed: { Issue.record("\($0)") }, answers: answers, confirmPause: confirmPause,
            pauseFactor: 0, boot: boot)
    }

    private func alerts(_ kind: AlertKind) throws -> [Alert] {
        try store.undeliveredAlerts(limit: 100).map(\.alert).filter { $0.kind == kind }
    }

    /// Waits until the store, a file beside it, or the service has what is meant. A change in their folder is looked at at once,
    /// and what shows in no file a moment later. The deadline only ends a test that has failed.
    private func wait(_ what: String, until isThere: () throws -> Bool) throws {
        let changed = DispatchSemaphore(value: 0)
        let watcher = try FileWatcher(queue: DispatchQueue(label: "changes")) { _ in changed.signal() }
        defer { watcher.cancel() }
        try watcher.watch(FilePath(store.folder), for: [.content, .directory])
        let deadline = DispatchTime.now() + 60
        while try !isThere() {
            try #require(DispatchTime.now() < deadline, "\(what) did not come")
            _ = changed.wait(timeout: .now() + .milliseconds(50))
        }
    }

    @Test("a leak that is pushed is reported while the scan of everything is held up at another place")
    func overtaking() throws {
        let huge = try work.repository("huge", ["a": "a"])
        let small = try work.repository("small", ["k": "k = \(secret)"])
        let (reached, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let scans = service(
            [huge, small],
            answers: { path in
                guard path == huge else { return }
                reached.signal()
                release.wait()
            })
        scans.start()
        reached.wait()
        scans.request(.some([ExactText(small)]))
        try wait("the leak") { try !alerts(.leakConfirmed).isEmpty }
        #expect(try alerts(.scanFinished).isEmpty)
        release.signal()
        try wait("the end of the scan") { try !alerts(.scanFinished).isEmpty }
        #expect(try alerts(.leakConfirmed).count == 1)
        scans.stop()
        try store.close()
    }

    @Test("places of one push that take long make room for others, and are all scanned in the end")
    func room() throws {
        let places = try (0..<20).map { number in
            let files = Dictionary(uniqueKeysWithValues: (0..<20).map { ("f\($0)", "\(number) \($0)") })
            return try work.repository("place\(number)", files.merging(["k": "k = \(secret)"]) { $1 })
        }
        let (reached, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let isHeld = Atomic<Bool>(true)
        let scans = service(
            places, pushTurn: Period(milliseconds: 1),
            answers: { path in
                guard path == places[0], isHeld.exchange(false, ordering: .relaxed) else { return }
                reached.signal()
                release.wait()
            })
        scans.start()
        reached.wait()
        // The thorough lane is at the first place; the quick one is asked for all, twice.
        for _ in 0..<2 { scans.request(.some(Set(places.dropFirst().map { ExactText($0) }))) }
        release.signal()
        try wait("the leaks of all places") { try store.countOpenFindings() == places.count }
        scans.stop()
        try store.close()
    }

    @Test("a place that is not searched in one turn is searched whole in the end, and a scan says that it is not yet")
    func turns() throws {
        var files = ["z/key": "k = \(secret)"]
        for number in 0..<400 { files["f\(number)"] = String(repeating: "\(number) words ", count: 4000) }
        let large = try work.repository("large", files)
        let small = try work.repository("small", ["a": "a"])
        let scans = service([large, small], turn: Period(milliseconds: 1))
        scans.start()
        try wait("the whole scan") { try store.repositories().contains { $0.path == large && $0.scannedAt != nil } }
        #expect(try store.repositories().allSatisfy { $0.problem == nil })
        #expect(try alerts(.leakConfirmed).count == 1)
        #expect(try alerts(.scanFinished).first?.message.contains(" end yet") == true)
        scans.stop()
        try store.close()
    }

    @Test("a problem that only the first scan after a change has is not reported; one that the second has too is, once")
    func doubtful() throws {
        let shop = try work.repository("shop", ["a": "a"])
        let scans = service([shop])
        scans.start()
        try wait("the first scan") { try !alerts(.scanFinished).isEmpty }
        func move(_ from: String, _ to: String) throws {
            let outcome = try work.run("/bin/sh", ["-c", "mkdir -p '\(to)' && mv '\(from)'/?? '\(to)'"])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        let objects = shop + "/.git/objects"
        let aside = work.path("aside")
        /// Scans the place as after a push, and waits until that is done.
        func change() throws {
            scans.request(.some([ExactText(shop)]))
            try wait("the end of the scan") { !scans.state.isRunning }
        }
        try move(objects, aside)
        try change()
        #expect(try alerts(.scanFailed).isEmpty)
        try move(aside, objects)
        try change()
        #expect(try alerts(.scanFailed).isEmpty && store.repositories().allSatisfy { $0.problem == nil })
        try move(objects, aside)
        try change()
        try change()
        try change()
        let failed = try alerts(.scanFailed)
        #expect(failed.count == 1 && failed[0].fields[.repository] == shop)
        #expect(try store.repositories().contains { $0.path == shop && $0.problem != nil })
        scans.stop()
        try store.close()
    }

    @Test(
        "a place that was being scanned when the daemon was killed twice is set aside with one alert, for one interval")
    func marks() throws {
        let bomb = try work.repository("bomb", ["a": "a"])
        let small = try work.repository("small", ["a": "a"])
        let clock = Mutex(Workspace.now)
        /// What a daemon leaves that is killed while it scans a place, and what the next one does.
        func restart(boot: String = "boot", killedAt place: String?) throws -> [String] {
            if let place { ScanMark(folder: store.folder, name: "thorough", boot: boot).set(place) }
            let looked = Mutex<[String]>([])
            let before = try alerts(.scanFinished).count
            let scans = service(
                [bomb, small], boot: "boot", now: { clock.withLock { $0 } },
                answers: { path in looked.withLock { $0.append(path) } })
            scans.start()
            try wait("the scan") { try alerts(.scanFinished).count > before }
            scans.stop()
            return try store.repositories().compactMap(\.problem)
        }
        // Of another boot: a power failure, which says nothing.
        #expect(try restart(boot: "other", killedAt: bomb).isEmpty)
        // Once, and scanned whole since, however often that happens.
        for _ in 0..<2 { #expect(try restart(killedAt: bomb).isEmpty) }
        #expect(try alerts(.scanFailed).isEmpty)
        try store.finishScan(
            of: bomb, startedAt: Workspace.now, problem: SuspectPlaces.cutOff, leftOut: nil, reach: nil, alert: nil,
            at: Workspace.now
        )
        #expect(try restart(killedAt: bomb) == [SetAside.problem])
        #expect(try restart(killedAt: bomb) == [SetAside.problem])
        let alert = try #require(try alerts(.scanFailed).first)
        #expect(try alerts(.scanFailed).count == 1 && alert.message.contains(bomb) && alert.priority == .error)
        #expect(try restart(killedAt: nil) == [SetAside.problem])
        clock.withLock { $0 = $0.advanced(by: .days(2)) }
        #expect(try restart(killedAt: nil).isEmpty)
        // A person who reloads the service has it tried once more at once.
        try store.finishScan(
            of: bomb, startedAt: clock.withLock { $0 }, problem: SetAside.problem, leftOut: nil, reach: nil, alert: nil,
            at: Workspace.now)
        let before = try alerts(.scanFinished).count
        let scans = service([bomb, small], now: { clock.withLock { $0 } })
        scans.start()
        try wait("the scan") { try alerts(.scanFinished).count == before + 1 }
        #expect(try store.repositories().compactMap(\.problem) == [SetAside.problem])
        var settings = Configuration.ScanSettings()
        settings.repositories = [bomb, small]
        scans.adopt(settings, shortestPrefix: 8)
        try wait("the scan after the reload") { try store.repositories().compactMap(\.problem).isEmpty }
        scans.stop()
        try store.close()
    }

    @Test("a place that is set aside is tried in little memory, ever more rarely, until it is searched whole")
    func sparing() throws {
        // A file of which git stores a version as a delta of the other, which has to be in memory for that.
        let large = try work.repository("large", ["a": "a"])
        let outcome = try work.run(
            "/bin/sh",
            [
                "-ec",
                """
                cd '\(large)'; head -c 9000000 /dev/urandom > r; git add r; git commit -qm one
                echo x >> r; git commit -qam two; git gc -q
                """,
            ],
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "D", "GIT_AUTHOR_EMAIL": "d@example.org",
                "GIT_COMMITTER_NAME": "D", "GIT_COMMITTER_EMAIL": "d@example.org",
            ])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let small = try work.repository("small", ["a": "a"])
        let clock = Mutex(Workspace.now)
        func hours(_ count: Int) -> Period { .seconds(count * 3600) }
        func pass(_ period: Period) { clock.withLock { $0 = $0.advanced(by: period) } }
        /// One scan of everything; returns when the large place was scanned last, and its problem.
        func scan() throws -> (at: Instant?, problem: String?) {
            let before = try alerts(.scanFinished).count
            let scans = service([large, small], interval: hours(6), now: { clock.withLock { $0 } })
            scans.start()
            try wait("the scan") { try alerts(.scanFinished).count > before }
            scans.stop()
            let place = try store.repositories().first { $0.path == large }
            return (place?.scannedAt, place?.problem)
        }
        func set(_ problem: String?) throws {
            try store.finishScan(
                of: large, startedAt: clock.withLock { $0 }, problem: problem, leftOut: nil, reach: nil, alert: nil,
                at: Workspace.now
            )
        }
        try set(SetAside.problem)
        for pause in [6, 12, 24, 24] {
            let last = clock.withLock { $0 }
            let place = try #require(try store.repositories().first { $0.path == large })
            #expect(SetAside.nextTry(place, hours(6)) == last.advanced(by: hours(pause)))
            pass(hours(pause - 1))
            #expect(try scan() == (last, SetAside.problem))
            pass(hours(1))
            #expect(try scan() == (last.advanced(by: hours(pause)), SetAside.problem))
        }
        // What it has was not found to be too much by anything else.
        try set(nil)
        #expect(try scan().problem == nil)
        // From the start again.
        try set(SetAside.problem)
        pass(hours(6))
        #expect(try scan().at == clock.withLock { $0 })
        #expect(try alerts(.scanFailed).isEmpty)
        #expect(try store.repositories().first { $0.path == small }?.problem == nil)
        try store.close()
    }

    @Test("a daemon that is killed at a place again and again scans the others first, and stops to scan that one")
    func killed() throws {
        try work.write("x", to: "random")
        let big = try work.repository("big", ["a": "a"])
        // Nothing that compresses, so that its search takes a while.
        let outcome = try work.run(
            "/bin/sh", ["-c", "head -c 150000000 /dev/urandom > '\(big)/r' && git -C '\(big)' add r"],
            environment: ["GIT_CONFIG_GLOBAL": "/dev/null"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let small = try work.repository("small", ["a": "a"])
        try work.configure("[scan]\nrepositories = [\"\(big)\", \"\(small)\"]")
        let mark = ScanMark(folder: work.path(""), name: "thorough", boot: BootID.value)
        for known in [nil, SuspectPlaces.cutOff] {
            let daemon = try DaemonProcess(work, environment: ["KEYVIGIL_BOOT_ID": BootID.value])
            try wait("the scan of the place") { try mark.left() == big && store.lastProblem(of: big) == known }
            _ = daemon.stop(SIGKILL)
        }
        let daemon = try DaemonProcess(work, environment: ["KEYVIGIL_BOOT_ID": BootID.value])
        try daemon.wait(for: "scan.failed")
        try daemon.wait(for: "scan.finished")
        #expect(
            daemon.events("scan.failed").count == 1 && daemon.events("scan.failed")[0].contains("\(big) is not scanned")
        )
        #expect(daemon.stop() == 0 && mark.left() == nil)
        let places = try store.repositories()
        #expect(places.first { $0.path == small }?.problem == nil && places.first { $0.path == big }?.problem != nil)
        try store.close()
    }

    private enum BootID {
        static let value = "0123456789abcdef0123456789abcdef"
    }
}
