internal import Dispatch
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
    let store: Store
    var ledger: any Ledger { store.ledger }
    let now: @Sendable () -> Instant
    let alerted: @Sendable () -> Void
    let failed: @Sendable (StoreError) -> Void
    let recovered: @Sendable () -> Void
    let shared: Mutex<Shared>
    let suspects: SuspectPlaces
    let watcher: RepositoryWatcher
    let contents: ContentWatch
    let fileSystems: ReportingFileSystems
    let watchReport: WatchReport
    let thorough: ScanLane
    let quick: ScanLane
    var lanes: [ScanLane] { [thorough, quick] }
    private var timer: MonotonicTimer?
    var pollTimer: MonotonicTimer?
    var retryTimer: MonotonicTimer?
    var confirmTimer: MonotonicTimer?
    private var pauseTimer: MonotonicTimer?

    /// How long to wait after the store has failed, in milliseconds.
    static let retryPause = 30_000
    /// How long to wait before a doubtful problem is looked at again, in milliseconds.
    static let confirmPause = 2_000
    let confirmPause: Int
    /// How often places are looked at that cannot be watched, in milliseconds: what is pushed there is reported within a minute.
    static let pollPause = 45_000
    let pollPause: Int
    /// As many places of the quick lane are listed at a time: the first is searched soon.
    static let quickGroup = 8

    /// Where the thorough lane works.
    var queue: DispatchQueue { thorough.queue }

    struct Shared {
        var settings: Configuration.ScanSettings
        var shortestPrefix: Int
        var isStopped = false
        var isFailing = false
        /// Whether places cannot be watched, and are looked at every minute instead.
        var polls = false
        var lastFinished: Instant?
        /// The places of the configuration at the last look, by their paths.
        var targets: [ExactText: ScanTarget] = [:]
        var places = PlacePaths()
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
        /// Places that have made room in the quick lane for others, and are scanned after them.
        var putOff: Set<ExactText> = []
        /// What was asked for while the other lane searched it.
        var again: Set<ExactText> = []
        /// What the quick lane searched when it was the turn of the thorough one.
        var leftToQuick: Set<ExactText> = []
        /// Problems of places that a change has just reached, by their paths: reported if the next scan has them too.
        var doubtful: [ExactText: String] = [:]
        /// Who waits for the end of a scan of everything that has not begun yet.
        var awaiting: [@Sendable (ScanEnd) -> Void] = []
    }

    /// A scan of everything that has ended.
    struct ScanEnd: Sendable {
        let beganAt: Instant
        let endedAt: Instant
        /// The number of places that it was to search.
        let places: Int
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
    ///   - failed: gets the error of a store that fails; the scan is made again later.
    ///   - recovered: is called when a scan succeeds after one that failed.
    ///   - answers: returns when a place answers; on a file system that hangs it does not return.
    ///   - tellsChanges: whether the kernel hears of all changes to what lies at a path.
    ///   - pollPause: how often places are looked at that cannot be watched, in milliseconds.
    ///   - confirmPause: how long to wait before a doubtful problem is looked at again, in milliseconds.
    ///   - pauseFactor: how much longer than its last scan a place waits for the next one that a change asks for.
    ///   - watchReport: reports what cannot be watched; by default by itself.
    ///   - boot: identifies this start of the machine.
    init(
        store: Store, settings: Configuration.ScanSettings, shortestPrefix: Int, now: @escaping @Sendable () -> Instant,
        alerted: @escaping @Sendable () -> Void, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void = {},
        answers: @escaping @Sendable (String) -> Void = { SuspectPlaces.touch($0) },
        tellsChanges: @escaping @Sendable (FilePath) -> Bool = DirectoryIdentity.tellsChanges,
        pollPause: Int = ScanService.pollPause, confirmPause: Int = ScanService.confirmPause,
        pauseFactor: Int64 = PlaceTurns.standardPauseFactor,
        watchReport: WatchReport? = nil, boot: String = BootClock.bootID() ?? "unknown"
    ) {
        self.store = store
        self.watchReport = watchReport ?? WatchReport(store: store, now: now, alerted: alerted)
        self.now = now
        self.alerted = alerted
        self.failed = failed
        self.recovered = recovered
        suspects = SuspectPlaces(answers: answers)
        let push = Mutex<@Sendable (RepositoryWatcher.Push, PlaceTurns.Cause) -> Void>({ _, _ in })
        self.pollPause = pollPause
        self.confirmPause = confirmPause
        func lane(_ kind: ScanLane.Kind) -> ScanLane {
            ScanLane(kind, mark: ScanMark(folder: store.folder, name: kind.rawValue, boot: boot))
        }
        thorough = lane(.thorough)
        quick = lane(.quick)
        fileSystems = ReportingFileSystems(reportsChanges: tellsChanges)
        watcher = RepositoryWatcher(fileSystems) { what in push.withLock { $0 }(what, .push) }
        contents = ContentWatch(ignoring: FilePath(store.folder), fileSystems) { places in
            push.withLock { $0 }(.places(places), .content)
        }
        shared = Mutex(
            Shared(
                settings: settings, shortestPrefix: shortestPrefix, turns: PlaceTurns(pauseFactor: pauseFactor)))
        push.withLock { $0 = { [weak self] in self?.note($0, $1) } }
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
    func request(_ what: ScanRequest = .all, after cause: PlaceTurns.Cause = .push) {
        let time = Self.uptime
        let (parts, wait) = shared.withLock { shared in
            (shared.turns.assign(what, after: cause, at: time), shared.turns.wait(at: time))
        }
        for lane in lanes { parts[lane.kind].map { request($0, of: lane) } }
        if let wait { pauseTimer?.start(every: Int(wait)) }
    }

    /// Asks for a scan of everything.
    ///
    /// - Parameter ended: is called when a scan that began after this call has ended; not, if the service ends before.
    func request(ended: @escaping @Sendable (ScanEnd) -> Void) {
        shared.withLock { $0.awaiting.append(ended) }
        request()
    }

    func request(_ what: ScanRequest, of lane: ScanLane) {
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

    private func note(_ push: RepositoryWatcher.Push, _ cause: PlaceTurns.Cause) {
        switch push {
        case .places(let places): request(.some(places), after: cause)
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
        contents.stop()
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
        try note(isSecond ? SetAside.problem : SuspectPlaces.problem, of: place)
        for lane in lanes where lane.progress?.place == place { lane.mark.clear() }
    }

    /// Learns which places an earlier daemon was scanning when it was killed.
    private func takeUpMarks() throws {
        for lane in lanes {
            guard let place = lane.mark.left() else { continue }
            let isSecond = try SuspectPlaces.problems.contains(store.lastProblem(of: place) ?? "")
            try note(isSecond ? SetAside.problem : SuspectPlaces.cutOff, of: place)
            lane.mark.clear()
        }
    }

    /// Remembers a problem of a place that no scan has found. That it is set aside is said once.
    private func note(_ problem: String, of place: String) throws {
        let isNews = try problem == SetAside.problem && store.lastProblem(of: place) != problem
        try ledger.finishScan(
            of: place, startedAt: now(), problem: problem, leftOut: nil, reach: nil,
            alert: isNews ? Alert(setAside: place) : nil,
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

    static var uptime: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }

    // MARK: - On the queue of a lane

    private func armTimer() {
        if let interval = shared.withLock({ $0.settings.interval }) {
            timer?.start(every: Int(interval.milliseconds))
        } else {
            timer?.disarm()
        }
        armPollTimer()
    }

    /// Looks every minute at what cannot be watched.
    func armPollTimer() {
        let isNeeded = shared.withLock {
            $0.polls || $0.settings.sources.contains(.processes)
        }
        if isNeeded { pollTimer?.start(every: pollPause) } else { pollTimer?.disarm() }
    }

    /// Why changes in places are not all noticed at once, by the paths of places and of what patterns look into.
    var obstacles: [ExactText: WatchObstacle] {
        watcher.unwatched.merging(contents.unwatched) { $0.isPolled ? $0 : $1 }
    }

    private func poll() {
        let ofProcesses =
            shared.withLock { $0.settings.sources.contains(.processes) } ? ScanSource.processes.patterns : []
        let polled = obstacles.filter(\.value.isPolled).keys
        request(.some(Set(polled).union(ofProcesses.map { ExactText($0) })))
    }
}
