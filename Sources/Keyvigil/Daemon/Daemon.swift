internal import CLinux
internal import Dispatch
internal import Foundation
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
    private let store: Store
    private let output: EntryOutput
    private let notify: Notify
    private let now: @Sendable () -> Instant
    private let delivery: DeliveryService
    private let expiry: ExpiryService
    private let scans: ScanService
    private let troubles: TroubleLog
    private var storeWatcher: StoreWatcher?
    private var watchdog: WatchdogService?
    private var clockSource: ClockChangeSource?
    private var signals: SignalWatcher?
    private var configuration: Configuration
    private var isStopping = false
    private let stopped = DispatchSemaphore(value: 0)

    static let signals: [Int32] = [SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT]

    init(
        configurationPath: String, loaded: LoadedConfiguration, store: Store, output: EntryOutput,
        environment: [String: String], now: @escaping @Sendable () -> Instant
    ) {
        self.configurationPath = configurationPath
        self.environment = environment
        self.store = store
        self.output = output
        self.now = now
        configuration = loaded.configuration
        notify = Notify(environment: environment)
        let delivery = DeliveryService(store: store, output: output, now: now)
        let troubles = TroubleLog(output: output, now: now)
        self.delivery = delivery
        self.troubles = troubles
        let actor = Actor(uid: getuid(), program: "keyvigild")
        expiry = ExpiryService(
            store: store, actor: actor, now: now, alerted: { delivery.kick() }, failed: { troubles.note($0) })
        scans = ScanService(
            store: store, settings: configuration.scan, shortestPrefix: configuration.hygiene.shortestPrefix, now: now,
            alerted: { delivery.kick() }, failed: { troubles.note($0) })
    }

    /// Runs until a signal ends it. The signals must have been blocked before any thread was started.
    func run() throws {
        signals = try SignalWatcher(Self.signals, queue: queue) { [weak self] in self?.handle($0) }
        try store.adopt(configuration.lifecycle, at: now())
        delivery.start(with: try startEntry())
        expiry.start(sweepInterval: configuration.daemon.sweepInterval)
        let expiry = self.expiry
        let delivery = self.delivery
        let watcher = StoreWatcher(
            store: store,
            changed: {
                expiry.kick()
                delivery.kick()
            },
            replaced: { [weak self] in self?.storeWasReplaced() })
        try watcher.start()
        storeWatcher = watcher
        clockSource = try ClockChangeSource(queue: queue) { [weak self] in self?.clockChanged() }
        let troubles = self.troubles
        let watchdog = WatchdogService(
            notify: notify, watched: [("expiry", expiry.queue), ("delivery", delivery.queue), ("control", queue)],
            stalled: { troubles.noteStall(of: $0) })
        self.watchdog = watchdog
        watchdog.start(environment: environment, processID: getpid())
        scans.start()
        notify.ready(status: summary())
        stopped.wait()
    }

    // MARK: - Signals, on the queue

    private func handle(_ signal: ReceivedSignal) {
        guard !isStopping else { return }
        switch signal.number {
        case SIGHUP: reload()
        case SIGUSR1: scans.request()
        case SIGUSR2: writeStatus()
        default: stop()
        }
    }

    /// Reads the configuration anew. A broken one is refused whole, and the old one stays in force.
    private func reload() {
        notify.reloading()
        do {
            let loaded = try LoadedConfiguration.load(configurationPath, required: true)
            let old = configuration
            configuration = loaded.configuration
            store.adopt(loaded.issuers)
            expiry.adopt(configuration.lifecycle, sweepInterval: configuration.daemon.sweepInterval)
            scans.adopt(configuration.scan, shortestPrefix: configuration.hygiene.shortestPrefix)
            let needsRestart = configuration.store != old.store
            enqueue(
                Alert(
                    kind: .configReloaded, priority: .info,
                    message: "the configuration was read anew from \(loaded.files.joined(separator: ", "))"
                        + (needsRestart ? "; the new place of the store counts from the next start" : "")))
        } catch {
            let explained = error as any ExplainedError
            var fields: [Alert.Field: String] = [.reason: explained.message]
            fields[.remedy] =
                (explained.hint.map { "\($0); then: " } ?? "") + "keyvigil check-config && systemctl reload keyvigil"
            enqueue(
                Alert(
                    kind: .configRejected, priority: .error,
                    message: "the new configuration is refused, the old one stays in force: \(explained.message)",
                    fields: fields))
        }
        notify.ready(status: summary())
    }

    private func writeStatus() {
        let report = StatusReport(
            keys: (try? store.activeKeyCount()) ?? 0, undelivered: (try? store.undeliveredAlertCount()) ?? 0,
            expiry: expiry.state, scans: scans.state, delivery: delivery.state)
        output.log(report.alert, at: now())
        notify.status(summary())
    }

    /// Ends in order: no new work, then what is in the outbox, then the store.
    private func stop() {
        isStopping = true
        notify.stopping(status: "stopping")
        storeWatcher?.stop()
        clockSource?.cancel()
        scans.stop()
        expiry.stop()
        delivery.finish(within: 1)
        output.log(
            Alert(
                kind: .daemonStopped, priority: .info,
                message: "keyvigild has stopped; keys past their date stay refused"),
            at: now())
        watchdog?.stop()
        do { try store.close() } catch {
            // SQLite recovers what a missing close leaves behind; the journal is told all the same.
            troubles.note(error as? StoreError ?? StoreError.unexpected(error, path: store.path))
        }
        stopped.signal()
    }

    // MARK: - Events

    private func clockChanged() {
        let instant = now()
        expiry.kick()
        enqueue(
            Alert(
                kind: .clockChanged, priority: .notice,
                message:
                    "the clock was set, or the machine resumed: it is \(instant) now; due dates were looked at again"))
    }

    private func storeWasReplaced() {
        output.log(
            Alert(
                kind: .storeDamaged, priority: .critical,
                message: "the store \(store.path) was removed or replaced while keyvigild had it open",
                fields: [
                    .reason: "another file stands in its place, or none", .remedy: "systemctl restart keyvigil",
                ]), at: now())
        notify.status("the store was replaced: restart the service")
        kill(getpid(), SIGTERM)
    }

    private func enqueue(_ alert: Alert) {
        do {
            try store.enqueue(alert, at: now())
            delivery.kick()
        } catch {
            // What the store cannot take is told at least once, directly.
            output.log(alert, at: now())
        }
    }

    private func startEntry() throws -> Alert {
        let keys = try store.activeKeyCount()
        let due = try store.nextDue().map { ", the next date is \($0)" } ?? ""
        let targets = ScanTarget.all(in: configuration.scan)
        let places = targets.isEmpty ? "no places" : targets.count == 1 ? targets[0].path : "\(targets.count) places"
        let interval = configuration.scan.interval.map { "every \($0) and on SIGUSR1" } ?? "on SIGUSR1"
        return Alert(
            kind: .daemonStarted, priority: .info,
            message:
                "keyvigild \(keyvigilVersion) watches \(keys) active key\(keys == 1 ? "" : "s") in \(store.path)\(due); "
                + "it scans \(places) \(interval)")
    }

    private func summary() -> String {
        let due = (try? store.nextDue())?.map { "next date \($0)" } ?? "no date ahead"
        return "\((try? store.activeKeyCount()) ?? 0) active keys, \(due)"
    }
}
