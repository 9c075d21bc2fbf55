internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct IncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "List leaked secrets, from the commit that brought each in until it opens nothing.",
        discussion: """
            A secret that was found whole has one incident, with all its places. It closes by itself when the secret no \
            longer opens anything, or when every place was dismissed, and opens again when the secret is found in a new place.

            Without a subcommand it lists them; its options are those of keyvigil incidents list --help.

            Examples:
                keyvigil incidents --open
                keyvigil incidents assign 3 ana
            """,
        subcommands: [
            IncidentsListCommand.self, IncidentsShowCommand.self, IncidentsAssignCommand.self,
            IncidentsNoteCommand.self, IncidentsCloseCommand.self, IncidentsTimesCommand.self,
        ],
        defaultSubcommand: IncidentsListCommand.self)

    init() {}
}

struct IncidentsListCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List incidents, oldest first.")

    @Flag(help: "Only open ones.")
    var open = false
    @Option(help: "Only those that this person works on: the assignee, else the owner of the key.")
    var owner: String?
    @Option(help: "Only those of this key.", completion: KeyCompletion.kind)
    var key: String?
    @OptionGroup var on: HostOption
    @OptionGroup var length: ListLength
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        var filter = Store.IncidentFilter()
        filter.isOpen = open ? true : nil
        filter.owner = owner
        filter.keyID = try key.map { try workspace.store.key($0).id.text }
        filter.host = try on.host(of: workspace.store)
        let columns = IncidentPresentation.columns(inFleet: workspace.store.host != .alone)
        var listing = Listing(columns, asJSON: common.json, last: length.last)
        try workspace.store.forEachIncident(filter, at: now) { incident in
            listing.add(
                json: IncidentPresentation.json(incident), cells: IncidentPresentation.cells(incident, at: now))
        }
        listing.finish(empty: open ? "no open incidents" : "no incidents")
    }
}

/// Which incident a verb is about.
struct IncidentArgument: ParsableArguments {
    @Argument(help: "The number of the incident.")
    var incident: Int64

    init() {}
}

struct IncidentsShowCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one incident: its places, what happened to the secret, and what to do.")

    @OptionGroup var selected: IncidentArgument
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        let (store, issuers) = (workspace.store, workspace.loaded.issuers)
        let incident = try store.incident(selected.incident, at: now)
        let key = try store.key(incident.keyID)
        var findings: [Finding] = []
        try store.forEachFinding(incident: incident.number, at: now) { findings.append($0) }
        let events = try store.history(ofIncident: incident.number)
        let remedy = findings.first { $0.status == .open }.map {
            FindingPresentation.remedy(for: $0, key: key, issuers: issuers)
        }
        let clones = IncidentClones(of: findings, until: incident.resolvedAt, try workspace.nameMask())
        if common.json {
            var line = IncidentPresentation.json(incident)
            line.add("findings", objects: findings.map(FindingPresentation.json))
            line.add("clones", objects: clones.repositories.map(IncidentPresentation.json))
            line.add("history", objects: events.map(IncidentPresentation.json))
            line.add("remedy", remedy)
            Terminal.print(line.line)
            return
        }
        let style = Style(for: .standardOutput)
        Terminal.print(style.bold("incident \(incident.number)"))
        Terminal.print(IncidentPresentation.details(incident, issuers: issuers))
        if let remedy { Terminal.print(style.bold("to do") + "\n  " + remedy) }
        for (repository, lines) in IncidentPresentation.places(findings) {
            Terminal.print(style.bold("in \(repository)"))
            for line in lines { Terminal.print("  " + line) }
        }
        for repository in clones.repositories {
            let path = DisplayText.name(repository.path, limit: 1000)
            Terminal.print(style.bold("in clones of \(path), since commit \(repository.commit.prefix(12))"))
            for line in IncidentPresentation.lines(repository) { Terminal.print("  " + line) }
        }
        Terminal.print(style.bold("history"))
        for event in IncidentPresentation.history(incident, events) {
            Terminal.print("  \(DateText.moment(event.at))  \(event.words)")
        }
    }
}

struct IncidentsAssignCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "assign", abstract: "Say who works on an incident.")

    @OptionGroup var selected: IncidentArgument
    @Argument(help: "The person or team.")
    var owner: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let person = try NameRules.checked(owner, what: "owner")
        let workspace = try common.open()
        try workspace.refuseSecrets(in: [("owner", person)])
        try workspace.ledger.assignIncident(
            selected.incident, to: person, at: Workspace.now, by: common.actor("incidents assign"))
        try common.report(
            incident: selected.incident, workspace,
            "Assigned the incident \(selected.incident) to \(DisplayText.name(person)).")
    }
}

struct IncidentsNoteCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Add a note to the history of an incident.")

    @OptionGroup var selected: IncidentArgument
    @Argument(help: "The note. It is part of the audit, and stays.")
    var text: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let note = try NameRules.checked(text, what: "note", longest: NameRules.longestNotes)
        let workspace = try common.open()
        try workspace.refuseSecrets(in: [("note", note)])
        try workspace.ledger.noteIncident(
            selected.incident, note, at: Workspace.now, by: common.actor("incidents note"))
        try common.report(incident: selected.incident, workspace, "Noted.")
    }
}

struct IncidentsCloseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Close an incident by dismissing its open places.",
        discussion: """
            This revokes nothing: a secret that works goes on working. When the secret is found in a new place, the incident \
            opens again.
            """)

    @OptionGroup var selected: IncidentArgument
    @Option(help: "Why, for the audit.")
    var reason: String
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let reason = try NameRules.checked(reason, what: "reason", longest: NameRules.longestNotes)
        let now = Workspace.now
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: [("reason", reason)])
        let dismissed = try workspace.ledger.closeIncident(
            selected.incident, reason: reason, at: now, by: common.actor("incidents close"))
        let incident = try workspace.store.incident(selected.incident, at: now)
        let warning =
            incident.condition.danger == .live
            ? " The secret still works: keyvigil revoke \(incident.keyID), or keyvigil rotate \(incident.keyID)." : ""
        try common.report(
            incident: selected.incident, workspace,
            "Closed the incident \(selected.incident): dismissed \(dismissed) place\(dismissed == 1 ? "" : "s").\(warning)"
        )
    }
}

struct IncidentsTimesCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "times", abstract: "Print how long leaks went undetected, and how long they stayed open.",
        discussion: """
            To detect: from the date of the commit that brought the secret in until it was found. To resolve: from when the \
            incident was opened until it was closed. The percentiles are values of incidents (the nearest rank).
            """)

    @Option(
        parsing: .unconditional,
        help: "Only incidents that were open since then: a date, 90d, \"2 weeks ago\", yesterday or today.")
    var since: String?
    @OptionGroup var on: HostOption
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        var filter = Store.IncidentFilter()
        filter.since = try since.map { try Moment.past($0, at: now) }
        filter.host = try on.host(of: workspace.store)
        var times = IncidentTimes()
        try workspace.store.forEachIncident(filter, at: now) { times.add($0) }
        if common.json {
            var line = JSONLine()
            line.add("since", filter.since)
            times.addFields(to: &line)
            Terminal.print(line.line)
            return
        }
        Terminal.print(times.sentence)
        var table = TextTable(IncidentTimes.columns, style: Style(for: .standardOutput))
        times.rows.forEach { table.add($0) }
        table.finish()
    }
}

extension CommonOptions {
    /// Prints what a verb has done to an incident: the incident as JSON, or a sentence.
    fileprivate func report(incident number: Int64, _ workspace: borrowing Workspace, _ sentence: String) throws {
        guard json else { return Terminal.print(sentence) }
        Terminal.print(IncidentPresentation.json(try workspace.store.incident(number, at: Workspace.now)).line)
    }
}
