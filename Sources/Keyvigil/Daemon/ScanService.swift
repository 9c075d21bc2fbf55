internal import Dispatch
internal import Glibc
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization
internal import Systemd

/// Scans the watched places: at the start, every interval, and on demand. One scan runs at a time; a request during one
/// is not lost, one more scan follows.
///
/// Unchecked: what is not behind the mutex is touched on `queue` only.
final class ScanService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.scan")
    private let store: Store
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let shared: Mutex<Shared>
    private var timer: MonotonicTimer?

    private struct Shared {
        var settings: Configuration.ScanSettings
        var shortestPrefix: Int
        var isRunning = false
        var isRequested = false
        var isStopped = false
        var control: ScanControl?
        var lastFinished: Instant?
        var places = 0
    }

    /// What the status tells of the scans.
    struct State: Sendable {
        var isRunning: Bool
        var lastFinished: Instant?
        var places: Int
        var progress: ScanControl.Progress?
    }

    init(
        store: Store, settings: Configuration.ScanSettings, shortestPrefix: Int, now: @escaping @Sendable () -> Instant,
        alerted: @escaping @Sendable () -> Void, failed: @escaping @Sendable (StoreError) -> Void
    ) {
        self.store = store
        self.now = now
        self.alerted = alerted
        self.failed = failed
        shared = Mutex(Shared(settings: settings, shortestPrefix: shortestPrefix))
    }

    /// Makes the first scan and arms the slow poll behind the requests.
    func start() {
        queue.async {
            self.timer = MonotonicTimer(queue: self.queue) { [weak self] in self?.request() }
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

    /// Asks for a scan of everything.
    func request() {
        let mustStart = shared.withLock { shared in
            guard !shared.isStopped else { return false }
            guard !shared.isRunning else {
                shared.isRequested = true
                return false
            }
            shared.isRunning = true
            return true
        }
        if mustStart { queue.async { self.run() } }
    }

    /// Stops a scan that is under way, and ends. Blocks until it has stopped; what it had searched whole is remembered.
    func stop() {
        shared.withLock {
            $0.isStopped = true
            $0.control?.cancel()
        }
        queue.sync { timer?.cancel() }
    }

    /// For the status.
    var state: State {
        shared.withLock {
            State(
                isRunning: $0.isRunning, lastFinished: $0.lastFinished, places: $0.places,
                progress: $0.control?.progress)
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
        let (settings, shortestPrefix) = shared.withLock { shared in
            shared.control = control
            shared.isRequested = false
            if shared.isStopped { control.cancel() }
            return (shared.settings, shared.shortestPrefix)
        }
        do { try scanAll(settings, shortestPrefix: shortestPrefix, control) } catch {
            failed(error as? StoreError ?? StoreError.unexpected(error, path: store.path))
        }
        let again = shared.withLock { shared in
            shared.control = nil
            let again = shared.isRequested && !shared.isStopped
            shared.isRunning = again
            return again
        }
        if again { queue.async { self.run() } }
    }

    private func scanAll(_ settings: Configuration.ScanSettings, shortestPrefix: Int, _ control: ScanControl) throws {
        let targets = ScanTarget.all(in: settings)
        shared.withLock { $0.places = targets.count }
        guard !targets.isEmpty else { return }
        var options = ScanOptions()
        options.threads = settings.threads
        let runner = ScanRunner(
            store: store, shortestPrefix: shortestPrefix, remembersFiles: true, options: options,
            actor: Actor(uid: getuid(), program: "keyvigild"), now: now)
        let startedAt = now()
        var totals = ScanTotals()
        try runner.scan(targets, control: control) { outcome in
            totals.add(outcome)
            // A scan that was stopped is no news; the next one goes on from there.
            guard !outcome.summary.wasCancelled else { return }
            // The same trouble is told once, until it is over.
            let isNews = try outcome.problem != nil && store.lastProblem(of: outcome.target.path) != outcome.problem
            try store.finishScan(
                of: outcome.target.path, startedAt: startedAt, problem: outcome.problem,
                alert: isNews ? Alert(failedScan: outcome) : nil, at: now())
            if isNews || outcome.newFindings > 0 { alerted() }
        }
        guard !control.isCancelled else { return }
        shared.withLock { $0.lastFinished = now() }
        try store.enqueue(Alert(finishedScan: totals), at: now())
        alerted()
    }
}

/// The sum of a scan of all places.
struct ScanTotals {
    private(set) var places = 0
    private(set) var failed = 0
    private(set) var objects: UInt64 = 0
    private(set) var files: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var newFindings = 0
    private(set) var lastPath = ""

    mutating func add(_ outcome: ScanOutcome) {
        places += 1
        if outcome.problem != nil { failed += 1 }
        objects += outcome.summary.objects
        files += outcome.summary.files
        bytes += outcome.summary.bytes
        newFindings += outcome.newFindings
        lastPath = outcome.target.path
    }
}

extension Alert {
    init(finishedScan totals: ScanTotals) {
        var fields: [Field: String] = [
            .objects: String(totals.objects), .bytes: String(totals.bytes), .findings: String(totals.newFindings),
        ]
        if totals.places == 1 { fields[.repository] = totals.lastPath }
        let places = totals.places == 1 ? DisplayText.escaped(totals.lastPath) : "\(totals.places) places"
        let news =
            totals.newFindings == 0
            ? "nothing new" : "\(totals.newFindings) new finding\(totals.newFindings == 1 ? "" : "s")"
        let failed = totals.failed == 0 ? "" : ", \(totals.failed) not searched whole"
        self.init(
            kind: .scanFinished, priority: .info,
            message: "scanned \(places): \(news); \(totals.objects) objects, \(totals.files) files, "
                + "\(ByteCount.text(totals.bytes))\(failed)", fields: fields)
    }

    init(failedScan outcome: ScanOutcome) {
        var fields: [Field: String] = [.repository: outcome.target.path]
        fields[.reason] = outcome.problem
        fields[.remedy] = outcome.hint
        self.init(
            kind: .scanFailed, priority: .warning,
            message: "\(DisplayText.escaped(outcome.target.path)) was not searched whole: \(outcome.problem ?? "")",
            fields: fields)
    }
}
