internal import CLinux
internal import Dispatch
internal import Errors
internal import Fleet
internal import Glibc
internal import KeyStore
internal import Keys
internal import Synchronization
internal import Systemd

/// The daemon: its services, and what happens on signals.
///
/// Unchecked: what is not constant is touched on `queue` only.
final class Daemon: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.control")
    private let configurationPath: String
    private let environment: [String: String]
    private let lock: DaemonLock
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let output: EntryOutput
    private let notify: Notify
    private let now: @Sendable () -> Instant
    private let delivery: DeliveryService
    private let expiry: ExpiryService
    private let scans: ScanService
    private let upkeep: StoreUpkeep
    private let troubles: TroubleLog
    private let watchReport: WatchReport
    private let sockets: SocketService
    /// Nil for a store without a fleet.
    private let fleet: FleetService?
    private var storeWatcher: StoreWatcher?
    private var watchdog: WatchdogService?
    private var clockSource: ClockChangeSource?
    private var signals: SignalWatcher?
    private var configuration: Configuration
    private var isStopping = false
    private var awaited = Set<Int32>()
    /// The second of the running time in which progress was last reported.
    private var lastProgress: UInt64 = 0
    private let stopped = DispatchSemaphore(value: 0)
    /// Set when the daemon ends because of trouble.
    private let exitStatus = Atomic<Int32>(0)
    /// Whether the open file holds a backup: the store is left as it is then, without an end in order.
    private let isOverwritten = Atomic<Bool>(false)

    static let signals: [Int32] = [SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT]

    init(
        configurationPath: String, loaded: LoadedConfiguration, lock: DaemonLock, store: Store,
        sockets: consuming ListeningSockets, reader: ReadDoor.Runner?, output: EntryOutput,
        environment: [String: String],
        now: @escaping @Sendable () -> Instant
    ) {
        self.configurationPath = configurationPath
        self.environment = environment
        self.lock = lock
        self.store = store
        self.output = output
        self.now = now
        configuration = loaded.configuration
        notify = Notify(environment: environment)
        let damage = Mutex<@Sendable () -> Void>({})
        let reviewed = Mutex<@Sendable (ReviewProgress?) -> Void>({ _ in })
        let troubles = TroubleLog(output: output, now: now, damaged: { damage.withLock { $0 }() })
        let delivery = DeliveryService(
            store: store, output: output, environment: environment, now: now,
            failed: { troubles.note($0, in: .delivery) },
            recovered: { troubles.noteRecovery(of: .delivery) })
        let actor = AuditActor(uid: getuid(), program: "keyvigild")
        let expiry = ExpiryService(
            store: store, actor: actor, now: now, alerted: { delivery.kick() },
            failed: { troubles.note($0, in: .expiry) }, recovered: { troubles.noteRecovery(of: .expiry) },
            progressed: { reviewed.withLock { $0 }($0) },
            suspected: { output.log(Alert(impossibleClock: now()), at: now()) }, jitter: { Double.random(in: 0..<1) })
        let watchReport = WatchReport(store: store, now: now, alerted: { delivery.kick() })
        let scans = ScanService(
            store: store, settings: configuration.scan, shortestPrefix: configuration.hygiene.shortestPrefix, now: now,
            alerted: { delivery.kick() }, failed: { troubles.note($0, in: .scan) },
            recovered: { troubles.noteRecovery(of: .scan) }, watchReport: watchReport)
        let upkeep = StoreUpkeep(
            store: store, retention: configuration.alerts, now: now, earliestScan: { scans.earliestScan },
            alerted: { delivery.kick() }, checkpoint: { output.log(Alert(checkpoint: $0), at: now()) })
        self.sockets = SocketService(
            sockets, workspace: Workspace(loaded: loaded, store: store), reader: reader, now: now,
            failed: { troubles.note($0, in: .socket) }, recovered: { troubles.noteRecovery(of: .socket) },
            unusable: { troubles.noteUnusable($0, $1) })
        fleet = (store.authority as? FleetAuthority).map { authority in
            FleetService(
                store: store, database: authority, failed: { troubles.note($0, in: .fleet) },
                recovered: {
                    troubles.noteRecovery(of: .fleet)
                    expiry.kick()
                }, alerted: { delivery.kick() }, sources: loaded.configuration.scan.watchedPaths.count,
                scan: { scans.request(ended: $0) }, now: now,
                jitter: { Double.random(in: 0..<1) })
        }
        damage.withLock {
            $0 = {
                upkeep.halt()
                expiry.halt()
                scans.halt()
                delivery.halt()
            }
        }
        self.delivery = delivery
        self.troubles = troubles
        self.expiry = expiry
        self.scans = scans
        self.watchReport = watchReport
        self.upkeep = upkeep
        reviewed.withLock { $0 = { [weak self] in self?.tell($0) } }
    }

    /// Runs until a signal ends it, or trouble that only a new start resolves. The signals must have been blocked before
    /// any thread was started.
    ///
    /// - Returns: the exit status.
    func run() throws -> Int32 {
        if case .journal = output { compareWithJournal() }
        let (entry, configuration) = try queue.sync {
            signals = try SignalWatcher(Self.signals, queue: queue) { [weak self] in self?.handle($0) }
            return (try startEntry(), self.configuration)
        }
        delivery.start(with: entry)
        // A daemon that was ended meanwhile has said its last word.
        queue.sync { if !isStopping { reportClock() } }
        expiry.start(configuration.lifecycle, sweepInterval: configuration.daemon.sweepInterval)
        // A signal may have ended it already: then nothing is begun that the end would not know of.
        try queue.sync { if !isStopping { try startWatching() } }
        stopped.wait()
        return exitStatus.load(ordering: .sequentiallyConsistent)
    }

    /// Says that no time service keeps the clock right, once for each start of the machine.
    private func reportClock() {
        guard ClockSynchronisation.current() == .unsynchronised else { return }
        let machineStart = Instant(milliseconds: now().milliseconds - BootClock.milliseconds)
        if let last = try? store.latestAlert(of: .clockSuspect), last.createdAt >= machineStart { return }
        enqueue(Alert(unsynchronisedClock: now()))
    }

    /// What the store's own witness has noticed is in the outbox since the store was opened.
    private func compareWithJournal() {
        guard store.rollBack == nil, let here = store.auditEnd(), let known = JournalMark.last(of: here.store),
            (try? store.isOlder(than: known)) == true
        else { return }
        enqueue(Alert(storeOlderThan: known))
    }

    /// On the queue.
    private func startWatching() throws {
        let expiry = self.expiry
        let delivery = self.delivery
        let watcher = StoreWatcher(
            store: store,
            changed: {
                expiry.kick()
                delivery.kick()
            },
            replaced: { [weak self] in $0 ? self?.storeWasOverwritten() : self?.storeWasReplaced() },
            obstructed: { [watchReport] in
                watchReport.note(store: $0)
                // What the store does not take now is reported at the end of the next scan.
                try? watchReport.report()
            })
        try watcher.start()
        storeWatcher = watcher
        clockSource = try ClockChangeSource(queue: queue) { [weak self] in self?.clockChanged() }
        startWatchdog()
        fleet?.start()
        scans.start()
        upkeep.start()
        try sockets.start()
        notify.ready(status: summary())
    }

    private func startWatchdog() {
        let (troubles, scans, store) = (self.troubles, self.scans, self.store)
        // A scan may take hours; one without progress for ten times the watchdog's limit is stuck.
        let limit = Int64(Watchdog.interval(environment: environment) ?? 60_000) * 10
        let watchdog = WatchdogService(
            notify: notify, watched: [("expiry", expiry.queue), ("delivery", delivery.queue), ("control", queue)],
            standsStill: { time in
                scans.stalledPlace(at: time, limit: limit).map { "scan of \(DisplayText.name($0))" }
            },
            stalled: { [weak self] name in
                troubles.noteStall(of: name)
                self?.lookAtStall(limit)
            },
            resting: { store.releaseMemory() })
        self.watchdog = watchdog
        watchdog.start(environment: environment, processID: getpid())
    }

    // MARK: - Signals, on the queue

    private func handle(_ signal: ReceivedSignal) {
        guard !isStopping else { return }
        guard signal.number != SIGTERM, signal.number != SIGINT else { return stop() }
        // Of a flood of signals those that are already waiting are one, as the kernel itself has it.
        guard awaited.insert(signal.number).inserted else { return }
        queue.async { [weak self] in self?.act(on: signal.number) }
    }

    private func act(on signal: Int32) {
        awaited.remove(signal)
        guard !isStopping else { return }
        switch signal {
        case SIGHUP: reload()
        case SIGUSR1: scans.request()
        default: writeStatus()
        }
    }

    private func lookAtStall(_ limit: Int64) {
        queue.async { self.rememberStalledScan(limit) }
    }

    private func rememberStalledScan(_ limit: Int64) {
        let time = Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
        guard let place = scans.stalledPlace(at: time, limit: limit) else { return }
        do { try scans.rememberStall(at: place) } catch {
            troubles.note(store.explained(error), in: .control)
        }
    }

    /// Reads the configuration again. A broken one is refused whole, and the old one stays in force.
    private func reload() {
        notify.reloading()
        do {
            let loaded = try LoadedConfiguration.load(configurationPath, required: true)
            let old = configuration
            configuration = loaded.configuration
            store.adopt(loaded.issuers)
            adoptStaleness()
            expiry.adopt(configuration.lifecycle, sweepInterval: configuration.daemon.sweepInterval)
            upkeep.adopt(configuration.alerts)
            sockets.adopt(loaded)
            scans.adopt(configuration.scan, shortestPrefix: configuration.hygiene.shortestPrefix)
            let later =
                (configuration.store != old.store ? ["the new place of the store"] : [])
                + (configuration.socket != old.socket ? ["the new settings of the sockets"] : [])
            let text = ConfigurationText(store, configuration)
            let files = loaded.files.map { "\(name: text.shown($0))" as Wording }.joined(separator: ", ")
            enqueue(
                Alert(
                    kind: .configReloaded, priority: .info,
                    message: "the configuration was read again from \(files)"
                        + (later.isEmpty ? "" : "; from the next start on: \(words: later.joined(separator: ", "))")))
        } catch {
            let original = error as any ExplainedError
            let explained = ConfigurationText(store, configuration).shown(original)
            var fields: [Alert.Field: String] = [.reason: explained.message]
            fields[.remedy] =
                (explained.hint.map { "\($0); then: " } ?? "") + "keyvigil check-config && systemctl reload keyvigil"
            enqueue(
                Alert(
                    kind: .configRejected, priority: .error,
                    message: "the new configuration is refused, the old one is in force: \(words: explained.message)",
                    fields: fields))
        }
        notify.ready(status: summary())
    }

    private func adoptStaleness() {
        do { try store.adopt(maxStaleness: configuration.fleet.maxStaleness) } catch {
            troubles.note(store.explained(error), in: .control)
        }
        fleet?.rearm(sources: configuration.scan.watchedPaths.count)
    }

    private func writeStatus() {
        let expiry = expiry.state
        // The store knows the next date, whether or not there was a sweep that has seen it.
        let due = (try? store.nextDue()) ?? expiry.nextDue
        let report = StatusReport(
            keys: (try? store.activeKeyCount()) ?? 0, undelivered: (try? store.undeliveredAlertCount()) ?? 0,
            expiry: (due, expiry.lastSweep), scans: scans.state, delivery: delivery.state, trouble: troubles.trouble,
            audit: store.auditEnd())
        output.log(report.alert, at: now())
        notify.status(summary())
    }

    /// Ends in order: no new work, then what is in the outbox, then the store. Whatever does not end in time, on a disk
    /// that hangs or a store that is locked, is left as it is: a daemon may be killed at any moment.
    private func stop(status: Int32 = 0) {
        isStopping = true
        _ = exitStatus.compareExchange(expected: 0, desired: status, ordering: .sequentiallyConsistent)
        notify.stopping(status: "stopping")
        sockets.stop()
        fleet?.halt()
        scans.halt()
        upkeep.halt()
        let stopped = self.stopped
        let deadline = MonotonicTimer(queue: DispatchQueue(label: "keyvigil.deadline")) { stopped.signal() }
        deadline.start(every: Self.patience)
        storeWatcher?.stop()
        guard !isOverwritten.load(ordering: .sequentiallyConsistent) else { return }
        clockSource?.cancel()
        scans.stop()
        expiry.stop()
        delivery.finish(within: 0.7)
        if let end = store.auditEnd() { output.log(Alert(checkpoint: end), at: now()) }
        output.log(
            Alert(
                kind: .daemonStopped, priority: status == 0 ? .info : .error,
                message: "keyvigild has stopped; keys past their date stay refused",
                fields: JournalMark.fields(store.auditEnd())),
            at: now())
        watchdog?.stop()
        do { try store.close() } catch {
            // SQLite recovers what a missing close leaves behind; it is reported in the journal all the same.
            troubles.note(store.explained(error), in: .control)
        }
        deadline.cancel()
        stopped.signal()
    }

    /// The longest that an end in order may take, in milliseconds.
    private static let patience = 1_500

    // MARK: - Events

    private func clockChanged() {
        scans.catchUp()
        expiry.clockWasSet { [weak self] takesBack in
            // Otherwise the store's own alert says what was taken back.
            if let self, !takesBack { enqueue(Alert(clockSetTo: now())) }
        }
    }

    /// How far a look at all keys has come, for `systemctl status`, about once a second.
    private func tell(_ progress: ReviewProgress?) {
        queue.async { [self] in
            guard !isStopping else { return }
            guard let progress else {
                notify.status(summary())
                return
            }
            let second = DispatchTime.now().uptimeNanoseconds / 1_000_000_000
            guard second != lastProgress else { return }
            lastProgress = second
            let percent = progress.total == 0 ? 100 : progress.done * 100 / progress.total
            notify.status(
                "computing due dates again: \(percent) % of the keys are done; the store can be used meanwhile")
        }
    }

    /// A backup in the file that is open: nothing may be written to it, not even what is in the log, which belongs to the file
    /// as it was. What is in the outbox is in that log.
    private func storeWasOverwritten() {
        isOverwritten.store(true, ordering: .sequentiallyConsistent)
        exitStatus.store(Self.storeIsGone, ordering: .sequentiallyConsistent)
        output.log(
            Alert(
                kind: .storeDamaged, priority: .critical,
                message:
                    "a backup was copied over the store \(name: store.location) while keyvigild had it open; it stops",
                fields: [
                    .reason: "the file says that it is a backup, and its log belongs to the store as it was",
                    .remedy: "keyvigil restore \(argument: store.location), then: "
                        + "systemctl start keyvigil",
                ]), at: now())
        expiry.halt()
        scans.halt()
        delivery.halt()
        stopped.signal()
    }

    /// Another file in the store's place needs another start; none at all needs a person.
    private func storeWasReplaced() {
        let isGone = !store.isInPlace
        output.log(
            Alert(
                kind: .storeDamaged, priority: .critical,
                message: isGone
                    ? "the store \(name: store.location) was removed while keyvigild had it open; it stops"
                    : "the store \(name: store.location) was replaced while keyvigild had it open; it starts again on the new file",
                fields: [
                    .reason: isGone ? "no file is in its place" : "another file is in its place",
                    .remedy: isGone
                        ? "keyvigil restore FILE, then: systemctl start keyvigil"
                        : "keyvigil status; if it was no restore on purpose, find out who did it: journalctl -n 200",
                ]), at: now())
        queue.async { [self] in
            guard !isStopping else { return }
            stop(status: isGone ? Self.storeIsGone : Self.storeIsNew)
        }
    }

    /// Exit statuses beside 0 and 2. The unit does not start again after the first.
    static let storeIsGone: Int32 = 3
    static let storeIsNew: Int32 = 4

    private func enqueue(_ alert: Alert) {
        do {
            try ledger.enqueue(alert, at: now())
            delivery.kick()
        } catch {
            // What the store cannot take is reported at least once, directly.
            output.log(alert, at: now())
        }
    }

    private func startEntry() throws -> Alert {
        let keys = try store.activeKeyCount()
        let due: Wording = try store.nextDue().map { ", the next date is \($0)" } ?? ""
        // A look at the places themselves could hang, and their names would have to be searched for secrets.
        let listed = configuration.scan.repositories.count + configuration.scan.folders.count
        let places =
            switch listed {
            case 0: "no places"
            case 1: "one path or pattern of the configuration"
            default: "\(listed) paths and patterns of the configuration"
            }
        let interval: Wording = configuration.scan.interval.map { "every \($0) and on SIGUSR1" } ?? "on SIGUSR1"
        return Alert(
            kind: .daemonStarted, priority: .info,
            message:
                "keyvigild \(words: keyvigilVersion) watches \(keys) active \(words: keys == 1 ? "key" : "keys") in \(name: store.location)\(due); "
                + "it scans \(words: places) \(interval)",
            fields: JournalMark.fields(store.auditEnd()))
    }

    private func summary() -> String {
        let due = (try? store.nextDue())?.map { "next date \($0)" } ?? "no date ahead"
        let place = scans.state.place.map { ", scanning \(DisplayText.name($0))" } ?? ""
        return "\((try? store.activeKeyCount()) ?? 0) active keys, \(due)\(place)"
    }
}
