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
            Exit status: 0 done (scan: nothing found; verify: valid), 1 a finding or a refused credential, 2 an error.
            Secrets are read from standard input or a prompt, never from an argument.
            """,
        version: keyvigilVersion,
        subcommands: [
            CreateCommand.self, ListCommand.self, ShowCommand.self, RenameCommand.self, EditCommand.self,
            RotateCommand.self, ReleaseCommand.self, RevokeCommand.self, DeleteCommand.self, VerifyCommand.self,
            CheckCommand.self,
            ImportCommand.self,
            ScanCommand.self, ExpectCommand.self, FindingsCommand.self, IncidentsCommand.self, AlertsCommand.self,
            AuditCommand.self,
            ReportCommand.self,
            StatusCommand.self, ExportHookListCommand.self, BackupCommand.self, RestoreCommand.self,
            CheckConfigCommand.self,
        ])

    init() {}

    /// The program. Ends the process.
    static func start() -> Never {
        umask(0o077)
        // A reader that goes away (`keyvigil list | head`) ends the tool quietly.
        signal(SIGPIPE, SIG_DFL)
        Entry.run(KeyvigilCommand.self, program: "keyvigil") {
            try ProcessHardening.apply()
            try refuseUnknownVerb(CommandLine.arguments.dropFirst().first)
            return try KeyvigilCommand.parseAsRoot()
        }
    }

    /// A verb that does not exist is told as that, with the nearest one; the parser would complain of its options.
    private static func refuseUnknownVerb(_ word: String?) throws {
        let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), word != "help", !verbs.contains(word) else { return }
        throw InputError(
            "there is no verb \(DisplayText.quoted(word, limit: 64))",
            hint: DisplayText.suggestion(for: word, among: verbs)
                ?? "the verbs are \(verbs.joined(separator: ", "))")
    }
}
