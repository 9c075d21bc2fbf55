internal import ArgumentParser
internal import Errors
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

struct ImportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Record keys that are there already, from CSV or JSON lines.",
        discussion: """
            Fields: name and issuer (required; external for an issuer without a profile), secret or hash or prefix, origin (held or \
            issued; issued needs this store's own format), owner, environment, permissions, resources, role, expires_at, \
            rotate_every, created_at, notes, kind (api_key or oauth_consent), client and scopes (of a consent). A CSV names its \
            columns in the first line and is separated by commas, semicolons or tabs; permissions are separated by spaces, resources and expected files by semicolons. A secret is hashed at once and \
            kept nowhere; hash is the SHA-256 of a secret in hexadecimal and needs the prefix too. A prefix may end with the dots \
            of the issuer's list (blnk_fdb796a5...). The text is UTF-8 or UTF-16. If any line is refused, nothing is imported.

            Examples:
                keyvigil import keys.csv --dry-run
                keyvigil import keys.csv
            """)

    @Argument(help: "The file; - or nothing for standard input.")
    var file: String?
    @Option(help: "csv or jsonl (default: by the file's name, else jsonl).")
    var format: String?
    @Option(help: "The issuer of lines that name none.")
    var issuer: String?
    @Flag(help: "Check everything and change nothing.")
    var dryRun = false
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["the file": file]) }

    func run() throws {
        let now = Workspace.now
        let format = try resolvedFormat()
        let loaded = try common.load()
        let rules = KeyRecordRules(loaded, defaultIssuer: issuer, now: now)
        let state = KeyImport.Progress()
        let progress = ProgressBar { state.value }
        var job: KeyImport
        let count: Int
        var refused: [String] = []
        do {
            defer { progress.end() }
            // Read and checked whole, before anyone waits for the store.
            let input = try readInput(state)
            let workspace = try common.open(loaded, create: true, at: now)
            let texts = RecordedTexts(workspace)
            var check = workspace.store.importCheck(at: now)
            job = KeyImport(input, format: format, rules: rules, texts: texts, .checking, state)
            let isAccepted = try job.run { new, secret, line in try check.add(new, secret, line: line) }
            count = check.count
            if isAccepted, !dryRun {
                job = KeyImport(input, format: format, rules: rules, texts: texts, .writing, state)
                refused = try add(&job, to: workspace, state, at: now)
            }
        }
        for (line, error) in job.refusals {
            Terminal.say("line \(line): \(error.message)\(error.hint.map { " (\($0))" } ?? "")")
        }
        if job.refusalCount > job.refusals.count {
            Terminal.say("and \(job.refusalCount - job.refusals.count) more lines")
        }
        guard job.refusalCount == 0 else {
            let lines = job.refusalCount == 1 ? "1 line was" : "\(job.refusalCount) lines were"
            throw InputError(
                "\(lines) refused, so nothing was imported",
                hint: "correct them and import again; --dry-run checks alone")
        }
        report(count, refused)
        guard refused.isEmpty else {
            for name in refused.prefix(KeyImport.shownRefusals) {
                Terminal.say("not imported: \(DisplayText.quoted(name))")
            }
            let keys = refused.count == 1 ? "1 key was" : "\(refused.count) keys were"
            throw InputError(
                "\(keys) not imported, since another host of the fleet has made keys with the same name, secret or sign-in meanwhile",
                hint: "see what is there: keyvigil list; and why: keyvigil audit --action import.refused")
        }
    }

    /// - Returns: the names of keys that another host of the fleet was faster with.
    private func add(
        _ job: inout KeyImport, to workspace: Workspace, _ progress: KeyImport.Progress, at now: Instant
    ) throws -> [String] {
        var generator = SystemRandom()
        do {
            return try workspace.ledger.importKeys(using: &generator, at: now, by: common.actor("import")) {
                progress.noteMoved($0, of: $1)
            } _: { importer in
                try job.run { new, secret, _ in try importer.add(new, secret) }
            }.refused
        } catch let error as StoreError where error.code == .duplicateName || error.code == .refused {
            throw InputError(
                "\(error.message), since the lines were checked; nothing was imported",
                hint: "import again: the check names the line")
        }
    }

    private func report(_ count: Int, _ refused: [String]) {
        let imported = dryRun ? 0 : count - refused.count
        if common.json {
            var line = JSONLine()
            line.add("imported", imported)
            line.add("checked", count)
            line.add("dry_run", dryRun)
            line.add("refused", refused)
            Terminal.print(line.line)
        } else {
            let number = dryRun ? count : imported
            let keys = number == 1 ? "1 key" : "\(number) keys"
            Terminal.print(
                dryRun
                    ? "\(keys) could be imported; nothing was changed."
                    : imported == 0
                        ? "Imported 0 keys." : "Imported \(keys). Watched places are due for a full scan.")
        }
    }

    private func resolvedFormat() throws -> ImportFormat {
        if let format { return try InputError.word(format, "format", ImportFormat.self) }
        let name = file?.lowercased() ?? ""
        return name.hasSuffix(".csv") || name.hasSuffix(".tsv") ? .csv : .jsonl
    }

    private func readInput(_ progress: KeyImport.Progress) throws -> ImportInput {
        let input = try openInput()
        let total = file.flatMap { $0 == "-" ? nil : FileStatus(of: $0)?.size }
        do {
            return try ImportInput(input) { progress.noteRead(bytes: $0, of: total == 0 ? nil : total) }
        } catch let error as Errno {
            throw error == .badFileDescriptor
                ? InputError("nothing came on standard input", hint: "pipe the lines in, or name a file")
                : InputError(
                    "the lines could not be read: \(SmallFile.reason(error))", hint: "nothing was imported; try again")
        }
    }

    private func openInput() throws -> FileDescriptor {
        guard let file, file != "-" else { return .standardInput }
        do { return try SmallFile.open(file, allowingPipes: true) } catch {
            throw InputError(
                "\(DisplayText.escaped(file)) cannot be read: \(SmallFile.reason(error))", hint: "check the path")
        }
    }

}
