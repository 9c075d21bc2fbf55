internal import ArgumentParser
internal import KeyStore
internal import Keys

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "List what was done to keys, by whom and when; check that the list was not changed.",
        discussion: """
            Without a subcommand it lists the events; its options are those of keyvigil audit list --help.

            Examples:
                keyvigil audit --key billing --since 30d
                keyvigil audit verify
            """,
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self], defaultSubcommand: AuditListCommand.self)

    init() {}
}

struct AuditListCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the events, oldest first.")

    @Option(help: "Only events of this key; a deleted one is named by its id.", completion: KeyCompletion.kind)
    var key: String?
    @Option(
        parsing: .unconditional,
        help: "Only events since then: a date, \"2027-01-31 12:00\", 2h, \"2 hours ago\", yesterday or today.")
    var since: String?
    @Option(
        parsing: .unconditional,
        help: "Only events before then: a date, \"2027-01-31 12:00\", 2h, \"2 hours ago\", yesterday or today.")
    var until: String?
    @Option(help: "Only this action, such as key.revoked.")
    var action: String?
    @Option(help: "Only what this user did: a user id.")
    var uid: UInt32?
    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        var filter = AuditFilter()
        filter.keyID = try key.map { try workspace.store.key($0).id.text }
        filter.since = try since.map { try Moment.past($0, at: Workspace.now) }
        filter.until = try until.map { try Moment.past($0, at: Workspace.now) }
        filter.action = try action.map { try InputError.word($0, "action", AuditAction.self) }
        filter.uid = uid
        var last = LastLines(length.last)
        try workspace.store.forEachAuditEvent(filter) { event in
            guard common.json else {
                let key = event.keyID.map { " \($0)" } ?? ""
                let host = event.host.map { " host=\($0.isEmpty ? "-" : $0)" } ?? ""
                last.add(
                    "\(DateText.moment(event.at)) \(event.action)\(key)\(host) uid=\(event.uid) "
                        + "(\(DisplayText.name(event.program))) \(event.details)")
                return
            }
            var line = JSONLine()
            line.add("event", event.id)
            if let host = event.host { line.add("host", host.isEmpty ? nil : host) }
            line.add("at", event.at)
            line.add("action", event.action)
            line.add("key_id", event.keyID)
            line.add("uid", Int64(event.uid))
            line.add("program", event.program)
            line.add("details", object: JSONLine(object: event.details))
            last.add(line.line)
        }
        last.finish()
    }
}

struct AuditVerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the chain of events: any change, removal or reordering shows.",
        discussion: "Exit status: 0 intact, 1 not.")

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        let check = try workspace.store.checkAudit()
        var line = JSONLine()
        let sentence: String
        switch check {
        case .intact(let events):
            line.add("intact", true)
            line.add("events", events)
            sentence = "The audit is intact: \(events) \(events == 1 ? "event" : "events")."
        case .broken(let event, let host, let reason):
            line.add("intact", false)
            line.add("event", event)
            if let host { line.add("host", host.isEmpty ? nil : host) }
            line.add("reason", reason)
            let at = event.map { " at event \(AuditEvent.index(ofEvent: $0))" } ?? ""
            let of = host.map { " of \($0.isEmpty ? "the time before the fleet" : $0)" } ?? ""
            sentence = "The audit is broken\(at)\(of): \(reason)."
        }
        Terminal.print(common.json ? line.line : sentence)
        if case .broken = check { throw ExitCode(1) }
    }
}
