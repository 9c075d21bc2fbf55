internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

struct ReportCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Print the credential report: every key with its dates and what is not clean.",
        discussion: """
            --csv has the columns of AWS's credential report as far as they apply, for the same spreadsheets and auditors. The \
            last columns count the leaked secrets of each key, and say how long they went undetected and stayed open.

            --html writes a page that any browser shows, without a network: the keys, the expiries and rotations to come, leaks by \
            repository and age, the times to detect and to resolve them, secrets that belong to no key, and which places were \
            searched whole, until which commit. Only its owner can read the file. Of a fleet it has the hosts and the places of all of them.

            --host counts only incidents with a place on that host, and the page has only what is there; the keys are those of the fleet.

            Examples:
                keyvigil report --csv > credentials.csv
                sudo keyvigil report --html /root/keys.html
            """)

    @Flag(help: "Comma-separated values (RFC 4180).")
    var csv = false
    @Option(
        help: "Write a page to this file, which is replaced if it is there; - is standard output.", completion: .file())
    var html: String?
    @Option(help: "The most rows of each table of the page (default: 2000).")
    var rows: Int?
    @Option(
        parsing: .unconditional,
        help: "Count only incidents that were open since then: a date, 90d, \"2 weeks ago\", yesterday or today.")
    var since: String?
    @OptionGroup var on: HostOption
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["--html": html]) }

    private static let columns = [
        "user", "arn", "user_creation_time", "issuer", "environment", "owner", "status", "access_key_active",
        "access_key_last_rotated", "access_key_last_used_date", "access_key_expires_at", "rotation_due_at",
        "permissions",
        "resources", "open_leaks", "origin", "status_words", "check", "checked_at", "hygiene", "incidents",
        "open_incidents", "longest_seconds_to_detect", "longest_seconds_to_resolve",
    ]

    func run() throws {
        let now = Workspace.now
        guard [csv, common.json, html != nil].count(where: { $0 }) <= 1 else {
            throw InputError("--csv, --html and --json exclude each other", hint: "give one of them")
        }
        guard rows == nil || html != nil else {
            throw InputError("--rows is for the page", hint: "give it with --html FILE")
        }
        guard rows.map({ $0 > 0 }) ?? true else { throw InputError("--rows has to be 1 or more") }
        let workspace = try common.open(at: now)
        let start = try since.map { try Moment.past($0, at: now) }
        let host = try on.host(of: workspace.store)
        if let html { return try write(html, workspace, since: start, on: host, at: now) }
        let presentation = KeyPresentation(workspace, now: now)
        var listing = Listing(Self.table, asJSON: common.json)
        var (incidents, all): ([String: IncidentTimes], IncidentTimes) = ([:], IncidentTimes())
        var filter = Store.IncidentFilter()
        filter.since = start
        filter.host = host
        try workspace.store.forEachIncident(filter, at: now) { incident in
            incidents[incident.keyID, default: IncidentTimes()].add(incident)
            all.add(incident)
        }
        if csv { Terminal.emit(Self.columns.joined(separator: ",") + "\r\n") }
        try workspace.store.forEachKey(at: now) { key in
            let flags = presentation.verdicts(on: key).map(\.flag.rawValue)
            let times = incidents[key.id.text] ?? IncidentTimes()
            guard !csv else {
                Terminal.emit(
                    (row(key, flags, presentation, at: now) + Self.cells(times)).map(Self.quoted).joined(separator: ",")
                        + "\r\n")
                return
            }
            listing.add(
                json: Self.json(key, times, presentation),
                cells: [
                    key.name, key.owner ?? "-", key.origin.rawValue, key.issuer, presentation.statusWords(key),
                    DateText.day(key.createdAt), key.rotatedAt.map(DateText.day) ?? "-",
                    key.lastUsedAt.map(DateText.day) ?? "-", key.expiresAt.map(DateText.day) ?? "never",
                    flags.joined(separator: " "),
                ])
        }
        guard !csv else { return }
        listing.finish(empty: "no keys")
        guard !common.json, all.count > 0 else { return }
        Terminal.print("\n" + all.sentence)
        var times = TextTable(IncidentTimes.columns, style: Style(for: .standardOutput))
        all.rows.forEach { times.add($0) }
        times.finish()
    }

    private static let mostRows = 2000

    private func write(
        _ file: String, _ workspace: Workspace, since start: Instant?, on host: String?, at now: Instant
    ) throws {
        let fleet = FleetStatus(of: workspace.store, at: now)
        let places =
            try WatchedPlace.all(in: workspace, common.access)
            + WatchedPlace.ofOtherHosts(in: workspace, fleet)
        let page = try ReportPage(
            workspace, places.filter { host == nil || $0.host == host }, fleet, since: start, on: host,
            mostRows: rows ?? Self.mostRows,
            isRunning: DaemonLock.isHeld(store: workspace.store.location), at: now)
        guard file != "-" else { return Terminal.emit(page.html.markup) }
        let name = DisplayText.name(file)
        do {
            try DirectoryOwner(ofFile: file).act {
                try SmallFile.replace(
                    file, with: Array(page.html.markup.utf8), permissions: [.ownerReadWrite], sparingLinks: true)
            }
        } catch Errno.tooManySymbolicLinkLevels {
            throw InputError(
                "\(name) is a symbolic link", hint: "name the file that it leads to, as readlink -f prints it")
        } catch let error as Errno {
            throw InputError(
                "\(name) cannot be written: \(SmallFile.reason(error))", hint: "check the directory and its permissions"
            )
        }
        Terminal.report("wrote the report to \(name)")
    }

    private static func json(_ key: Key, _ times: IncidentTimes, _ presentation: KeyPresentation) -> JSONLine {
        var (line, ofIncidents) = (presentation.json(key), JSONLine())
        times.addFields(to: &ofIncidents)
        line.add("incidents", object: ofIncidents)
        return line
    }

    private static func cells(_ times: IncidentTimes) -> [String] {
        let longest = times.longest
        return [
            String(times.count), String(times.open), longest.detect.map { String($0) } ?? "N/A",
            longest.resolve.map { String($0) } ?? "N/A",
        ]
    }

    private static let table: [TextTable.Column] = [
        .init("NAME", isCut: true), .init("OWNER", isCut: true), .init("ORIGIN", rank: 5), .init("ISSUER", rank: 4),
        .init("STATUS", isCut: true), .init("CREATED", rank: 3), .init("ROTATED", rank: 2), .init("USED", rank: 1),
        .init("EXPIRES"), .init("TO DO", isCut: true),
    ]

    private func row(_ key: Key, _ flags: [String], _ presentation: KeyPresentation, at now: Instant) -> [String] {
        [
            key.name, key.id.text, key.createdAt.description, key.issuer, key.environment.rawValue, key.owner ?? "",
            key.status(at: now).rawValue, key.status(at: now) == .active ? "true" : "false",
            (key.rotatedAt ?? key.createdAt).description, key.lastUsedAt?.description ?? "N/A",
            key.expiresAt?.description ?? "N/A", presentation.rotationDueAt(key)?.description ?? "N/A",
            key.permissions.permissions.joined(separator: " "), key.resources.summary, String(key.openLeaks),
            key.origin.rawValue, presentation.statusWords(key), key.check.word ?? "never",
            key.check.checkedAt?.description ?? "N/A", flags.joined(separator: " "),
        ]
    }

    /// RFC 4180; a value that a spreadsheet would take for a formula is made text (OWASP, CSV injection).
    private static func quoted(_ text: String) -> String {
        let safe = text.first.map { "=+-@\t\r".contains($0) } ?? false ? "'" + text : text
        guard safe.contains(where: { ",\"\r\n".contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
