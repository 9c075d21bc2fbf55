internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import Systemd

/// The options that every verb takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "The configuration (default: \(LoadedConfiguration.standardPath)).")
    var config: String?

    @Option(help: "The store, instead of the configuration's.")
    var store: String?

    @Flag(help: "Print one JSON object a line.")
    var json = false

    init() {}

    /// The configuration, with what the options say.
    func load() throws -> LoadedConfiguration {
        try Workspace.load(configurationPath: config, storePath: store)
    }

    func open(create: Bool = false, at now: Instant = Workspace.now) throws -> Workspace {
        try open(load(), create: create, at: now)
    }

    /// Opens the store of a configuration that is read already.
    func open(_ loaded: LoadedConfiguration, create: Bool = false, at now: Instant) throws -> Workspace {
        try Workspace.open(loaded, create: create, environment: ProcessEnvironment.current, now: now)
    }

    /// Who writes the service's entries into the journal. A configuration that cannot be read leaves the unit.
    var service: ServiceOrigin {
        ServiceOrigin(store: (try? load())?.configuration.store.path ?? Configuration().store.path)
    }

    /// The verb as the audit names it.
    func actor(_ verb: String) -> Actor { Workspace.actor("keyvigil \(verb)") }
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
        help: "What it may do: a name such as read or mcp:write, or * for all. May be given several times.")
    var permissions: [String] = []

    @Option(
        name: [.customLong("resource"), .customLong("resources")],
        help: "Where it may do it: a name, or all. May be given several times.")
    var resources: [String] = []

    @Option(help: "When it expires: 90d, 2027-01-31 or never.")
    var expires: String?

    @Option(help: "How often its secret must be rotated, such as 90d, or never.")
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
