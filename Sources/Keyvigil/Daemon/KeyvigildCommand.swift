package import ArgumentParser
internal import CLinux
internal import Foundation
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

/// `keyvigild`: reads the configuration, opens the store, and runs in the foreground until it is told to stop.
package struct KeyvigildCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "keyvigild",
        abstract: "Keep API keys clean: expire them, flag rotations, find leaks, and tell the journal.",
        discussion: """
            It runs in the foreground, as a systemd service (Type=notify) or on a terminal.
            Signals: HUP reads the configuration anew, USR1 scans everything now, USR2 writes a status entry, \
            TERM and INT stop.
            """,
        version: keyvigilVersion)

    @Option(help: "The configuration.")
    package var config: String = LoadedConfiguration.standardPath

    @Option(help: "Where entries go: journal, terminal, or auto (the journal where there is one).")
    package var log: LogTarget = .auto

    package enum LogTarget: String, ExpressibleByArgument, CaseIterable {
        case auto, journal, terminal
    }

    package init() {}

    package func run() throws {
        let environment = Environment.current
        let loaded = try LoadedConfiguration.load(config, required: true)
        let store = try Workspace.openStore(
            loaded, create: true, environment: environment, now: Workspace.now)
        let daemon = Daemon(
            configurationPath: config, loaded: loaded, store: store, output: try output(), environment: environment,
            now: { Workspace.now })
        try daemon.run()
        // The services' queues still exist. Ordinary exit would tear the libraries down under them; all is written by
        // now.
        _exit(0)
    }

    private func output() throws -> EntryOutput {
        let socket = "/run/systemd/journal/socket"
        if log == .terminal || log == .auto && !FileManager.default.fileExists(atPath: socket) {
            return .terminal(TerminalLog(style: Style(for: .standardOutput)))
        }
        return .journal(try JournalWriter(socket: socket))
    }

    /// The program. Ends the process.
    package static func start() -> Never {
        // First of all, while there is one thread: every thread inherits the mask.
        SignalWatcher.block(Daemon.signals)
        umask(0o077)
        Entry.run(KeyvigildCommand.self, program: "keyvigild") {
            try ProcessHardening.apply()
            return try KeyvigildCommand.parseAsRoot()
        }
    }
}
