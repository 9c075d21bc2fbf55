internal import ArgumentParser
internal import Errors
internal import Fleet
internal import KeyStore
internal import Keys
internal import Systemd

/// The options that every verb takes.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: "The configuration (default: KEYVIGIL_CONFIG, else \(LoadedConfiguration.standardPath)).",
        completion: .file(extensions: ["toml"]))
    var configOption: String?

    @Option(
        name: .customLong("store"), help: "The store (default: KEYVIGIL_STORE, else the configuration's).",
        completion: .file())
    var storeOption: String?

    @Flag(help: "Print one JSON object a line.")
    var json = false

    @Flag(help: "Print dates in UTC.")
    var utc = false

    @Flag(name: .shortAndLong, help: "Print no notes, and no word about what was done.")
    var quiet = false

    @Option(help: "When to use colours: auto, always or never.")
    var color = OutputSettings.Colour.auto

    @Flag(help: "Do not show long output through a pager.")
    var noPager = false

    init() {}

    func validate() throws { try Self.refuseEmpty(["--config": configOption, "--store": storeOption]) }

    /// Where the configuration is, if anyone has said so.
    var config: String? {
        configOption ?? ProcessEnvironment.current["KEYVIGIL_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Where the store is, if anyone has said so.
    var store: String? { storeOption ?? ProcessEnvironment.current["KEYVIGIL_STORE"].flatMap { $0.isEmpty ? nil : $0 } }

    /// Whether the configuration and the store are the service's.
    var isService: Bool { Workspace.lent != nil || config == nil && store == nil }

    /// How whoever scans reads files.
    var access: PlaceAccess { PlaceAccess(asService: isService) }

    /// The long names of those that take a value, and of the flags.
    static let names = (
        valued: ["--config", "--store", "--color"], flags: ["--json", "--utc", "--quiet", "-q", "--no-pager"]
    )

    /// The tables that a verb can do without.
    static let dispensable: Set<String> = ["scan", "alerts", "daemon", "socket", "hooks"]

    /// The configuration, with what the options say. A mistake in a table that the verb can do without is a warning.
    ///
    /// - Parameter optional: those tables.
    func load(without optional: Set<String> = dispensable) throws -> LoadedConfiguration {
        if let lent = Workspace.lent { return lent.loaded }
        let environment = ProcessEnvironment.current
        let path = config ?? LoadedConfiguration.standardPath
        var loaded = try read(path, without: optional)
        guard !loaded.problems.isEmpty else { return loaded }
        let text = ConfigurationText(ofStoreIn: loaded, environment: environment)
        loaded.problems = loaded.problems.map(text.shown)
        for problem in loaded.problems {
            Terminal.say("keyvigil: warning: \(problem.message); going on with the defaults of that table")
            if let hint = problem.hint { Terminal.say("hint: \(hint)") }
        }
        return loaded
    }

    /// The same without a warning; nil where it cannot be read.
    func loadQuietly() -> LoadedConfiguration? {
        Workspace.lent?.loaded ?? (try? read(config ?? LoadedConfiguration.standardPath, without: Self.dispensable))
    }

    private func read(_ path: String, without optional: Set<String>) throws -> LoadedConfiguration {
        try ConfigurationText.reading(path, store: store, environment: ProcessEnvironment.current) {
            try Workspace.load(configurationPath: config, storePath: store, optional: optional)
        }
    }

    func open(create: Bool = false, at now: Instant = Workspace.now) throws -> Workspace {
        try open(load(), create: create, at: now)
    }

    /// Opens the store of a configuration that is read already.
    func open(_ loaded: LoadedConfiguration, create: Bool = false, at now: Instant) throws -> Workspace {
        if let lent = Workspace.lent { return lent }
        let workspace = try Workspace.open(
            loaded, create: create, environment: ProcessEnvironment.current, now: now)
        do {
            if let settled = try workspace.store.settleImport() {
                Terminal.note("keyvigil: note: \(ImportPresentation(settled).settled)")
            }
        } catch {
            let reason = workspace.store.explained(error)
            Terminal.say("keyvigil: warning: an import was cut off, and is not finished or undone: \(reason.message)")
            if let hint = reason.hint { Terminal.say("hint: \(hint)") }
        }
        noteAge(ofCopyIn: workspace.store, at: now)
        return workspace
    }

    /// Says of which time the copy of a fleet's store is that the verb reads, if its service has not heard from the others for a while.
    private func noteAge(ofCopyIn store: Store, at now: Instant) {
        guard store.membership != nil else { return }
        let staleness = store.staleness
        if let staleness, staleness <= FleetHost.silence { return }
        let age = staleness.map { "as of \(DateText.moment(now.preceded(by: $0)))" } ?? "of an unknown age"
        Terminal.note(
            "keyvigil: note: what this host knows of the fleet is \(age), since its service has not heard from the fleet's "
                + "database: systemctl status keyvigil")
    }

    /// The fleet's database as this host sees it.
    ///
    /// - Throws: ``InputError`` where the configuration names no fleet.
    func fleetAuthority(of loaded: LoadedConfiguration) throws -> FleetAuthority {
        guard let authority = try loaded.fleetAuthority(environment: ProcessEnvironment.current) else {
            throw InputError(
                "the configuration names no fleet",
                hint: "set database in [fleet] of \(config ?? LoadedConfiguration.standardPath)")
        }
        return authority
    }

    /// Who writes the service's entries into the journal. A configuration that cannot be read leaves the unit.
    var service: ServiceOrigin {
        if let lent = Workspace.lent { return ServiceOrigin(store: lent.loaded.configuration.store.path) }
        let loaded = try? read(config ?? LoadedConfiguration.standardPath, without: Self.dispensable)
        return ServiceOrigin(store: loaded?.configuration.store.path ?? Configuration().store.path)
    }

    /// The verb as the audit names it.
    func actor(_ verb: String) -> AuditActor { Workspace.actor("keyvigil \(verb)") }
}

extension OutputSettings.Colour: ExpressibleByArgument {}

/// Several keys on the command line.
struct KeyArguments: ParsableArguments {
    @Argument(
        help: "The keys: of each its id or the start of it, its name, or a visible prefix.",
        completion: KeyCompletion.kind)
    var keys: [String]

    init() {}

    /// The keys, each once. A word that means none is refused before anything is done.
    func found(in store: Store) throws -> [Key] {
        var found: [Key] = []
        for word in keys {
            let key = try store.key(word)
            if !found.contains(where: { $0.id == key.id }) { found.append(key) }
        }
        return found
    }

    /// Does something to each of the keys. What is refused of one leaves out none of the others, and is reported of each.
    func forEach(in store: Store, _ body: (Key) throws -> Void) throws {
        let keys = try found(in: store)
        guard keys.count > 1 else {
            try keys.forEach(body)
            return
        }
        var failed = 0
        for key in keys {
            do { try body(key) } catch let error as any ExplainedError {
                Terminal.complain(error)
                failed += 1
            }
        }
        if failed > 0 { throw ExitCode(2) }
    }
}

/// What a key is called on the command line.
struct KeyArgument: ParsableArguments {
    @Argument(
        help: "The key: its id or the start of it, its name, or a visible prefix.", completion: KeyCompletion.kind)
    var key: String

    init() {}
}

/// The properties of a key as they are written on the command line.
struct KeyProperties: ParsableArguments {
    @Option(help: "Who answers for it.")
    var owner: String?

    @Option(
        name: [.customLong("permission"), .customLong("permissions")],
        help: """
            What it may do: a name such as read or mcp:write, or * for everything (default of a new key: *). May be given \
            several times.
            """)
    var permissions: [String] = []

    @Option(
        name: [.customLong("resource"), .customLong("resources")],
        help: "Where it may do it: a name, or all (default of a new key: all). May be given several times.")
    var resources: [String] = []

    @Option(
        help: """
            When it expires: 90d, 2027-01-31 or never (default of a new key: what its issuer or default_expiry in [keys] \
            says, 90d).
            """)
    var expires: String?

    @Option(help: "How often its secret must be rotated, such as 90d, or never (default of a new key: its issuer's).")
    var rotateEvery: String?

    @Option(help: "What people should know about it, in a sentence or two.")
    var notes: String?

    init() {}

    func notesText() throws -> String? {
        try notes.map { try NameRules.checked($0, what: "notes", longest: NameRules.longestNotes) }
    }

    func permissionSet() throws -> PermissionSet? {
        permissions.isEmpty ? nil : try PermissionSet(parsing: permissions)
    }

    /// What is recorded as it is written, each with what it is.
    var recordedTexts: [(what: String, text: String?)] {
        [("owner", owner), ("notes", notes)] + permissions.map { ("permission", $0) }
            + resources.map { ("resource", $0) }
    }

    func resourceScope() throws -> ResourceScope? { resources.isEmpty ? nil : try ResourceScope(parsing: resources) }

    func ownerName() throws -> String? { try owner.map { try NameRules.checked($0, what: "owner") } }

    /// The outer optional tells whether the option was given.
    func rotationPeriod() throws -> Period?? {
        guard let rotateEvery else { return nil }
        if rotateEvery == "never" { return .some(nil) }
        let period = try Period(parsing: rotateEvery)
        guard period > .zero else {
            throw InputError("the rotation period is zero", hint: "give a longer one, or never")
        }
        return .some(period)
    }
}

extension ParsableArguments {
    /// Refuses empty paths, which scripts give whose variable is not set.
    ///
    /// - Parameter paths: each with the option or argument that it is the value of; nil where it is not given.
    static func refuseEmpty(_ paths: KeyValuePairs<String, String?>) throws {
        if let empty = paths.first(where: { $0.value == "" }) {
            throw ValidationError("the path of \(empty.key) is empty")
        }
    }
}
