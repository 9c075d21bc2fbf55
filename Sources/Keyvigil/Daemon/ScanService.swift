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
/// to it. One scan runs at a time; a request during one is not lost, one more scan follows.
///
/// Unchecked: what is not behind the mutex is touched on `queue` only.
final class ScanService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.scan")
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let shared: Mutex<Shared>
    private let suspects: SuspectPlaces
    private let watcher: RepositoryWatcher
    private var reported = WatchObstacles()
    private var timer: MonotonicTimer?
    private var pollTimer: MonotonicTimer?
    private var retryTimer: MonotonicTimer?
    private var confirmTimer: MonotonicTimer?
    /// Problems of places that a change has just reached, by their paths: reported if the next scan has them too.
    private var doubtful: [String: String] = [:]
    private var isFailing = false

    /// How long to wait after the store has failed, in milliseconds.
    private static let retryPause = 30_000
    /// How long to wait before a doubtful problem is looked at again, in milliseconds.
    private static let confirmPause = 2_000
    /// How often places are looked at that cannot be watched, in milliseconds: what is pushed there is reported within a minute.
    static let pollPause = 45_000
    private let pollPause: Int

    private struct Shared {
        var settings: Configuration.ScanSettings
        var shortestPrefix: Int
        var isRunning = false
        var requested = ScanRequest.nothing
        /// What a store that failed has left undone.
        var failed = ScanRequest.nothing
        var isStopped = false
        var control: ScanControl?
        var lastFinished: Instant?
        var places = 0
        /// The places as they are shown and stored, by their paths.
        var names: [String: String] = [:]
        /// What is being looked at, for whoever wonders why it takes so long.
        var place: String?
        var stall = StallWatch()
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
    init(
        store: Store, settings: Configuration.ScanSettings, shortestPrefix: Int, now: @escaping @Sendable () -> Instant,
        alerted: @escaping @Sendable () -> Void, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void = {},
        answers: @escaping @Sendable (String) -> Void = { SuspectPlaces.touch($0) },
        tellsChanges: @escaping @Sendable (FilePath) -> Bool = DirectoryIdentity.tellsChanges,
        pollPause: Int = ScanService.pollPause
    ) {
        self.store = store
        self.now = now
        self.alerted = alerted
        self.failed = failed
        self.recovered = recovered
        suspects = SuspectPlaces(answers: answers)
        let push = Mutex<@Sendable (RepositoryWatcher.Push) -> Void>({ _ in })
        self.pollPause = pollPause
        watcher = RepositoryWatcher(tellsChanges: tellsChanges) { what in push.withLock { $0 }(what) }
        shared = Mutex(Shared(settings: settings, shortestPrefix: shortestPrefix))
        push.withLock { $0 = { [weak self] in self?.note($0) } }
    }

    /// Looks for damage of the store, makes the first scan and arms the slow poll behind the requests.
    func start() {
        queue.async {
            // A daemon that is stopped at once has closed the store by now.
            guard !self.shared.withLock({ $0.isStopped }) else { return }
            do { try self.store.checkIntegrity() } catch {
                self.failed(self.store.explained(error))
            }
            self.timer = MonotonicTimer(queue: self.queue) { [weak self] in self?.request() }
            self.confirmTimer = MonotonicTimer(queue: self.queue) { [weak self] in self?.confirm() }
            self.retryTimer = MonotonicTimer(queue: self.queue) { [weak self] in
                self?.retryTimer?.disarm()
                self?.retry()
            }
            self.pollTimer = MonotonicTimer(queue: self.queue) { [weak self] in self?.poll() }
            self.armTimer()
        }
        request()
    }

    /// Takes over a new configuration and scans by it.
    func adopt(_ settings: Configuration.ScanSettings, shortestPrefix: Int) {
        shared.withLock {
            $0.settings = settings
            $0.shortestPrefix = shortestPrefix
        }
        queue.async { self.armTimer() }
        request()
    }

    /// Asks for a scan, by default of everything.
    func request(_ what: ScanRequest = .all) {
        let mustStart = shared.withLock { shared in
            guard !shared.isStopped else { return false }
            shared.requested.merge(what)
            guard !shared.isRunning else { return false }
            shared.isRunning = true
            return true
        }
        if mustStart { queue.async { self.run() } }
    }

    /// Asks for a scan if one is overdue by the wall clock: the running time that the timer goes by stands still while
    /// the machine sleeps.
    func catchUp() {
        let instant = now()
        let isOverdue = shared.withLock { shared in
            guard !shared.isRunning, let interval = shared.settings.interval, let last = shared.lastFinished else {
                return false
            }
            return instant >= last.advanced(by: interval)
        }
        guard isOverdue else { return }
        queue.async { self.armTimer() }
        request()
    }

    private func retry() {
        let what = shared.withLock { shared in
            let what = shared.failed
            shared.failed = .nothing
            return what
        }
        request(what == .nothing ? .all : what)
    }

    /// Scans the places again whose problems are doubtful.
    private func confirm() {
        confirmTimer?.disarm()
        request(.some(Set(doubtful.keys)))
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
        queue.sync {
            timer?.cancel()
            retryTimer?.cancel()
            confirmTimer?.cancel()
            pollTimer?.cancel()
            watcher.stop()
        }
    }

    /// Stops a scan that is under way, and makes no other. Does not block.
    func halt() {
        shared.withLock {
            $0.isStopped = true
            $0.control?.cancel()
        }
    }

    /// The place at which the scan stands still, if it has not got on for so long. A long scan is no stall: it gets on.
    ///
    /// - Parameters:
    ///   - time: monotonic, in milliseconds.
    ///   - limit: in milliseconds.
    func stalledPlace(at time: Int64, limit: Int64) -> String? {
        shared.withLock { shared in
            let progress = shared.isRunning ? shared.control.map { ($0.progress, shared.place) } : nil
            let isStalled = shared.stall.isStalled(progress, at: time, limit: limit)
            return isStalled ? shared.place ?? "the configured places" : nil
        }
    }

    /// Remembers the place at which the scan stands still, so that after a restart it holds up no other.
    func rememberStall(at place: String) throws {
        try ledger.finishScan(of: place, startedAt: now(), problem: SuspectPlaces.problem, alert: nil, at: now())
    }

    /// For the status.
    var state: State {
        shared.withLock {
            State(
                isRunning: $0.isRunning, lastFinished: $0.lastFinished, places: $0.places,
                progress: $0.control?.progress, place: $0.place)
        }
    }

    // MARK: - On the queue

    private func armTimer() {
        if let interval = shared.withLock({ $0.settings.interval }) {
            timer?.start(every: Int(interval.milliseconds))
        } else {
            timer?.disarm()
        }
    }

    private func run() {
        let control = ScanControl()
        let (settings, shortestPrefix, request) = shared.withLock { shared in
            shared.control = control
            let request = shared.requested
            shared.requested = .nothing
            if shared.isStopped { control.cancel() }
            return (shared.settings, shared.shortestPrefix, request)
        }
        do {
            try scan(request, settings, shortestPrefix: shortestPrefix, control)
            if isFailing { recovered() }
            isFailing = false
        } catch {
            isFailing = true
            shared.withLock { $0.failed.merge(request) }
            failed(store.explained(error))
            retryTimer?.start(every: Self.retryPause)
        }
        let again = shared.withLock { shared in
            shared.control = nil
            shared.place = nil
            let again = shared.requested != .nothing && !shared.isStopped
            shared.isRunning = again
            return again
        }
        // A scan needs much, and then nothing for a day.
        if again { queue.async { self.run() } } else { keyvigil_return_memory() }
    }

    /// The places that can be scanned now. One that did not answer the last time is asked apart, and scanned once it
    /// does.
    private func targets(_ settings: Configuration.ScanSettings, _ request: ScanRequest) throws -> [ScanTarget] {
        // Watched before it is looked up: nothing comes unnoticed in between.
        if request.isAll { watcher.keep(Set(ScanTarget.all(in: settings).map(\.path) + settings.paths)) }
        watcher.watch(paths: settings.paths)
        let all = ScanTarget.all(in: settings)
        let names = try names(of: all)
        let hung = Set(try store.repositories().filter { $0.problem == SuspectPlaces.problem }.map(\.path))
        shared.withLock { $0.places = all.count }
        let answered: @Sendable () -> Void = { [weak self] in self?.request() }
        return all.filter { target in
            guard request.includes(target.path) else { return false }
            let name = names[target.path] ?? target.path
            if hung.contains(name), !suspects.isAnswering(target.path, answered: answered) { return false }
            shared.withLock { $0.place = name }
            suspects.answers(target.path)
            return true
        }
    }

    /// The places as they are shown and stored. Of those that were scanned that is known; for others the prefixes are loaded once.
    private func names(of targets: [ScanTarget]) throws -> [String: String] {
        let (known, settings) = shared.withLock { ($0.names, $0) }
        let new = targets.filter { known[$0.path] == nil }
        guard !new.isEmpty else { return known }
        let mask = try PlaceMask.make(
            store, shortest: settings.shortestPrefix, threads: settings.settings.threads)
        return shared.withLock { shared in
            for target in new { shared.names[target.path] = mask.text(target.path) }
            return shared.names
        }
    }

    /// Closes the findings of places that the configuration names no longer, and of those that are gone while their pattern
    /// still has others.
    private func closeUnwatched(_ targets: [ScanTarget], _ settings: Configuration.ScanSettings) throws {
        let names = shared.withLock { $0.names }
        let present = Set(targets.compactMap { names[$0.path] })
        for place in try store.repositories() where place.isWatched && !present.contains(place.path) {
            // What is not readable, or matches nothing at present, may be back; what it is that is missing is told by its pattern.
            let patterns = settings.paths.filter { Glob.isPattern($0) && Glob.matches(place.path, pattern: $0) }
            let isLost = targets.contains { target in target.patternProblem != nil && patterns.contains(target.path) }
            guard !isLost else { continue }
            let reason =
                patterns.isEmpty ? "the configuration does not name it any more" : "there is nothing there any more"
            if try store.closePlace(place.path, reason: reason, at: now()) { alerted() }
        }
    }

    private func scan(
        _ request: ScanRequest, _ settings: Configuration.ScanSettings, shortestPrefix: Int, _ control: ScanControl
    ) throws {
        let targets = try targets(settings, request)
        if request.isAll { try closeUnwatched(ScanTarget.all(in: settings), settings) }
        guard !targets.isEmpty else { return try tellUnwatched() }
        var options = ScanOptions()
        options.threads = settings.threads
        options.scratch = ScratchSpace(folder: store.folder)
        let runner = ScanRunner(
            store: store, shortestPrefix: shortestPrefix, remembersFiles: true, options: options, settings: settings,
            actor: Actor(uid: getuid(), program: "keyvigild"), now: now)
        let startedAt = now()
        var totals = ScanTotals()
        try runner.scan(targets, control: control, watcher: self) { outcome in
            totals.add(outcome)
            suspects.forget(outcome.target.path)
            shared.withLock { $0.names[outcome.target.path] = outcome.place }
            // A scan that was stopped is no news; the next one goes on from there.
            guard !outcome.summary.wasCancelled else { return }
            // The same trouble is told once, until it is over.
            let isNews = try outcome.problem != nil && store.lastProblem(of: outcome.place) != outcome.problem
            // A repository that is being made, repacked or removed looks as if something were missing.
            let path = outcome.target.path
            if isNews, !request.isAll, doubtful.updateValue(outcome.problem ?? "", forKey: path) != outcome.problem {
                confirmTimer?.start(every: Self.confirmPause)
                if outcome.hasAlerts { alerted() }
                return
            }
            doubtful[path] = nil
            try store.finishScan(
                of: outcome.place, startedAt: startedAt, problem: outcome.problem,
                alert: isNews ? Alert(failedScan: outcome) : nil, at: now())
            if isNews || outcome.hasAlerts { alerted() }
        }
        guard !control.isCancelled else { return }
        try tellUnwatched()
        // Of a scan that a push has started only what it found is told.
        guard request.isAll else { return }
        shared.withLock { $0.lastFinished = now() }
        try ledger.enqueue(Alert(finishedScan: totals), at: now())
        alerted()
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
        guard now != reported else { return }
        if now.isNone { pollTimer?.disarm() } else { pollTimer?.start(every: pollPause) }
        let alert = Alert(now, places: places)
        reported = now
        try ledger.enqueue(alert, at: self.now())
        alerted()
    }

    private func poll() { request(.some(Set(watcher.unwatched.keys))) }
}

extension ScanService: ListingWatcher {
    func willList(_ target: ScanTarget) {
        noteWork(at: target)
        if let layout = Scanner.repository(at: FilePath(target.path)) {
            watcher.watch([layout], of: target.path)
        } else {
            watcher.watchFolder(of: target.path)
        }
    }

    func willSearch(_ target: ScanTarget) { noteWork(at: target) }

    /// Remembers the place that is being worked at: it is named if the work does not get on.
    private func noteWork(at target: ScanTarget) { shared.withLock { $0.place = $0.names[target.path] } }

    func didList(_ target: ScanTarget, _ repositories: [RepositoryLayout]) {
        // Repositories inside of it are known only now: what was pushed to them meanwhile is looked for once more.
        if watcher.watch(repositories, of: target.path) { request(.some([target.path])) }
    }
}
