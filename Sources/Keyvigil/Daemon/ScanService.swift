internal import CLinux
internal import Dispatch
internal import Glibc
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Scans the watched places: at the start, every interval, and on demand; and a repository at once when something is pushed
/// to it. Two lanes work beside each other: what a push reaches waits for no scan of everything, nor for a place that takes
/// long. A request during a scan is not lost, one more scan follows.
///
/// Unchecked: what is not behind a mutex is set in ``start()``, on the queue of the thorough lane, before any scan.
final class ScanService: @unchecked Sendable {
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let shared: Mutex<Shared>
    private let suspects: SuspectPlaces
    private let watcher: RepositoryWatcher
    /// What is watched is decided by one lane at a time.
    private let watching = Mutex(())
    private let thorough: ScanLane
    private let quick: ScanLane
    private var lanes: [ScanLane] { [thorough, quick] }
    private var timer: MonotonicTimer?
    private var pollTimer: MonotonicTimer?
    private var retryTimer: MonotonicTimer?
    private var confirmTimer: MonotonicTimer?
    private var pauseTimer: MonotonicTimer?

    /// How long to wait after the store has failed, in milliseconds.
    private static let retryPause = 30_000
    /// How long to wait before a doubtful problem is looked at again, in milliseconds.
    private static let confirmPause = 2_000
    private let confirmPause: Int
    /// How often places are looked at that cannot be watched, in milliseconds: what is pushed there is reported within a minute.
    static let pollPause = 45_000
    private let pollPause: Int
    /// As many places of the quick lane are listed at a time: the first is searched soon.
    private static let quickGroup = 8

    /// Where the thorough lane works.
    var queue: DispatchQueue { thorough.queue }

    private struct Shared {
        var settings: Configuration.ScanSettings
        var shortestPrefix: Int
        var isStopped = false
        var isFailing = false
        var lastFinished: Instant?
        /// The places of the configuration at the last look, by their paths.
        var targets: [ExactText: ScanTarget] = [:]
        /// The places as they are shown and stored, by their paths.
        var names: [ExactText: String] = [:]
        var turns = PlaceTurns()
        var seen = SeenPlaces()
        /// The place that each lane searches, and the time at which it began to list it.
        var searched: [ScanLane.Kind: String] = [:]
        var listed: [ExactText: (began: Int64, took: Int64)] = [:]
        var began: [ExactText: Int64] = [:]
        /// Whether the next scan of everything tries places that are set aside.
        var triesSetAside = false
        /// What was asked for while the other lane searched it.
        var again: Set<ExactText> = []
        /// Problems of places that a change has just reached, by their paths: reported if the next scan has them too.
        var doubtful: [ExactText: String] = [:]
        var reported = WatchObstacles()
    }

    /// What the status tells of the scans.
    struct State: Sendable {
        var isRunning: Bool
        var lastFinished: Instant?
        var places: Int
        var progress: ScanControl.Progress?
        var place: String?
    }

    /// - Parameters:
    ///   - alerted: is called when a scan has put alerts into the outbox.
    ///   - failed: is told of a store that fails; the scan is made again later.
    ///   - recovered: is called when a scan succeeds after one that failed.
    ///   - answers: returns when a place answers; on a file system that hangs it does not return.
    ///   - tellsChanges: whether the kernel hears of all changes to what lies at a path.
    ///   - pollPause: how often places are looked at that cannot be watched, in milliseconds.
    ///   - confirmPause: how long to wait before a doubtful problem is looked at again, in milliseconds.
    ///   - pauseFactor: how much longer than its last scan a place waits for the next one that a change asks for.
    ///   - boot: identifies this start of the machine.
    init(
        store: Store, settings: Configuration.ScanSettings, shortestPrefix: Int, now: @escaping @Sendable () -> Instant,
        alerted: @escaping @Sendable () -> Void, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void = {},
        answers: @escaping @Sendable (String) -> Void = { SuspectPlaces.touch($0) },
        tellsChanges: @escaping @Sendable (FilePath) -> Bool = DirectoryIdentity.tellsChanges,
        pollPause: Int = ScanService.pollPause, confirmPause: Int = ScanService.confirmPause,
        pauseFactor: Int64 = PlaceTurns.standardPauseFactor,
        boot: String = BootClock.bootID() ?? "unknown"
    ) {
        self.store = store
        self.now = now
        self.alerted = alerted
        self.failed = failed
        self.recovered = recovered
        suspects = SuspectPlaces(answers: answers)
        let push = Mutex<@Sendable (RepositoryWatcher.Push) -> Void>({ _ in })
        self.pollPause = pollPause
        self.confirmPause = confirmPause
        func lane(_ kind: ScanLane.Kind) -> ScanLane {
            ScanLane(kind, mark: ScanMark(folder: store.folder, name: kind.rawValue, boot: boot))
        }
        thorough = lane(.thorough)
        quick = lane(.quick)
        watcher = RepositoryWatcher(tellsChanges: tellsChanges) { what in push.withLock { $0 }(what) }
        shared = Mutex(
            Shared(
                settings: settings, shortestPrefix: shortestPrefix, turns: PlaceTurns(pauseFactor: pauseFactor)))
        push.withLock { $0 = { [weak self] in self?.note($0) } }
    }

    /// Looks for damage of the store, makes the first scan and arms the slow poll behind the requests.
    func start() {
        queue.async {
            // A daemon that is stopped at once has closed the store by now.
            guard !self.shared.withLock({ $0.isStopped }) else { return }
            do {
                try self.store.checkIntegrity()
                try self.takeUpMarks()
            } catch {
                self.failed(self.store.explained(error))
            }
            let timers = DispatchQueue(label: "keyvigil.scan-timers")
            func timer(_ body: @escaping @Sendable (ScanService) -> Void) -> MonotonicTimer {
                MonotonicTimer(queue: timers) { [weak self] in if let self { body(self) } }
            }
            self.timer = timer { $0.request() }
            self.confirmTimer = timer { $0.confirm() }
            self.retryTimer = timer { $0.retry() }
            self.pollTimer = timer { $0.poll() }
            self.pauseTimer = timer { $0.requestDue() }
            self.armTimer()
        }
        request()
    }

    /// Takes over a new configuration and scans by it. Places that are set aside are tried once more: a person may have
    /// repaired them.
    func adopt(_ settings: Configuration.ScanSettings, shortestPrefix: Int) {
        shared.withLock {
            $0.settings = settings
            $0.shortestPrefix = shortestPrefix
            $0.targets = [:]
            $0.triesSetAside = true
        }
        queue.async { self.armTimer() }
        request()
    }

    /// Asks for a scan, by default of everything.
    func request(_ what: ScanRequest = .all) {
        let time = Self.uptime
        let (parts, wait) = shared.withLock { shared in
            (shared.turns.assign(what, at: time), shared.turns.wait(at: time))
        }
        for lane in lanes { parts[lane.kind].map { request($0, of: lane) } }
        if let wait { pauseTimer?.start(every: Int(wait)) }
    }

    private func request(_ what: ScanRequest, of lane: ScanLane) {
        if lane.request(what) { lane.queue.async { self.run(lane) } }
    }

    /// Asks for the places whose pause is over.
    private func requestDue() {
        pauseTimer?.disarm()
        request(.some(shared.withLock { $0.turns.due(at: Self.uptime) }))
    }

    /// Asks for a scan if one is overdue by the wall clock: the running time that the timer goes by does not advance while
    /// the machine sleeps.
    func catchUp() {
        let instant = now()
        let isRunning = thorough.isRunning
        let isOverdue = shared.withLock { shared in
            guard !isRunning, let interval = shared.settings.interval, let last = shared.lastFinished else {
                return false
            }
            return instant >= last.advanced(by: interval)
        }
        guard isOverdue else { return }
        queue.async { self.armTimer() }
        request()
    }

    private func retry() {
        retryTimer?.disarm()
        for lane in lanes { request(lane.takeFailed(), of: lane) }
    }

    /// Scans the places again whose problems are doubtful.
    private func confirm() {
        confirmTimer?.disarm()
        request(.some(Set(shared.withLock { $0.doubtful }.keys)))
    }

    private func note(_ push: RepositoryWatcher.Push) {
        switch push {
        case .places(let places): request(.some(places))
        case .anything: request()
        }
    }

    /// Stops a scan that is under way, and ends. Blocks until it has stopped; what it had searched whole is remembered.
    func stop() {
        halt()
        for lane in lanes {
            lane.queue.sync {
                for timer in [timer, retryTimer, confirmTimer, pollTimer, pauseTimer] { timer?.cancel() }
            }
        }
        watcher.stop()
    }

    /// Stops a scan that is under way, and makes no other. Does not block.
    func halt() {
        shared.withLock { $0.isStopped = true }
        for lane in lanes { lane.halt() }
    }

    /// The place at which a scan makes no progress, if that lasts for too long. A long scan makes progress.
    ///
    /// - Parameters:
    ///   - time: monotonic, in milliseconds.
    ///   - limit: in milliseconds.
    func stalledPlace(at time: Int64, limit: Int64) -> String? {
        let places = lanes.map { $0.stalledPlace(at: time, limit: limit) }
        return places.compactMap(\.self).first
    }

    /// Remembers the place at which a scan makes no progress, so that after a restart it holds up no other. One that did so before
    /// is set aside.
    func rememberStall(at place: String) throws {
        let isSecond = try SuspectPlaces.problems.contains(store.lastProblem(of: place) ?? "")
        try note(isSecond ? SuspectPlaces.setAside : SuspectPlaces.problem, of: place)
        for lane in lanes where lane.progress?.place == place { lane.mark.clear() }
    }

    /// Learns which places an earlier daemon was scanning when it was killed.
    private func takeUpMarks() throws {
        for lane in lanes {
            guard let place = lane.mark.left() else { continue }
            let isSecond = try SuspectPlaces.problems.contains(store.lastProblem(of: place) ?? "")
            try note(isSecond ? SuspectPlaces.setAside : SuspectPlaces.cutOff, of: place)
            lane.mark.clear()
        }
    }

    /// Remembers a problem of a place that no scan has found. That it is set aside is said once.
    private func note(_ problem: String, of place: String) throws {
        let isNews = try problem == SuspectPlaces.setAside && store.lastProblem(of: place) != problem
        try ledger.finishScan(
            of: place, startedAt: now(), problem: problem, reach: nil, alert: isNews ? Alert(setAside: place) : nil,
            at: now())
        if isNews { alerted() }
    }

    /// For the status.
    var state: State {
        let running = lanes.compactMap(\.progress)
        let isRunning = lanes.contains(where: \.isRunning)
        return shared.withLock {
            State(
                isRunning: isRunning, lastFinished: $0.lastFinished, places: $0.targets.count,
                progress: running.first?.0, place: running.lazy.compactMap(\.place).first)
        }
    }

    /// The earliest of the beginnings of the last scans of all places; nil while one is waited for.
    var earliestScan: Instant? {
        let instant = now()
        return shared.withLock { $0.seen.earliestScan(at: Self.uptime, now: instant) }
    }

    private static var uptime: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }

    // MARK: - On the queue of a lane

    private func armTimer() {
        if let interval = shared.withLock({ $0.settings.interval }) {
            timer?.start(every: Int(interval.milliseconds))
        } else {
            timer?.disarm()
        }
    }

    private func run(_ lane: ScanLane) {
        let (request, control) = lane.begin()
        let (settings, shortestPrefix) = shared.withLock { ($0.settings, $0.shortestPrefix) }
        do {
            let scan = LaneScan(service: self, lane: lane, request: request, settings: settings, control: control)
            try self.scan(scan, shortestPrefix: shortestPrefix)
            let hasRecovered = shared.withLock { shared in
                defer { shared.isFailing = false }
                return shared.isFailing
            }
            if hasRecovered { recovered() }
        } catch {
            shared.withLock { $0.isFailing = true }
            lane.noteFailed(request)
            failed(store.explained(error))
            retryTimer?.start(every: Self.retryPause)
        }
        shared.withLock { $0.searched[lane.kind] = nil }
        // A scan needs much, and then nothing for a day.
        if lane.end() {
            lane.queue.async { self.run(lane) }
        } else if !lanes.contains(where: \.isRunning) {
            keyvigil_return_memory()
        }
    }

    /// What a request means: the places of the configuration that it names.
    private func targets(_ settings: Configuration.ScanSettings, _ request: ScanRequest) -> [ScanTarget] {
        // Watched before it is looked up: nothing comes unnoticed in between.
        watching.withLock { _ in
            if request.isAll {
                watcher.keep(Set((ScanTarget.all(in: settings).map(\.path) + settings.paths).map { ExactText($0) }))
            }
            watcher.watch(paths: settings.paths)
        }
        let known = shared.withLock { $0.targets }
        // A push to places that are known needs no look at all others.
        if !request.isAll, request.places.allSatisfy({ known[$0] != nil }) {
            return request.places.sorted().compactMap { known[$0] }
        }
        let all = ScanTarget.all(in: settings)
        shared.withLock { shared in
            shared.targets = Dictionary(all.map { (ExactText($0.path), $0) }) { first, _ in first }
            if request.isAll {
                shared.turns.keep(Set(shared.targets.keys))
                shared.seen.keep(Set(shared.targets.keys), at: Self.uptime)
            }
        }
        return all.filter { request.includes($0.path) }
    }

    /// The places that can be scanned now, and those that have stopped the daemon before, which are scanned after them, each
    /// alone. One that did not answer the last time is asked apart, and scanned once it does. One that is set aside is scanned
    /// once in each interval.
    private func scannable(
        _ targets: [ScanTarget], _ scan: LaneScan
    ) throws -> (ready: [ScanTarget], suspect: [ScanTarget]) {
        let names = try names(of: targets)
        let known = try store.repositories(with: SuspectPlaces.problems)
        let next = now()
        let pause = scan.settings.interval ?? .days(1)
        let triesSetAside = shared.withLock { shared in
            guard scan.request.isAll else { return false }
            defer { shared.triesSetAside = false }
            return shared.triesSetAside
        }
        var (ready, suspect): ([ScanTarget], [ScanTarget]) = ([], [])
        for target in targets {
            let name = names[target.path] ?? target.path
            guard let before = known[name] else {
                scan.lane.note(name)
                suspects.answers(target.path)
                ready.append(target)
                continue
            }
            switch before.problem {
            case SuspectPlaces.setAside:
                let isDue = triesSetAside || next >= (before.scannedAt ?? .earliest).advanced(by: pause)
                guard scan.lane.kind == .thorough, isDue else { continue }
            case SuspectPlaces.problem:
                // Then it is scanned with all others, as it would have been.
                guard suspects.isAnswering(target.path, answered: { [weak self] in self?.request() }) else { continue }
            default: break
            }
            guard scan.lane.kind == .thorough else {
                request(.some([ExactText(target.path)]), of: thorough)
                continue
            }
            suspect.append(target)
        }
        return (shared.withLock { $0.turns.ordered(ready) }, suspect)
    }

    /// The places as they are shown and stored. Of those that were scanned that is known; for others the prefixes are loaded once.
    private func names(of targets: [ScanTarget]) throws -> [ExactText: String] {
        let (shortest, threads) = shared.withLock { ($0.shortestPrefix, $0.settings.threads) }
        let new = shared.withLock { shared in targets.filter { shared.names[$0.path] == nil } }
        guard !new.isEmpty else { return shared.withLock { $0.names } }
        let mask = try PlaceMask.make(store, shortest: shortest, threads: threads)
        return shared.withLock { shared in
            for target in new { shared.names[target.path] = mask.text(target.path) }
            return shared.names
        }
    }

    /// Closes the findings of places that the configuration names no longer, and of those that are gone while their pattern
    /// still has others.
    private func closeUnwatched(_ targets: [ScanTarget], _ settings: Configuration.ScanSettings) throws {
        let names = shared.withLock { $0.names }
        let present = Set(targets.compactMap { names[$0.path] }.map { ExactText($0) })
        for place in try store.repositories() where place.isWatched && !present.contains(place.path) {
            // What is not readable, or matches nothing at present, may be back; what it is that is missing is told by its pattern.
            let patterns = settings.paths.filter { Glob.isPattern($0) && Glob.matches(place.path, pattern: $0) }
            let isLost = targets.contains { target in
                target.patternProblem != nil && patterns.contains { $0.isExactly(target.path) }
            }
            guard !isLost else { continue }
            let reason =
                patterns.isEmpty ? "the configuration does not name it any more" : "there is nothing there any more"
            if try store.closePlace(place.path, reason: reason, at: now()) { alerted() }
        }
    }

    private func scan(_ scan: LaneScan, shortestPrefix: Int) throws {
        let (settings, request, control) = (scan.settings, scan.request, scan.control)
        let targets = targets(settings, request)
        let (ready, suspect) = try scannable(targets, scan)
        if request.isAll { try closeUnwatched(targets, settings) }
        guard !ready.isEmpty || !suspect.isEmpty else { return try tellUnwatched() }
        var options = ScanOptions()
        options.threads = settings.threads
        options.scratch = ScratchSpace(folder: store.folder)
        let runner = ScanRunner(
            store: store, shortestPrefix: shortestPrefix, remembersFiles: true, options: options, settings: settings,
            actor: Actor(uid: getuid(), program: "keyvigild"), now: now)
        let startedAt = now()
        var totals = ScanTotals()
        let size = scan.lane.kind == .quick ? Self.quickGroup : max(1, ready.count)
        let groups = stride(from: 0, to: ready.count, by: size).map { Array(ready[$0..<min($0 + size, ready.count)]) }
        for group in groups + suspect.map({ [$0] }) where !control.isStopped {
            try runner.scan(group, control: control, watcher: scan) { outcome in
                try finish(outcome, scan, startedAt: startedAt, &totals)
            }
        }
        guard !control.isStopped else { return }
        try tellUnwatched()
        // Of a scan that a push has started only what it found is told.
        guard request.isAll else { return }
        shared.withLock { $0.lastFinished = now() }
        try ledger.enqueue(Alert(finishedScan: totals), at: now())
        alerted()
    }

    private func finish(
        _ outcome: ScanOutcome, _ scan: LaneScan, startedAt: Instant, _ totals: inout ScanTotals
    ) throws {
        let path = outcome.target.path
        scan.lane.endTurn()
        scan.lane.mark.clear()
        let isTurnOver = outcome.summary.wasCancelled && !scan.control.isStopped
        let isAskedAgain = shared.withLock { shared in
            shared.names[path] = outcome.place
            shared.searched[scan.lane.kind] = nil
            let time = Self.uptime
            let took =
                time - (shared.began.removeValue(forKey: ExactText(path)) ?? time)
                + (shared.listed.removeValue(forKey: ExactText(path))?.took ?? 0)
            shared.turns.noteScanned(path, took: took, at: time, isWhole: !isTurnOver)
            return shared.again.remove(ExactText(path)) != nil
        }
        if isAskedAgain || isTurnOver { request(.some([ExactText(path)])) }
        totals.add(outcome, isTurnOver: isTurnOver)
        if outcome.hasAlerts { alerted() }
        // A scan that was stopped is no news; the next one goes on from there.
        guard !outcome.summary.wasCancelled else { return }
        if outcome.isListed {
            shared.withLock { $0.seen.noteScanned(path, began: startedAt, at: Self.uptime) }
        }
        suspects.forget(path)
        // The same problem is reported once, until it is over.
        let isNews = try outcome.problem != nil && store.lastProblem(of: outcome.place) != outcome.problem
        // A repository that is being made, repacked or removed looks as if something were missing.
        let isDoubtful =
            isNews && !scan.request.isAll
            && shared.withLock { $0.doubtful.updateValue(outcome.problem ?? "", forKey: ExactText(path)) }
                != outcome.problem
        guard !isDoubtful else {
            confirmTimer?.start(every: confirmPause)
            return
        }
        shared.withLock { $0.doubtful[path] = nil }
        try store.finishScan(
            of: outcome.place, startedAt: startedAt, problem: outcome.problem, reach: outcome.reach,
            alert: isNews ? Alert(failedScan: outcome) : nil, at: now())
        if isNews { alerted() }
    }

    /// Tells once that places cannot be watched, and looks at them every minute instead, until they can.
    private func tellUnwatched() throws {
        let unwatched = watcher.unwatched
        let (settings, names) = shared.withLock { ($0.settings, $0.names) }
        let request = ScanRequest.some(Set(unwatched.keys))
        let affected =
            unwatched.isEmpty ? [] : ScanTarget.all(in: settings).map(\.path).filter { request.includes($0) }
        let places = affected.map { names[$0] ?? "a new place" }
        let now = WatchObstacles(unwatched.values)
        let isNews = shared.withLock { shared in
            defer { shared.reported = now }
            return now != shared.reported
        }
        guard isNews else { return }
        if now.isNone { pollTimer?.disarm() } else { pollTimer?.start(every: pollPause) }
        let alert = Alert(now, places: places)
        try ledger.enqueue(alert, at: self.now())
        alerted()
    }

    private func poll() { request(.some(Set(watcher.unwatched.keys))) }
}

// MARK: - What a scan reports of itself

extension ScanService {
    /// A scan of one lane.
    fileprivate struct LaneScan: ListingWatcher {
        let service: ScanService
        let lane: ScanLane
        let request: ScanRequest
        let settings: Configuration.ScanSettings
        let control: ScanControl

        func willList(_ target: ScanTarget) { service.willList(target, lane) }

        func didList(_ target: ScanTarget, _ repositories: [RepositoryLayout]) {
            service.didList(target, repositories, self)
        }

        func willSearch(_ target: ScanTarget) -> Bool { service.willSearch(target, self) }
    }

    private func willList(_ target: ScanTarget, _ lane: ScanLane) {
        noteWork(at: target, lane)
        shared.withLock { $0.listed[target.path] = (Self.uptime, 0) }
        watching.withLock { _ in
            if let layout = Scanner.repository(at: FilePath(target.path)) {
                watcher.watch([layout], of: target.path)
            } else {
                watcher.watchFolder(of: target.path)
            }
        }
    }

    private func didList(_ target: ScanTarget, _ repositories: [RepositoryLayout], _ scan: LaneScan) {
        let isNew = watching.withLock { _ in watcher.watch(repositories, of: target.path) }
        scan.lane.mark.clear()
        let time = Self.uptime
        shared.withLock { shared in
            let took = time - (shared.listed[target.path]?.began ?? time)
            shared.listed[target.path]?.took = took
            shared.turns.noteListed(target.path, took: took, quickTurn: scan.settings.pushTurn.milliseconds)
        }
        // Repositories inside of it are known only now: what was pushed to them meanwhile is looked for once more.
        if isNew { request(.some([ExactText(target.path)])) }
    }

    /// Begins the turn of a place, unless the other lane searches it: then it is asked for again when that is done.
    private func willSearch(_ target: ScanTarget, _ scan: LaneScan) -> Bool {
        let path = target.path
        let first = scan.lane.kind == .quick ? scan.settings.pushTurn : scan.settings.turn
        let turn: Int64? = shared.withLock { shared in
            guard !shared.searched.values.contains(where: { $0.isExactly(path) }) else {
                shared.again.insert(ExactText(path))
                return nil
            }
            shared.searched[scan.lane.kind] = path
            shared.began[path] = Self.uptime
            return shared.turns.turn(of: path, first.milliseconds)
        }
        guard let turn else { return false }
        noteWork(at: target, scan.lane)
        scan.lane.beginTurn(turn, scan.control)
        return true
    }

    /// Remembers the place that is being worked at: it is named if the work does not get on, or ends the daemon.
    private func noteWork(at target: ScanTarget, _ lane: ScanLane) {
        guard let name = shared.withLock({ $0.names[target.path] }) else { return }
        lane.note(name)
        lane.mark.set(name)
    }
}
