internal import ArgumentParser
internal import Glibc
internal import Keys
internal import Systemd

/// `keyvigil`: the tool for people and scripts.
struct KeyvigilCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyvigil",
        abstract: "Keep API keys clean: make, rotate and revoke them, verify credentials, find leaks.",
        discussion: """
            A key is named by its id or the start of it, by its name, or by its visible prefix. Secrets are read from standard \
            input or a prompt, never from an argument.

            Exit status: 0 done (scan: nothing found; verify: valid; status: all is well), 1 a finding, a refused credential, \
            or something that needs a person, 2 an error (status: the service does not run).

            Environment: KEYVIGIL_CONFIG and KEYVIGIL_STORE are the defaults of --config and --store; NO_COLOR switches colours off; \
            KEYVIGIL_PAGER or PAGER shows what is longer than the terminal; TZ is the time zone of dates.

            Examples:
                sudo keyvigil init
                sudo keyvigil create billing --owner ana --permission invoices:write
                sudo keyvigil list
                journalctl -u keyvigil -p warning -x
            """,
        version: keyvigilVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Key",
                subcommands: [
                    CreateCommand.self, ListCommand.self, ShowCommand.self, RenameCommand.self, EditCommand.self,
                    RotateCommand.self, RevokeCommand.self, ReleaseCommand.self, DeleteCommand.self,
                    ImportCommand.self,
                ]),
            CommandGroup(name: "Credential", subcommands: [VerifyCommand.self, CheckCommand.self]),
            CommandGroup(
                name: "Leak",
                subcommands: [
                    ScanCommand.self, FindingsCommand.self, IncidentsCommand.self, ExpectCommand.self,
                    ExportHookListCommand.self,
                ]),
            CommandGroup(
                name: "Record",
                subcommands: [AlertsCommand.self, AuditCommand.self, ReportCommand.self]),
            CommandGroup(
                name: "Service",
                subcommands: [
                    InitCommand.self, DoctorCommand.self, StatusCommand.self, MetricsCommand.self,
                    CheckConfigCommand.self,
                    BackupCommand.self, RestoreCommand.self, MergeCommand.self,
                ]),
            CommandGroup(name: "Fleet", subcommands: [FleetCommand.self, MigrateCommand.self]),
        ])

    init() {}

    /// The program. Ends the process.
    static func start() -> Never {
        umask(0o077)
        // A reader that goes away (`keyvigil list | head`) ends the tool quietly.
        signal(SIGPIPE, SIG_DFL)
        let arguments = Array(CommandLine.arguments.dropFirst())
        Entry.run(KeyvigilCommand.self, program: "keyvigil", shown: { ArgumentText.shown($0, arguments) }) {
            try ProcessHardening.apply()
            let words = explicitWait(verbFirst(arguments))
            try refuseUnknownVerb(words)
            let command = try KeyvigilCommand.parseAsRoot(words)
            (command as? any Verb)?.prepareOutput()
            return command
        }
    }

    /// The words with the period of a `--wait` without one, so that the word after it is no period. The parser's options that can be without
    /// a value drop the value where another option follows (swift-argument-parser 1.8.2, parseOptionalUnaryValue).
    private static func explicitWait(_ words: [String]) -> [String] {
        let patience =
            switch words.first {
            case RevokeCommand.configuration.commandName: RevokeCommand.patience
            case ScanCommand.configuration.commandName: ScanCommand.patience
            default: ""
            }
        return patience.isEmpty ? words : words.map { $0 == "--wait" ? "--wait=\(patience)" : $0 }
    }

    /// The words with the common options behind the verb, and behind its part (`findings list`), where the parser takes them.
    static func verbFirst(_ words: [String]) -> [String] {
        var options: [String] = []
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("-") {
            let name = String(word.prefix { $0 != "=" })
            let isValued = CommonOptions.names.valued.contains(name)
            guard isValued || CommonOptions.names.flags.contains(name) else { return words }
            let count = isValued && name == word ? 2 : 1
            options += rest.prefix(count)
            rest = rest.dropFirst(count)
        }
        guard !options.isEmpty, let name = rest.popFirst(),
            let verb = configuration.subcommands.first(where: { $0.configuration.commandName == name })
        else { return words }
        var start = [name]
        let parts = verb.configuration.subcommands.compactMap { $0.configuration.commandName }
        if let part = rest.first, parts.contains(part) { start.append(String(rest.removeFirst())) }
        return start + options + rest
    }

    /// An unknown verb is reported as such, with the nearest one; the parser would complain of its options.
    private static func refuseUnknownVerb(_ words: [String]) throws {
        let word = words.first == "help" ? words.dropFirst().first : words.first
        let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), !verbs.contains(word) else { return }
        throw InputError(
            "there is no verb \(DisplayText.quoted(word, limit: 64))",
            hint: DisplayText.suggestion(for: word, among: verbs)
                ?? "the verbs are \(verbs.joined(separator: ", "))")
    }
}
