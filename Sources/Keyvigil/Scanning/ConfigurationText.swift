internal import KeyStore
internal import Keys
internal import LeakScan
internal import Systemd

/// Shows what a configuration says (paths, patterns, names) without the secrets of its store.
struct ConfigurationText {
    /// Nil where no secret is known.
    private let mask: NameMask?

    /// - Parameter store: the store that is in use.
    init(_ store: Store, _ configuration: Configuration) throws {
        mask = try PlaceMask.make(
            store, shortest: configuration.hygiene.shortestPrefix, threads: configuration.scan.threads)
    }

    /// Reads the store of a configuration, and changes nothing in it. Whoever may not read it knows no secret that it has.
    init(ofStoreIn configuration: Configuration, environment: [String: String]) {
        var loaded = LoadedConfiguration()
        loaded.configuration = configuration
        let store = try? Workspace.readStore(loaded, environment: environment, now: Workspace.now)
        mask = store.flatMap { try? ConfigurationText($0, configuration).mask }
    }

    /// Runs `body`, which reads a configuration; what its error quotes is shown by this.
    ///
    /// - Parameters:
    ///   - path: of the configuration.
    ///   - store: overrides the configuration's.
    static func reading<Value>(
        _ path: String, store: String? = nil, environment: [String: String], _ body: () throws -> Value
    ) throws -> Value {
        do { return try body() } catch let error as InputError {
            var configuration = Configuration()
            configuration.store = LoadedConfiguration.storeSettings(of: path)
            if let store { configuration.store = .init(path: store) }
            throw Self(ofStoreIn: configuration, environment: environment).shown(error)
        }
    }

    func shown(_ text: String) -> String { mask?.text(text) ?? text }

    func shown(_ error: any ExplainedError) -> InputError {
        InputError(shown(error.message), hint: error.hint.map { shown($0) })
    }
}
