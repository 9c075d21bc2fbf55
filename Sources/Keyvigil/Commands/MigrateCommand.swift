internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import SystemPackage
internal import Systemd

struct MigrateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move a store into the database of a fleet, or back to this host alone.",
        discussion: """
            Stop the service first. --to-fleet copies all keys, the audit and the findings into the database of the fleet that the \
            configuration names, and makes this host its first member: the database must have no keys. Every row is compared, and the \
            audit is checked. It needs two logins: that of the host, from the configuration, and with --database that of the owner of \
            the database. --from-fleet brings the copy of this host up to date, compares every row, and ends the membership: the store \
            is this host's alone from then on, and the other members go on without it. A move that was cut off is run again.

            Examples:
                keyvigil migrate --to-fleet --database dbname=keyvigil
                keyvigil migrate --from-fleet
            """)

    enum Direction: EnumerableFlag {
        case toFleet, fromFleet
    }

    @Flag(help: "Which way.")
    var direction: Direction
    @Option(
        help: """
            With --to-fleet, the address of the database as its owner reaches it: a URL or the words of libpq, without a password.
            """)
    var database: String?
    @Flag(
        help:
            "With --from-fleet: the database is lost. What other hosts have changed since this one last heard from it is lost, too."
    )
    var withoutDatabase = false
    @Flag(name: .shortAndLong, help: "With --without-database: do not ask.")
    var yes = false
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws {
        guard direction == .toFleet || database == nil else {
            throw ValidationError("--database is for --to-fleet: a host leaves with its own login")
        }
        guard direction == .fromFleet || !withoutDatabase else {
            throw ValidationError("--without-database is for --from-fleet")
        }
    }

    func run() throws {
        let loaded = try common.load()
        let authority = try common.fleetAuthority(of: loaded)
        let path = loaded.configuration.store.path
        guard !DaemonLock.isHeld(store: path) else {
            throw InputError(
                "keyvigild is running on this store",
                hint: "stop it first: \(ServiceUser.stopping); then run this again")
        }
        let lock = try DaemonLock(store: path)
        try withExtendedLifetime(lock) {
            let workspace = try common.open(loaded, at: Workspace.now)
            guard try workspace.store.importUnderWay() == nil else {
                throw InputError(
                    "an import is under way", hint: "see it, and finish it or take it back: keyvigil status")
            }
            switch direction {
            case .toFleet: try enter(workspace, authority)
            case .fromFleet: try leave(workspace, authority)
            }
        }
    }

    // MARK: - To a fleet

    private func enter(_ workspace: Workspace, _ authority: FleetAuthority) throws {
        let store = workspace.store
        guard store.membership == nil else {
            return report(
                store, rows: nil, "this host is \(store.host.name), number \(store.host.number) of the fleet already")
        }
        guard let database else {
            throw InputError(
                "the login of this host may not write the history of a store into the database",
                hint: "give the address of the database as its owner reaches it: --database dbname=keyvigil")
        }
        let address = try FleetDatabase(option: database).address
        let owner = FleetAuthority(address, password: nil, version: keyvigilVersion)
        let name = try workspace.loaded.fleetHostName()
        if let pepper = try owner.pepperFingerprint(), pepper != store.pepperFingerprint {
            throw InputError(
                "the pepper of this store is not that of the fleet",
                hint: "a store moves into a fleet of its own: createdb, keyvigil fleet migrate")
        }
        if let other = try owner.hosts().hosts.first(where: { $0.name != name }) {
            throw InputError(
                "the fleet has a member already: \(other.name)",
                hint:
                    "a store with keys can only become the first of a fleet; join with a new store: keyvigil fleet join"
            )
        }
        // What is broken here would be broken there, and no one could say since when.
        _ = try checkedEvents(store)
        try owner.offer(number: store.host.number)
        let host = try workspace.register(name, with: authority, environment: ProcessEnvironment.current)
        try owner.reserveNumbers(through: store.greatestHost())
        try owner.add(store.mergedPeppers())
        var rows: [(table: String, rows: Int64)] = []
        try store.enter(host, workspace.membership(server: authority.server)) { rows = try owner.upload($0) }
        try store.confirm()
        report(
            store, rows: rows,
            "this host is \(host.name), number \(host.number) of the fleet, which has all rows of its store:",
            events: try checkedEvents(store), then: "start the service: systemctl start keyvigil")
    }

    /// The number of events of the audit.
    ///
    /// - Throws: ``InputError`` where it is broken.
    private func checkedEvents(_ store: Store) throws -> Int64 {
        switch try store.checkAudit() {
        case .intact(let events): return events
        case .broken:
            throw InputError(
                "the audit of the store is broken", hint: "see where, and put a backup back: keyvigil audit verify")
        }
    }

    // MARK: - From a fleet

    private func leave(_ workspace: Workspace, _ authority: FleetAuthority) throws {
        let store = workspace.store
        guard store.membership != nil else {
            throw InputError(
                "this host is no member of the fleet", hint: "take database out of [fleet], and start the service")
        }
        let name = store.host.name
        if withoutDatabase {
            if !yes {
                try Confirmation.ask(
                    "Go on with the copy of this host alone? What other hosts have changed since it last heard from the database is lost."
                )
            }
            try store.leaveWithoutAuthority()
            return report(
                store, rows: nil, "the store of \(name) is its own, as this host last knew it",
                events: try checkedEvents(store),
                then: Self.afterwards(common.config))
        }
        var rows: [(table: String, rows: Int64)] = []
        var isOver = false
        for _ in 1...Self.attempts where !isOver {
            // Of a host that was removed others report the alerts.
            if try authority.hosts().hosts.contains(where: { $0.number == store.host.number }) {
                try store.exchangeAlerts(at: Workspace.now)
            }
            isOver = try store.leave { shared, positions in
                rows = try shared.tables.map { ($0.name, try shared.count($0)) }
                return try authority.leave(shared, at: positions)
            }
        }
        guard isOver else {
            throw InputError(
                "other members of the fleet change too much at present", hint: "run it again; nothing was changed")
        }
        report(
            store, rows: rows,
            "\(name) has left the fleet, and its store has all rows of it; other members go on without it:",
            events: try checkedEvents(store),
            then: Self.afterwards(common.config))
    }

    private static func afterwards(_ configuration: String?) -> String {
        "take database out of [fleet] of \(configuration ?? LoadedConfiguration.standardPath), then start the service: "
            + "systemctl start keyvigil"
    }

    /// How often other members may be first.
    private static let attempts = 5

    // MARK: - Output

    private func report(
        _ store: Store, rows: [(table: String, rows: Int64)]?, _ sentence: String, events: Int64? = nil,
        then: String? = nil
    ) {
        guard common.json else {
            Terminal.report(sentence)
            if let rows, !common.quiet {
                var table = TextTable(["TABLE", "ROWS"], style: Style(for: .standardOutput))
                for (name, count) in rows { table.add([name, String(count)]) }
                table.finish()
            }
            if let events { Terminal.report("the audit is intact: \(events) \(events == 1 ? "event" : "events")") }
            if let then { Terminal.report(then) }
            return
        }
        var line = JSONLine()
        line.add("host", store.host.name)
        line.add("number", store.host.number)
        line.add("is_member", store.membership != nil)
        line.add(
            "tables",
            objects: (rows ?? []).map { table in
                JSONLine { line in
                    line.add("table", table.table)
                    line.add("rows", table.rows)
                }
            })
        line.add("audit_events", events)
        Terminal.print(line.line)
    }
}
