internal import Dispatch
internal import Fleet
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import Synchronization
internal import Systemd

/// Keeps this host's copy of a fleet's tables up to date, and tells the fleet's database that the host lives.
///
/// A notification makes it look at once; with each sign of life it looks anyway, since a notification can be lost.
///
/// Unchecked: every stored variable is touched on `queue` only, or is behind a lock.
final class FleetService: @unchecked Sendable {
    let queue = DispatchQueue(label: "keyvigil.fleet")
    private let store: Store
    private let database: FleetAuthority
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let alerted: @Sendable () -> Void
    private let now: @Sendable () -> Instant
    private let uptime: @Sendable () -> Int64
    private let jitter: @Sendable () -> Double
    /// Comparisons take long.
    private let comparisons = DispatchQueue(label: "keyvigil.fleet.comparisons")
    private let comparisonTimer = Mutex<MonotonicTimer?>(nil)
    private let lastComparison = Mutex<Instant?>(nil)
    private var scans: FleetScans?
    private var listener: Listener?
    /// The server that the listener is connected to.
    private var listenedServer: Membership.Server?
    private var beatTimer: MonotonicTimer?
    private var retryTimer: MonotonicTimer?
    /// Runs after this host has said, on demand, how far it has applied changes.
    private var quietTimer: MonotonicTimer?
    private var isQuiet = false
    private var isAsked = false
    private var isFailing = false
    /// Whether it is known that what the database acknowledges is safe, or was reported that it is not.
    private var hasLookedAtDurability = false
    private var lastTrim: Instant?
    /// In what the configuration of this host was last reported to differ from the fleet's settings; empty: it does not.
    private var reportedDifferences: String?
    /// Since when another machine has been in the way of the signs of life; nil: it is not.
    private var duplicateSince: Int64?
    private var hasReportedDuplicate = false
    private var isStopped = false
    /// Of the next attempt after a failure, in milliseconds.
    private var pause = firstPause

    /// Between answers on demand, in milliseconds.
    private static let quiet = 1_000
    /// For how long another machine must have been in the way before it is reported: a machine that was started again is the host after a
    /// minute.
    private static let duplicatePatience = Period.seconds(120)
    /// Between reports of what lasts, and that a person is to change.
    private static let silence = Period.days(7)
    /// Between signs of life, in milliseconds: as often as the questions of the watchdog, unless the copy is believed for less than a minute.
    private var beatPeriod: Int {
        let bound = store.membership?.maxStaleness.milliseconds ?? 0
        return bound == 0 ? Self.longestBeat : min(Self.longestBeat, max(1_000, Int(bound / 3)))
    }
    private static let longestBeat = 20_000
    /// In milliseconds.
    private static let hour = 3_600_000
    private static let firstPause = 100.0
    private static let longestPause = 30_000.0

    /// - Parameters:
    ///   - failed: gets the error of a database that does not answer; the service tries again by itself.
    ///   - recovered: is called when it answers again.
    ///   - alerted: is called after alerts were put into the outbox.
    ///   - sources: the number of paths and patterns that are scanned.
    ///   - scan: asks for a scan of everything, and is given what to call when it has ended.
    ///   - uptime: milliseconds, by a clock that is never set.
    ///   - jitter: between 0 and 1, at random: so that hosts which lost the database together do not come back together.
    init(
        store: Store, database: FleetAuthority, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void, alerted: @escaping @Sendable () -> Void, sources: Int,
        scan: @escaping @Sendable (_ ended: @escaping @Sendable (ScanService.ScanEnd) -> Void) -> Void,
        now: @escaping @Sendable () -> Instant,
        uptime: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) },
        jitter: @escaping @Sendable () -> Double
    ) {
        self.store = store
        self.database = database
        self.failed = failed
        self.recovered = recovered
        self.alerted = alerted
        self.now = now
        self.uptime = uptime
        self.jitter = jitter
        scans = FleetScans(database: database, sources: sources) { [weak self] request in
            let service = self
            scan { [weak service] end in service?.noteEnd(of: end, request) }
        }
    }

    /// Starts. Does not wait for the database.
    func start() {
        comparisonTimer.withLock {
            $0 = MonotonicTimer(queue: comparisons) { [weak self] in self?.compare() }
            // Not all hosts at once.
            $0?.start(every: Self.hour, first: Int(Double(Self.hour) * jitter()))
        }
        queue.async { [self] in
            beatTimer = MonotonicTimer(queue: queue) { [weak self] in self?.beat() }
            retryTimer = MonotonicTimer(queue: queue) { [weak self] in self?.turn() }
            quietTimer = MonotonicTimer(queue: queue) { [weak self] in self?.endQuiet() }
            beatTimer?.start(every: beatPeriod, first: 0)
        }
    }

    /// Takes another bound for the age of the copy into use, and another number of paths and patterns that are scanned.
    func rearm(sources: Int) {
        queue.async { [self] in
            scans?.sources = sources
            if !isStopped { beatTimer?.start(every: beatPeriod, first: 0) }
        }
    }

    /// Ends as soon as a call that is under way is over. Does not block.
    func halt() {
        comparisonTimer.withLock { $0?.cancel() }
        queue.async { [self] in
            isStopped = true
            beatTimer?.cancel()
            retryTimer?.cancel()
            quietTimer?.cancel()
            listener = nil
            // What fails costs a minute after the next start of the machine, no more.
            if !isFailing { try? store.signOff() }
        }
    }

    /// Compares the copy with the database, once a day; one that differs is read again. What fails is tried again in an hour.
    private func compare() {
        let instant = now()
        if let last = lastComparison.withLock(\.self), instant >= last, instant < last.advanced(by: .days(1)) { return }
        do {
            guard let tables = try store.differingTables() else { return }
            lastComparison.withLock { $0 = instant }
            guard !tables.isEmpty else { return }
            try store.copyAll()
            enqueue(Alert(copyOf: store.host, differedIn: tables))
        } catch {
            // That the database does not answer is reported with the signs of life.
        }
    }

    // MARK: - On the queue

    private func beat() {
        turn()
        guard !isStopped, !hasReportedDuplicate, let since = duplicateSince,
            uptime() - since >= Self.duplicatePatience.milliseconds
        else { return }
        hasReportedDuplicate = true
        enqueue(Alert(duplicateOf: store.host))
    }

    private func turn() {
        guard !isStopped else { return }
        do {
            if listener == nil { try listen() }
            try store.confirm()
            if listenedServer != database.server {
                // A former primary that hangs, or is cut off, keeps its connections.
                try listen()
                try store.catchUp()
            }
            if try store.exchangeAlerts(at: now()) > 0 { alerted() }
            try scans?.turn(of: store.host.number)
            if try store.recordWaitingUses() > 0 { alerted() }
            try lookAtDurability()
            try comparePolicies()
            try trimFeeds()
            retryTimer?.disarm()
            pause = Self.firstPause
            if isFailing { recovered() }
            isFailing = false
            (duplicateSince, hasReportedDuplicate) = (nil, false)
        } catch {
            isFailing = true
            let reason = store.explained(error)
            failed(reason)
            duplicateSince = reason.code == .duplicate ? duplicateSince ?? uptime() : nil
            // Between nothing and the whole pause ("full jitter").
            retryTimer?.start(every: beatPeriod, first: Int(pause * jitter()) + 1)
            pause = min(2 * pause, Self.longestPause)
        }
    }

    /// A scan that a person has asked all hosts for has ended here.
    private func noteEnd(of end: ScanService.ScanEnd, _ request: Int64) {
        queue.async { [self] in
            scans?.noteEnd(
                FleetHostScan.End(
                    request: request, beganAt: end.beganAt, endedAt: end.endedAt, places: Int64(end.places)))
            turn()
        }
    }

    /// Listens before the copy is brought up to date: what is changed in between is heard of.
    private func listen() throws {
        listener = nil
        listener = try database.listen(
            heard: { [weak self] in self?.hear($0) }, lost: { [weak self] in self?.lose() })
        listenedServer = database.server
    }

    /// Reports once a week that the database can lose what it acknowledges.
    private func lookAtDurability() throws {
        guard !hasLookedAtDurability else { return }
        let weakness = try database.weakness()
        hasLookedAtDurability = true
        guard let weakness, try latestAlert(of: .storeWeak) == nil else { return }
        enqueue(Alert(weakness))
    }

    /// Reports, when that begins and once a week while it lasts, that the configuration of this host has other settings of due
    /// dates than the fleet.
    private func comparePolicies() throws {
        let differences = store.policy.differences(of: store.configuredPolicy)
        defer { reportedDifferences = differences }
        guard !differences.isEmpty else { return }
        let last = try latestAlert(of: .configDiffers)
        // After a start it is not known whether they were the same in between.
        guard (reportedDifferences ?? differences) != differences || last?.fields[.reason] != differences else {
            return
        }
        enqueue(Alert(configurationDiffersBy: differences))
    }

    /// The latest alert of a kind, unless it is time to report the same again.
    private func latestAlert(of kind: AlertKind) throws -> Alert? {
        guard let last = try store.latestAlert(of: kind), last.createdAt.advanced(by: Self.silence) > now() else {
            return nil
        }
        return last.alert
    }

    /// Removes, once a day, old entries of the feeds from the database.
    private func trimFeeds() throws {
        let instant = now()
        if let last = lastTrim, instant >= last, instant < last.advanced(by: .days(1)) { return }
        try database.trimFeeds()
        lastTrim = instant
    }

    private func enqueue(_ alert: Alert) {
        do {
            try store.enqueue(alert, at: now())
            alerted()
        } catch { failed(store.explained(error)) }
    }

    private func hear(_ isAwaited: Bool) {
        queue.async { [self] in
            guard !isStopped else { return }
            do { try store.catchUp() } catch { return turn() }
            if isAwaited { answer() }
        }
    }

    /// Says how far this host has applied changes, for someone who waits: at once, and again after a while at the earliest.
    private func answer() {
        guard !isQuiet else {
            isAsked = true
            return
        }
        isQuiet = true
        quietTimer?.start(every: beatPeriod, first: Self.quiet)
        turn()
    }

    private func endQuiet() {
        quietTimer?.disarm()
        isQuiet = false
        guard isAsked, !isStopped else { return }
        isAsked = false
        answer()
    }

    private func lose() {
        queue.async { [self] in
            listener = nil
            turn()
        }
    }
}
