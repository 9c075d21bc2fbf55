internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

struct StatusCommand: ReadVerb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show in one screen what is watched, what comes next and what is wrong.",
        discussion: """
            Exit status, for Icinga, Nagios and cron: 0 all is well; 1 something needs a person: a leaked secret that works, a \
            rotation that is due, a key on hold, alerts that are not delivered, a place that cannot be searched whole, or a host of the \
            fleet that is not seen; 2 the service does not run, or the store cannot be read.

            Examples:
                keyvigil status
                keyvigil status --json
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func show() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        let store = workspace.store
        var counts: [KeyStatus: Int] = [:]
        var flags: [HygieneFlag: Int] = [:]
        var held: [KeyStatus: Int] = [:]
        let presentation = KeyPresentation(workspace, now: now)
        try store.forEachKey(at: now) { key in
            counts[key.status(at: now), default: 0] += 1
            if key.origin == .held { held[key.status(at: now), default: 0] += 1 }
            for verdict in presentation.verdicts(on: key) { flags[verdict.flag, default: 0] += 1 }
        }
        let next = try store.nextDue()
        let undelivered = try store.undeliveredAlertCount()
        let places = try WatchedPlace.all(in: workspace, common.access)
        let events = try store.countOpenFindings()
        let unregistered = try store.countUnregistered()
        let imported = try store.importUnderWay()
        // In the daemon, which sees no locks of the machine, it is the daemon that answers.
        let isRunning = Workspace.lent != nil || DaemonLock.isHeld(store: store.location)
        let fleet = FleetStatus(of: store, at: now)
        let troubles = try self.troubles(store, flags, fleet, isRunning: isRunning, at: now)
        let leaksOfDeleted = try store.hasLeakOfDeletedKey()
        let needsPerson =
            !troubles.isEmpty || now < BuildDate.instant || !workspace.loaded.problems.isEmpty
            || places.contains { $0.problem != nil }
            || Self.pressing.contains { flags[$0] != nil } || leaksOfDeleted
        let status: Int32 = !isRunning ? 2 : needsPerson ? 1 : 0
        if common.json {
            var line = JSONLine()
            line.add("store", store.location)
            for status in KeyStatus.allCases where status != .deleted {
                line.add("\(status.rawValue)_keys", counts[status] ?? 0)
            }
            line.add("held_keys", held.values.reduce(0, +))
            line.add("on_hold_keys", flags[.onHold] ?? 0)
            line.add("clock_trouble", clockTrouble(at: now))
            line.add("next_due_at", next)
            line.add("undelivered_alerts", undelivered)
            line.add("daemon_running", isRunning)
            line.add("troubles", troubles.map(\.alert.message))
            if let fleet { line.add("fleet", object: fleet.line) } else { line.add("fleet", String?.none) }
            line.add("open_findings", events)
            line.add("unregistered_secrets", unregistered)
            line.add("import_began_at", imported?.beganAt)
            line.add("import_accepted_keys", imported?.keys.map(Int64.init))
            line.add("import_keys_left", imported.map { Int64($0.left) })
            line.add("needs_person", needsPerson)
            line.add(
                "repositories",
                objects: places.map { place in
                    var entry = JSONLine()
                    entry.add("path", place.name)
                    entry.add("scanned_at", place.scannedAt)
                    entry.add("problem", place.problem)
                    entry.add("left_out", place.leftOut)
                    entry.add("next_try_at", place.nextTry)
                    return entry
                })
            Terminal.print(line.line)
            guard status == 0 else { throw ExitCode(status) }
            return
        }
        let style = Style(for: .standardOutput)
        let tally = KeyStatus.allCases.filter { $0 != .deleted }.map { "\(counts[$0] ?? 0) \($0.rawValue)" }
        Terminal.print("\(style.bold("store"))        \(store.location)")
        Terminal.print(
            "\(style.bold("daemon"))       "
                + (isRunning ? "running" : style.red("not running: systemctl start keyvigil")))
        if let fleet { Terminal.print("\(style.bold("fleet"))        \(fleet.words)") }
        if let trouble = clockTrouble(at: now) {
            Terminal.print("\(style.bold("clock"))        \(style.yellow(trouble)): timedatectl set-ntp true")
        }
        for entry in troubles {
            let message = style.red(DisplayText.escaped(entry.alert.message, limit: Alert.longestMessage))
            Terminal.print("\(style.bold("trouble"))      \(message)  (\(DateText.moment(entry.at, from: now)))")
            if let remedy = entry.alert.fields[.remedy] {
                Terminal.print("             \(DisplayText.escaped(remedy, limit: Alert.Field.remedy.longest))")
            }
        }
        // The service has said so too, if it was reloaded.
        for problem in troubles.contains(where: { $0.alert.kind == .configRejected }) ? [] : workspace.loaded.problems {
            Terminal.print("\(style.bold("trouble"))      \(style.red(problem.message))")
            Terminal.print("             keyvigil check-config")
        }
        Terminal.print("\(style.bold("keys"))         \(tally.joined(separator: ", "))")
        if let imported {
            Terminal.print("\(style.bold("import"))       \(ImportPresentation(imported).progress(at: now))")
        }
        if !held.isEmpty {
            let words = [
                (KeyStatus.active, "active"), (.expired, "past their recorded expiry"),
                (.revoked, "said to be revoked"),
            ]
            let parts = words.compactMap { status, word in held[status].map { "\($0) \(word)" } }
            Terminal.print("\(style.bold("of these"))     held from other issuers: \(parts.joined(separator: ", "))")
        }
        let unclean = HygieneFlag.allCases.compactMap { flag in flags[flag].map { "\($0) \(flag.rawValue)" } }
        if !unclean.isEmpty {
            let list = unclean.count == 1 ? HygieneFlag.allCases.first { flags[$0] != nil } : nil
            let command = "keyvigil list" + (list.map { " --flag \($0.rawValue)" } ?? "")
            Terminal.print("\(style.bold("to do"))        \(style.yellow(unclean.joined(separator: ", "))): \(command)")
        }
        let overdue = next.map { $0 <= now } ?? false
        Terminal.print(
            "\(style.bold("next date"))    \(next.map { DateText.moment($0, from: now) } ?? "none")"
                + (overdue ? style.red("  (past)") : ""))
        let strays =
            unregistered > 0
            ? ", \(unregistered) of secrets that belong to no key (keyvigil findings --unregistered)" : ""
        Terminal.print("\(style.bold("findings"))     \(events) open\(strays)")
        Terminal.print("\(style.bold("alerts"))       \(undelivered) undelivered")
        for place in places {
            let verb = place.problem == nil ? "scanned" : "tried"
            let when =
                place.scannedAt.map { "\(verb) \(DateText.moment($0, from: now))" }
                ?? style.yellow("not scanned by keyvigild yet")
            let problem = place.problem.map { "  " + style.red(DisplayText.escaped($0, limit: 400)) } ?? ""
            let again = place.nextTry.map { ": by the scan after \(DateText.moment($0, from: now))" } ?? ""
            Terminal.print("\(style.bold("watched"))      \(DisplayText.name(place.name))  \(when)\(problem)\(again)")
            if let leftOut = place.leftOut {
                Terminal.print("             left out: \(DisplayText.escaped(leftOut, limit: 400))")
            }
        }
        if places.isEmpty {
            Terminal.print(
                "\(style.bold("watched"))      "
                    + (workspace.loaded.problems.isEmpty
                        ? "nothing: keyvigil init" : "not known before the configuration is corrected"))
        }
        fleet?.printHosts()
        guard status == 0 else { throw ExitCode(status) }
    }

    /// Flags of keys for which someone has to do something now.
    private static let pressing: [HygieneFlag] = [
        .tampered, .leaked, .onHold, .rotationOverdue, .rotationDue, .refusedByIssuer,
    ]

    private struct Trouble {
        let alert: Alert
        let at: Instant
    }

    /// What is wrong at present, the oldest first.
    private func troubles(
        _ store: Store, _ flags: [HygieneFlag: Int], _ fleet: FleetStatus?, isRunning: Bool, at now: Instant
    ) throws -> [Trouble] {
        (try journalTroubles() + (fleet?.troubles ?? []).map { Trouble(alert: $0.alert, at: $0.at) }
            + pepperTroubles(store, at: now) + tamperTroubles(store, hasTamperedKey: flags[.tampered] != nil)
            + deliveryTroubles(store, isRunning: isRunning, at: now) + versionTroubles(store)
            + (isRunning ? watchTroubles(store) : [])).sorted { $0.at < $1.at }
    }

    /// Secrets that cannot be recognised.
    private func pepperTroubles(_ store: Store, at now: Instant) throws -> [Trouble] {
        guard let missing = try store.missingPepper() else { return [] }
        return [Trouble(alert: Alert(missingPepper: missing.message, remedy: missing.hint ?? ""), at: now)]
    }

    /// Records that something else has changed, of keys that are not ended since.
    private func tamperTroubles(_ store: Store, hasTamperedKey: Bool) throws -> [Trouble] {
        guard hasTamperedKey, let last = try store.latestAlert(of: .storeTampered) else { return [] }
        return [Trouble(alert: last.alert, at: last.createdAt)]
    }

    /// What the daemon cannot watch, and looks at from time to time.
    private func watchTroubles(_ store: Store) throws -> [Trouble] {
        guard let last = try store.latestAlert(of: .watchDegraded), last.alert.priority <= .warning else { return [] }
        return [Trouble(alert: last.alert, at: last.createdAt)]
    }

    /// Alerts that were written by a newer version, which was in use beside this one or before it.
    private func versionTroubles(_ store: Store) throws -> [Trouble] {
        guard let oldest = try store.oldestUnknownAlert() else { return [] }
        let alert = Alert(
            kind: .deliveryDegraded, priority: .warning,
            message:
                "alerts that a newer version of Keyvigil has written wait since \(oldest): this one does not know their kinds",
            fields: [.remedy: "install that version or a later one; this one is: keyvigil --version"])
        return [Trouble(alert: alert, at: oldest)]
    }

    /// What the daemon has said of delivery and not taken back. The store has it: a journal that does not show the
    /// alerts does not show this one either.
    private func deliveryTroubles(_ store: Store, isRunning: Bool, at now: Instant) throws -> [Trouble] {
        if let last = try store.latestAlert(of: .deliveryDegraded), last.alert.priority <= .warning {
            return [Trouble(alert: last.alert, at: last.createdAt)]
        }
        guard isRunning, let oldest = try store.oldestUndeliveredAlert(),
            oldest.advanced(by: Self.longestDelivery) < now
        else { return [] }
        return [
            Trouble(
                alert: Alert(
                    kind: .deliveryDegraded, priority: .warning,
                    message: "alerts wait to be delivered since \(oldest): journald does not take them",
                    fields: [.remedy: "systemctl status systemd-journald; keyvigil alerts --from store"]), at: oldest)
        ]
    }

    /// An alert that waits longer than this is a trouble.
    private static let longestDelivery = Period.seconds(60)

    /// What a caller sees of the clock for whom this runs in the daemon, which may not ask the kernel.
    @TaskLocal static var callersClock: ClockSynchronisation?

    /// What is wrong with the clock by which dates are compared; nil where nothing is known to be.
    private func clockTrouble(at now: Instant) -> String? {
        let clock = Self.callersClock ?? ClockSynchronisation.current()
        if now < BuildDate.instant { return "before this program was built, so nothing is recorded by it" }
        return clock == .unsynchronised ? "not synchronised by any time service" : nil
    }

    /// What the service has said is wrong since its last start and not taken back: the last word of each kind. Empty
    /// where the journal cannot be read, and for a store of one's own, of which the journal knows nothing.
    private func journalTroubles() throws -> [Trouble] {
        guard common.isService, let start = try JournalAlerts.lastStart(of: common.service),
            var journal = try JournalAlerts(since: start, from: common.service)
        else { return [] }
        let kinds: Set<AlertKind> = [
            .configRejected, .storeDamaged, .storeUnavailable, .daemonStalled, .socketUnavailable,
        ]
        var last: [AlertKind: JournalAlerts.Entry] = [:]
        while let entry = try journal.next() {
            if entry.alert.kind == .configReloaded { last[.configRejected] = nil }
            if kinds.contains(entry.alert.kind) { last[entry.alert.kind] = entry }
        }
        return last.values.filter { $0.alert.priority <= .warning }.map { Trouble(alert: $0.alert, at: $0.at) }
    }
}
