internal import ArgumentParser
internal import Errors
internal import Glibc
internal import KeyStore
internal import Keys
internal import SystemPackage

struct AlertsCommand: ReadVerb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "List the alerts, from the journal or from the store.",
        discussion: """
            The journal has what the service has reported, by what journald records of the writer; the store has also what is not delivered yet. With --config or \
            --store, or where the journal cannot be read, they come from the store. \
            journalctl -u keyvigil -x shows them with an explanation.

            On a member of a fleet those of the other hosts are among them, each with its host, as the fleet's database lists them: what \
            changes of keys and findings have caused, for 7 days after it was delivered. What the service of another host says of itself is in \
            the journal there. While the database is away, with --follow and with --from they are those of this host.

            Examples:
                keyvigil alerts --since yesterday
                keyvigil alerts --kind leak.confirmed --follow
            """)

    enum Source: String, ExpressibleByArgument, CaseIterable {
        case journal, store
    }

    @Option(
        parsing: .unconditional,
        help: "Only alerts since then: a date, \"2027-01-31 12:00\", 2h, \"2 hours ago\", yesterday or today.")
    var since: String?
    @Option(
        help: "Only alerts of this kind, such as leak.confirmed.",
        completion: .list(AlertKind.allCases.map(\.rawValue)))
    var kind: String?
    @Option(help: "Only alerts of this key: its id or its name.", completion: KeyCompletion.kind)
    var key: String?
    @Option(help: "Where they are read: journal or store.")
    var from: Source?
    @OptionGroup var on: HostOption
    @Flag(
        name: .shortAndLong,
        help: "Print new ones as they come (from the journal); those from before only with --since or -n.")
    var follow = false
    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func show() throws {
        guard !follow || Workspace.lent == nil else {
            throw InputError(
                "the daemon does not follow the journal for its clients",
                hint: "run it as root or in the group systemd-journal")
        }
        let now = Workspace.now
        // Who follows without saying from when is interested in what comes.
        let start = try since.map { try Moment.past($0, at: now) } ?? (follow && length.last == nil ? now : nil)
        let kind = try kind.map { try InputError.word($0, "kind of alert", AlertKind.self) }
        var lines = AlertLines(asJSON: common.json, last: length.last, isWanted: isWanted(kind))
        try addFleet(to: &lines, since: start, at: now)
        if let host = on.name, host != lines.host { return lines.finish() }
        // A store of one's own is not the service's, whose entries the journal has.
        let prefersJournal = from.map { $0 == .journal } ?? (common.isService || follow)
        if prefersJournal, try printJournal(since: start, kind, &lines) { return }
        guard from != .journal, !follow else {
            throw InputError(
                geteuid() == 0 ? "this machine has no journal" : "the journal cannot be read by this user",
                hint: geteuid() == 0
                    ? "start systemd-journald, or read the store: --from store"
                    : "run as root or in the group systemd-journal, or read the store: --from store")
        }
        try printStore(since: start, kind, &lines, at: now)
    }

    private func isWanted(_ kind: AlertKind?) -> (Alert) -> Bool {
        { alert in
            (kind == nil || kind == alert.kind)
                && (key == nil || key == alert.fields[.keyID] || key == alert.fields[.keyName])
        }
    }

    /// Adds those of other hosts, where this host is a member of a fleet.
    private func addFleet(to lines: inout AlertLines, since start: Instant?, at now: Instant) throws {
        // Who may read the journal, and not the store, is shown what is in the journal.
        guard let store = try on.name == nil ? try? openQuietly(at: now) : common.open(at: now).store else { return }
        let host = try on.host(of: store)
        guard store.host != .alone else { return }
        lines.host = store.host.name
        lines.hostWidth = try store.hostNames().map(\.count).max() ?? 0
        guard host != store.host.name else { return }
        guard from == nil, !follow else {
            guard host == nil else {
                throw InputError(
                    "--follow and --from read what this host has", hint: "run it on \(host ?? ""), or leave them out")
            }
            return
        }
        do { lines.others = try FleetAlerts(of: store, since: start, on: host, where: lines.isWanted) } catch {
            let reason = store.explained(error)
            guard host == nil else { throw reason }
            Terminal.note("keyvigil: note: only the alerts of this host are shown: \(reason.message)")
        }
    }

    private func openQuietly(at now: Instant) throws -> Store? {
        guard let loaded = common.loadQuietly(), loaded.configuration.fleet.database != nil else { return nil }
        return try common.open(loaded, at: now).store
    }

    /// - Returns: whether the journal can be read.
    private func printJournal(since start: Instant?, _ kind: AlertKind?, _ lines: inout AlertLines) throws -> Bool {
        guard var journal = try JournalAlerts(since: start, kind: kind, from: common.service) else { return false }
        var named: Set<String> = []
        repeat {
            while let entry = try journal.next() {
                lines.add(entry.alert, id: entry.id, createdAt: entry.at, deliveredAt: entry.at)
            }
            lines.finish()
            nameStrangers(journal.strangers, &named)
            if follow { try journal.wait() }
        } while follow
        return true
    }

    /// Says what is not shown, once for each user.
    private func nameStrangers(_ strangers: [String: Int], _ named: inout Set<String>) {
        for (user, count) in strangers.sorted(by: { $0.key < $1.key }) where named.insert(user).inserted {
            Terminal.say(
                "keyvigil: note: \(count) \(count == 1 ? "entry" : "entries") of user \(DisplayText.name(user)) "
                    + "\(count == 1 ? "looks like an alert" : "look like alerts"), and the service did not write "
                    + "\(count == 1 ? "it" : "them"): not shown; journalctl SYSLOG_IDENTIFIER=keyvigild "
                    + "_UID=\(argument: user)")
        }
    }

    private func printStore(
        since start: Instant?, _ kind: AlertKind?, _ lines: inout AlertLines, at now: Instant
    ) throws {
        let workspace = try common.open(at: now)
        let keyID = try key.map { try workspace.store.key($0).id.text }
        try workspace.store.forEachAlert(since: start, kind: kind, keyID: keyID) { stored, deliveredAt in
            lines.add(stored.alert, id: stored.id, createdAt: stored.createdAt, deliveredAt: deliveredAt)
        }
        lines.finish()
        guard let oldest = try workspace.store.oldestUnknownAlert() else { return }
        Terminal.say(
            "keyvigil: note: alerts that a newer version has written wait since \(oldest), and are not shown: this version does "
                + "not know their kinds")
    }
}
