internal import ArgumentParser
internal import CLinux
internal import Errors
internal import Glibc
internal import KeyStore
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// `keyvigild`: reads the configuration, opens the store, and runs in the foreground until a signal ends it.
struct KeyvigildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyvigild",
        abstract: "Keep API keys clean: expire them, flag rotations, find leaks, and tell the journal.",
        discussion: """
            It runs in the foreground, as a systemd service (Type=notify) or on a terminal.
            Signals: HUP reads the configuration again, USR1 scans everything now, USR2 writes a status entry, \
            TERM and INT stop.
            """,
        version: keyvigilVersion)

    @Option(help: "The configuration.")
    var config: String = LoadedConfiguration.standardPath

    @Option(help: "Where entries go: journal, terminal, or auto (the journal where there is one).")
    var log: LogTarget = .auto

    enum LogTarget: String, ExpressibleByArgument, CaseIterable {
        case auto, journal, terminal
    }

    init() {}

    func run() throws {
        keyvigil_map_large_memory()
        let output = try output()
        let daemon: Daemon
        var trouble = AlertKind.configRejected
        do {
            let environment = ProcessEnvironment.current
            let sockets = ListeningSockets(environment: environment)
            let loaded = try ConfigurationText.reading(config, environment: environment) {
                try LoadedConfiguration.load(config, required: true)
            }
            trouble = .storeUnavailable
            let extensions = StartExtension(Notify(environment: environment))
            defer { extensions.end() }
            let lock = try DaemonLock(store: loaded.configuration.store.path)
            let store = try Workspace.openStore(
                loaded, create: true, patience: Self.patience, environment: environment,
                now: Workspace.now)
            try store.requireMembership()
            try store.adopt(maxStaleness: loaded.configuration.fleet.maxStaleness)
            daemon = Daemon(
                configurationPath: config, loaded: loaded, lock: lock, store: store, sockets: sockets,
                reader: Self.reader.withLock { $0 }, output: output,
                environment: environment, now: { Workspace.now })
        } catch {
            // The daemon that runs is not in trouble because someone has started another one.
            if error is DaemonLock.Taken { throw error }
            guard case .journal = output, let explained = error as? any ExplainedError else { throw error }
            // The journal has the whole error, once; systemd adds that the service has failed.
            output.log(Alert(failedStart: explained, kind: trouble), at: Workspace.now)
            throw ExitCode(Self.needsPerson(explained) ? Daemon.storeIsGone : 2)
        }
        let status = try daemon.run()
        // The services' queues still exist. Ordinary exit would tear the libraries down under them; all is written by now.
        _exit(status)
    }

    /// Whether another attempt would fail in the same way. What the disk or another program causes can pass.
    private static func needsPerson(_ error: any ExplainedError) -> Bool {
        if error is SystemdError { return false }
        guard let error = error as? StoreError else { return true }
        return switch error.code {
        case .busy, .full, .readOnly, .io, .permission: false
        default: true
        }
    }

    /// How long the daemon waits for another program's transaction, in seconds. Short, so that it can be stopped at any
    /// moment; what fails is tried again.
    private static let patience = 1.0

    private func output() throws -> EntryOutput {
        let socket = "/run/systemd/journal/socket"
        if log == .terminal || log == .auto && FileStatus(of: socket) == nil {
            return .terminal(TerminalLog(style: Style(for: .standardOutput)))
        }
        return .journal(try JournalWriter(socket: socket))
    }

    /// What the daemon runs for people who ask for a list.
    private static let reader = Mutex<ReadDoor.Runner?>(nil)

    /// The program. Ends the process.
    ///
    /// - Parameter read: runs a verb for people who ask for a list.
    static func start(reading read: @escaping ReadDoor.Runner) -> Never {
        reader.withLock { $0 = read }
        // First of all, while there is one thread: every thread inherits the mask.
        SignalWatcher.block(Daemon.signals)
        umask(0o077)
        Entry.run(KeyvigildCommand.self, program: "keyvigild") {
            try ProcessHardening.apply()
            return try KeyvigildCommand.parseAsRoot()
        }
    }
}

extension Alert {
    /// The alert for a daemon that cannot start.
    init(failedStart error: any ExplainedError, kind: AlertKind) {
        if let error = error as? StoreError {
            let failure = Alert(failure: error)
            self.init(
                kind: failure.kind, priority: failure.priority,
                message: "keyvigild cannot start: \(words: error.message)",
                fields: failure.fields)
            return
        }
        var fields: [Field: String] = [.reason: error.message]
        fields[.remedy] = error.hint
        self.init(
            kind: kind, priority: .error, message: "keyvigild cannot start: \(words: error.message)", fields: fields)
    }
}
