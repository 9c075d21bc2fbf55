internal import CLinux
internal import KeyStore
internal import Keys
internal import Systemd

/// What both programs need before they can do anything: the configuration, and the store behind its pepper.
struct Workspace {
    let loaded: LoadedConfiguration
    let store: Store
    /// Where changes are recorded.
    var ledger: any Ledger { store.ledger }

    var configuration: Configuration { loaded.configuration }

    /// The daemon's, for a verb that runs in it on this thread.
    @TaskLocal static var lent: Workspace?

    /// Opens the store of a configuration.
    ///
    /// - Parameter create: whether to make a store where there is none.
    static func open(
        _ loaded: LoadedConfiguration, create: Bool, environment: [String: String], now: Instant
    ) throws -> Workspace {
        let store = try openStore(loaded, create: create, environment: environment, now: now)
        store.limit(maxStaleness: loaded.configuration.fleet.maxStaleness)
        return Workspace(loaded: loaded, store: store)
    }

    /// Reads the configuration.
    ///
    /// - Parameters:
    ///   - configurationPath: from `--config`; nil for the standard place, where a missing file means the defaults.
    ///   - storePath: from `--store`, which overrides the configuration.
    ///   - optional: the tables without which the caller goes on (``LoadedConfiguration/problems``).
    static func load(
        configurationPath: String?, storePath: String?, optional: Set<String> = []
    ) throws -> LoadedConfiguration {
        var loaded = try LoadedConfiguration.load(
            configurationPath ?? LoadedConfiguration.standardPath, required: configurationPath != nil,
            optional: optional)
        if let storePath {
            loaded.configuration.store.path = storePath
            loaded.configuration.store.pepper = nil
        }
        return loaded
    }

    /// Opens the store of a configuration.
    ///
    /// - Parameter patience: how long to wait for another program's transaction, in seconds.
    static func openStore(
        _ loaded: LoadedConfiguration, create: Bool, patience: Double = 5, environment: [String: String], now: Instant
    ) throws -> Store {
        let configuration = loaded.configuration
        let path = configuration.store.path
        let isNew = try Store.isNew(path)
        let hasPepper = PepperFile(configuration.store.pepperPath).exists
        guard create || !isNew else { throw Store.missing(path, hasPepper: hasPepper) }
        // What is refused of the configuration is refused before anything is made.
        var options = try options(loaded, environment: environment)
        if isNew { try Store.prepare(path, hasPepper: hasPepper) }
        var generator = SystemRandom()
        let source = PepperSource(environment: environment, path: configuration.store.pepperPath)
        let pepper = try source.load(mayCreate: isNew, using: &generator)
        options.create = create
        options.patience = patience
        return try Store(path: path, pepper: pepper, now: now, options: options)
    }

    /// Opens the store of a configuration to read it. One that this version would have to bring up to date is refused.
    static func readStore(_ loaded: LoadedConfiguration, environment: [String: String], now: Instant) throws -> Store {
        let configuration = loaded.configuration.store
        var generator = SystemRandom()
        let source = PepperSource(environment: environment, path: configuration.pepperPath)
        let pepper = try source.load(mayCreate: false, using: &generator)
        var options = try options(loaded, environment: environment)
        options.create = false
        options.updates = false
        options.keepsWitness = false
        return try Store(path: configuration.path, pepper: pepper, now: now, options: options)
    }

    /// What puts a backup in the place of a configuration's store.
    static func restoring(
        _ loaded: LoadedConfiguration, environment: [String: String]
    ) throws -> StoreRestore {
        let store = loaded.configuration.store
        var generator = SystemRandom()
        let source = PepperSource(environment: environment, path: store.pepperPath)
        return StoreRestore(
            store: store.path, pepper: try source.load(mayCreate: false, using: &generator),
            options: try options(loaded, environment: environment))
    }

    private static func options(_ loaded: LoadedConfiguration, environment: [String: String]) throws -> Store.Options {
        var options = Store.Options()
        options.policy = loaded.configuration.lifecycle
        options.issuers = loaded.issuers
        options.earliest = BuildDate.instant
        let boot = BootClock.bootID(environment: environment)
        options.pepperFolder =
            PepperSource(environment: environment, path: loaded.configuration.store.pepperPath).merged
        options.authority = try loaded.fleetAuthority(environment: environment)
        // An older state of the fleet shows by its database; a member's own file is a copy.
        options.keepsWitness = options.authority == nil
        options.runningTime = { boot.map { RunningTime(boot: $0, milliseconds: BootClock.milliseconds) } }
        return options
    }

    /// The present instant.
    static var now: Instant { Instant(milliseconds: WallClock.now) }

    /// Who runs this process, as the audit names them.
    static func actor(_ program: String) -> AuditActor {
        let uid = PersonName.uid(ofProcess: getuid(), environment: ProcessEnvironment.current)
        let name = PersonName.current(uid: uid, environment: ProcessEnvironment.current)
        return AuditActor(uid: uid, program: program, name: name)
    }
}
