internal import ArgumentParser
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
        // A store of one's own is not the service's, whose entries the journal has.
        let prefersJournal = from.map { $0 == .journal } ?? (common.isService || follow)
        if prefersJournal, try printJournal(since: start, kind) { return }
        guard from != .journal, !follow else {
            throw InputError(
                geteuid() == 0 ? "this machine has no journal" : "the journal cannot be read by this user",
                hint: geteuid() == 0
                    ? "start systemd-journald, or read the store: --from store"
                    : "run as root or in the group systemd-journal, or read the store: --from store")
        }
        try printStore(since: start, kind, at: now)
    }

    /// - Returns: whether the journal can be read.
    private func printJournal(since start: Instant?, _ kind: AlertKind?) throws -> Bool {
        guard var journal = try JournalAlerts(since: start, kind: kind, from: common.service) else { return false }
        var named: Set<String> = []
        var last = LastLines(length.last)
        repeat {
            while let entry = try journal.next() {
                guard key == nil || key == entry.alert.fields[.keyID] || key == entry.alert.fields[.keyName] else {
                    continue
                }
                last.add(text(entry.alert, id: entry.id, createdAt: entry.at, deliveredAt: entry.at))
            }
            last.finish()
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
                    + "_UID=\(DisplayText.argument(user.utf8))")
        }
    }

    private func printStore(since start: Instant?, _ kind: AlertKind?, at now: Instant) throws {
        let workspace = try common.open(at: now)
        let keyID = try key.map { try workspace.store.key($0).id.text }
        var last = LastLines(length.last)
        try workspace.store.forEachAlert(since: start, kind: kind, keyID: keyID) { stored, deliveredAt in
            last.add(text(stored.alert, id: stored.id, createdAt: stored.createdAt, deliveredAt: deliveredAt))
        }
        last.finish()
        guard let oldest = try workspace.store.oldestUnknownAlert() else { return }
        Terminal.say(
            "keyvigil: note: alerts that a newer version has written wait since \(oldest), and are not shown: this version does "
                + "not know their kinds")
    }

    /// One JSON object, or the lines for a person.
    private func text(_ alert: Alert, id: String, createdAt: Instant, deliveredAt: Instant?) -> String {
        guard common.json else {
            let style = Style(for: .standardOutput)
            let line = TerminalLog(style: style).line(alert, at: DateText.moment(createdAt))
            guard let remedy = alert.fields[.remedy], !alert.message.contains(remedy) else { return line }
            let shown = DisplayText.escaped(remedy, limit: Alert.Field.remedy.longest)
            return line + "\n" + style.dim("    to do: \(shown)")
        }
        var line = JSONLine()
        line.add("alert_id", id)
        line.add("event", alert.kind.rawValue)
        line.add("priority", alert.priority.rawValue)
        line.add("message", alert.message)
        line.add("created_at", createdAt)
        line.add("delivered_at", deliveredAt)
        for field in Alert.Field.allCases {
            guard let value = alert.fields[field] else { continue }
            line.add(field.rawValue.dropFirst("KEYVIGIL_".count).lowercased(), value)
        }
        return line.line
    }
}
