internal import CLinux
package import KeyStore
package import Keys
internal import Systemd

/// What both programs need before they can do anything: the configuration, and the store behind its pepper.
package struct Workspace {
    package let loaded: LoadedConfiguration
    package let store: Store

    package var configuration: Configuration { loaded.configuration }

    /// Reads the configuration and opens the store.
    ///
    /// - Parameters:
    ///   - configurationPath: from `--config`; nil for the standard place, where a missing file means the defaults.
    ///   - storePath: from `--store`, which overrides the configuration.
    ///   - create: whether to make a store where there is none.
    package static func open(
        configurationPath: String?, storePath: String?, create: Bool, environment: [String: String], now: Instant
    ) throws -> Workspace {
        let loaded = try load(configurationPath: configurationPath, storePath: storePath)
        return Workspace(
            loaded: loaded,
            store: try openStore(loaded, create: create, environment: environment, now: now))
    }

    /// Reads the configuration alone.
    package static func load(configurationPath: String?, storePath: String?) throws -> LoadedConfiguration {
        var loaded = try LoadedConfiguration.load(
            configurationPath ?? LoadedConfiguration.standardPath, required: configurationPath != nil)
        if let storePath {
            loaded.configuration.store.path = storePath
            loaded.configuration.store.pepper = nil
        }
        return loaded
    }

    /// Opens the store of a configuration.
    ///
    /// - Parameter patience: how long to wait for another program's transaction, in seconds.
    package static func openStore(
        _ loaded: LoadedConfiguration, create: Bool, patience: Double = 5, environment: [String: String], now: Instant
    ) throws -> Store {
        let configuration = loaded.configuration
        let path = configuration.store.path
        let isNew = try Store.isNew(path)
        guard create || !isNew else { throw Store.missing(path) }
        var generator = SystemRandom()
        let source = PepperSource(environment: environment, path: configuration.store.pepperPath)
        let pepper = try source.load(mayCreate: isNew, using: &generator)
        var options = Store.Options()
        options.create = create
        options.patience = patience
        options.policy = configuration.lifecycle
        options.issuers = loaded.issuers
        options.earliest = BuildDate.instant
        let boot = BootClock.bootID(environment: environment)
        options.runningTime = { boot.map { RunningTime(boot: $0, milliseconds: BootClock.milliseconds) } }
        return try Store(path: path, pepper: pepper, now: now, options: options)
    }

    /// The present instant.
    package static var now: Instant { Instant(milliseconds: WallClock.now) }

    /// This process as the audit names it.
    package static func actor(_ program: String) -> Actor { Actor(uid: getuid(), program: program) }
}
