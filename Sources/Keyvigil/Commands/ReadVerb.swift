internal import ArgumentParser
internal import Glibc
internal import HTTP
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

/// A verb that only reads. Whoever may not read the store asks the daemon, which runs it for them.
protocol ReadVerb: Verb {
    func show() throws
}

extension ReadVerb {
    func run() throws {
        do { try show() } catch let error as StoreError
            // What root may not read is to be corrected; the daemon cannot read it either.
            where error.code == .permission && common.isService && Workspace.lent == nil && geteuid() != 0
        {
            try Self.askDaemon(instead: error)
        }
    }

    /// Prints what the daemon prints for the words of this command line.
    private static func askDaemon(instead error: StoreError) throws {
        let words = KeyvigilCommand.verbFirst(Array(CommandLine.arguments.dropFirst()))
        let settings = OutputSettings.current
        var headers = [
            (name: ReadDoor.Header.isTerminal, value: settings.isTerminal ? "yes" : "no"),
            (name: ReadDoor.Header.isColoured, value: Style(for: .standardOutput).isColoured ? "yes" : "no"),
            (name: ReadDoor.Header.clock, value: ClockSynchronisation.current().rawValue),
        ]
        if let columns = settings.columns { headers.append((name: ReadDoor.Header.columns, value: "\(columns)")) }
        let target = "/\(words[0])?" + words.dropFirst().map(HTTPHeaderText.encoded).joined(separator: "&")
        let socket = SocketName.read
        let answer: HTTPClient.Answer
        do {
            let client = HTTPClient(socket: socket.path, milliseconds: 60_000)
            // A list may take long, but a daemon that runs answers that there is no such page at once.
            _ = try client.ask("GET", "/", within: Self.patience)
            answer = try client.ask(
                "GET", target, headers: headers, write: { try FileDescriptor.standardOutput.writeAll($0) })
        } catch let failure as HTTPClient.Failure {
            throw InputError(
                "\(error.message); \(failure)",
                hint: failure.cause == .forbidden
                    ? "run it as root (sudo), or ask an administrator: \(socket.joining)"
                    : "see why the service does not answer: systemctl status keyvigil; or run it as root (sudo)")
        }
        guard answer.status == 200 else {
            Terminal.say(trimmed(answer.text))
            throw ExitCode(2)
        }
        let errors = answer.headers[ReadDoor.Header.errors.lowercased()].flatMap { HTTPHeaderText.decoded($0) } ?? ""
        if !errors.isEmpty { Terminal.say(trimmed(errors)) }
        let status = answer.headers[ReadDoor.Header.exitStatus.lowercased()].flatMap { Int32($0) } ?? 2
        if status != 0 { throw ExitCode(status) }
    }

    /// For the daemon to start and to answer, in milliseconds.
    private static var patience: Int { 5000 }

    private static func trimmed(_ text: String) -> String { text.hasSuffix("\n") ? String(text.dropLast()) : text }
}

extension KeyvigilCommand {
    /// Runs a verb that reads for someone who has asked the daemon, on its store.
    ///
    /// - Returns: the exit status.
    static func read(
        _ words: [String], in workspace: Workspace, for caller: ReadDoor.Caller, to sink: OutputSink
    ) -> Int32 {
        OutputSink.$current.withValue(sink) {
            Workspace.$lent.withValue(workspace) {
                do {
                    guard let verb = try parseAsRoot(words) as? any ReadVerb else {
                        throw InputError("the daemon runs no such verb", hint: "run it as root (sudo)")
                    }
                    guard verb.common.configOption == nil, verb.common.storeOption == nil else {
                        throw InputError(
                            "the daemon answers for its own store",
                            hint: "leave out --config and --store, or run it as root")
                    }
                    var settings = caller.settings
                    // The daemon's time zone is none of the caller's.
                    settings.isUTC = true
                    settings.isQuiet = verb.common.quiet
                    try OutputSettings.$lent.withValue(settings) {
                        try StatusCommand.$callersClock.withValue(caller.clock) {
                            try MetricsCommand.$verifications.withValue(caller.verifications) { try verb.show() }
                        }
                    }
                    return 0
                } catch let code as ExitCode {
                    return code.rawValue
                } catch {
                    if exitCode(for: error) == .success {
                        Terminal.print(fullMessage(for: error))
                        return 0
                    }
                    Terminal.complain(ArgumentText.shown(Entry.readable(error, Self.self), words, in: workspace))
                    return 2
                }
            }
        }
    }
}
