internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

struct ScanCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Look for leaked keys in repositories, folders and files.",
        discussion: """
            Without a path it scans what the configuration watches. What was searched before is not searched again, but what was \
            found there is shown. Exit status: 0 nothing found, 1 findings, 2 a place that could not be searched whole.

            In a fleet --fleet asks the services of all hosts to search what their configurations watch. A host that is away does so when it is \
            back, within a day. With --wait the verb ends when each has, or after a while, prints what each has found, and which did not \
            answer; a host that did not is an exit status of 2.

            Examples:
                keyvigil scan
                keyvigil scan --fleet --wait=30m
                keyvigil scan /srv/git/shop.git --json
                pg_dump shop | keyvigil scan -
            """)

    @Argument(help: "Repositories, folders or files; - for standard input, which is not remembered.")
    var paths: [String] = []
    @Flag(help: "Search everything, whatever is remembered.")
    var full = false
    @Flag(help: "List every git object that holds a prefix, not only where it was introduced. Searches everything.")
    var allOccurrences = false
    @Flag(help: "Search files that git ignores, too.")
    var ignored = false
    @Flag(
        help:
            "Ask the issuers of held keys whether they accept the secrets that are found. Searches everything; see keyvigil check."
    )
    var check = false
    @Flag(help: "Print one SARIF 2.1.0 log.")
    var sarif = false
    @Flag(help: "In a fleet, ask the services of all hosts to search their places now.")
    var fleet = false
    @Option(
        help: .init(
            "With --fleet, wait until all hosts have searched their places, this long at most (\(Self.patience) without =TIME).",
            valueName: "time"))
    var wait: String?
    @Flag(help: "Search what is staged for the next commit of the repository here; for a pre-commit hook.")
    var staged = false
    @Flag(help: "Search what a push brings, before it is accepted; for a pre-receive hook, which reads the refs.")
    var preReceive = false
    @Option(
        help:
            "In a hook: what to recognise secrets by where the store cannot be read, from keyvigil export-hook-list (default: \(HookList.standardPath))."
    )
    var hookList: String?
    @OptionGroup var common: CommonOptions

    init() {}

    /// How long `--wait` waits.
    static let patience = "10m"

    func validate() throws {
        if fleet && (!paths.isEmpty || full || allOccurrences || ignored || check || sarif || staged || preReceive) {
            throw ValidationError(
                "--fleet asks each host to search its own places, so it takes no path and no other way to search")
        }
        // It is not the current folder, which is `.`.
        for path in paths { try Self.refuseEmpty(["the place to search": path]) }
        if wait != nil && !fleet {
            throw ValidationError("--wait is for --fleet: other scans end when they have ended")
        }
        if sarif && common.json { throw ValidationError("--sarif and --json exclude each other") }
        if staged && preReceive { throw ValidationError("--staged and --pre-receive exclude each other") }
        if (staged || preReceive) && (full || allOccurrences || ignored || check || paths.count > 1) {
            throw ValidationError("a hook searches one repository and what is new in it")
        }
        if hookList != nil && !staged && !preReceive {
            throw ValidationError("--hook-list is for --staged and --pre-receive")
        }
    }

    func run() throws {
        if staged || preReceive {
            try runHook()
            return
        }
        if fleet {
            try runFleet()
            return
        }
        let now = Workspace.now
        // What is not read could not be searched, and what was searched would not be what is configured.
        let workspace = try common.open(try common.load(without: []), at: now)
        if let descriptor = paths.lazy.compactMap(Scanner.descriptor).first {
            try scanStream(descriptor, workspace)
            return
        }
        let targets =
            paths.isEmpty ? ScanTarget.all(in: workspace.configuration.scan) : ScanTarget.all(at: paths)
        guard !targets.isEmpty else {
            let sources = workspace.configuration.scan.sources.map(\.rawValue)
            let settings = DisplayText.name(common.config ?? LoadedConfiguration.standardPath, limit: 1000)
            guard sources.isEmpty else {
                throw InputError(
                    "there is nothing to scan: of the sources (\(sources.joined(separator: ", "))) nothing is here",
                    hint: "give a path, or list other places in \(settings)")
            }
            throw InputError("there is nothing to scan", hint: "give a path, or list repositories in \(settings)")
        }
        var options = ScanOptions()
        // What was found before is remembered, but not the secrets themselves.
        options.full = full || allOccurrences || check
        options.allOccurrences = allOccurrences
        options.searchesIgnored = ignored
        options.threads = workspace.configuration.scan.threads
        options.scratch = ScratchSpace(environment: ProcessEnvironment.current)
        let keeper = check ? CandidateKeeper() : nil
        let runner = ScanRunner(
            store: workspace.store, shortestPrefix: workspace.configuration.hygiene.shortestPrefix,
            remembersFiles: false, options: options, settings: workspace.configuration.scan,
            actor: common.actor("scan"), places: PlacePaths(paths.isEmpty ? targets.map(\.path) : []), keeper: keeper,
            now: { Workspace.now })
        var output = ScanOutput(store: workspace.store, asJSON: common.json, asSarif: sarif)
        var failures = 0
        let control = ScanControl()
        let progress = ProgressBar { Self.progress(of: control) }
        try runner.scan(
            targets, control: control, saw: { output.saw($0) }, sawUnregistered: { output.saw($0) }
        ) { outcome in
            let isDecoy = workspace.configuration.scan.isDecoy(outcome.target)
            try progress.withoutLine {
                if let keeper { failures += try ask(about: keeper, workspace) }
                try output.finish(outcome, showsRemembered: !options.full && !isDecoy, isDecoy: isDecoy)
            }
            if outcome.problem != nil { failures += 1 }
        }
        progress.end()
        if let log = output.sarif { Terminal.print(log.text) }
        if failures > 0 { throw ExitCode(2) }
        if output.count > 0 { throw ExitCode(1) }
    }

    /// Searches what comes through a pipe. It is not remembered: there is nothing that could be looked at again.
    private func scanStream(_ descriptor: CInt, _ workspace: Workspace) throws {
        guard paths.count == 1, !check, !full, !allOccurrences else {
            throw InputError(
                "standard input is read once, so it is scanned alone, and without --check, --full and --all-occurrences",
                hint: "scan the other paths with a command of their own")
        }
        let name = paths[0] == "-" ? "stdin" : paths[0]
        let stream: Scanner.Stream
        do throws(Errno) { stream = try Scanner.read(descriptor) } catch {
            throw InputError(
                "\(DisplayText.name(name)) cannot be read: \(error)", hint: "pass it on: COMMAND | keyvigil scan -")
        }
        let settings = workspace.configuration.scan
        let forms = UnregisteredForms(workspace.store.issuers)
        var options = ScanOptions()
        options.searchesShapes = settings.isUnregisteredSearched(in: ScanTarget(path: name))
        let terms = try SearchTerms.all(
            in: workspace.store, shortest: workspace.configuration.hygiene.shortestPrefix, shapes: forms.shapes,
            threads: settings.threads
        ).terms
        let recognizer = StoreRecognizer(workspace.store, forms: forms)
        let (found, summary) = Scanner.scan(
            stream, named: FilePath(name), terms: terms, recognizer: recognizer, options: options)
        try recognizer.check()
        let mask = NameMask(terms, recognizer)
        var output = ScanOutput(store: workspace.store, asJSON: common.json, asSarif: sarif)
        for occurrence in found {
            if let secret = recognizer.unregistered(occurrence, in: FilePath(name), mask) {
                output.saw(secret)
            } else {
                output.saw(recognizer.sighting(occurrence, in: FilePath(name), mask))
            }
        }
        var outcome = ScanOutcome(target: ScanTarget(path: paths[0]), place: name, isListed: true)
        outcome.take(summary, mask)
        try output.finish(outcome, showsRemembered: false, isDecoy: false)
        if let log = output.sarif { Terminal.print(log.text) }
        if outcome.problem != nil { throw ExitCode(2) }
        if output.count > 0 { throw ExitCode(1) }
    }

    private static func progress(of control: ScanControl) -> ProgressBar.State {
        let progress = control.progress
        // Where it is not known how many bytes there are, it goes by files and objects.
        let objects = max(progress.objectsTotal, progress.objectsDone, 1)
        return ProgressBar.State(
            done: progress.bytesDone, total: progress.bytesTotal,
            share: Double(progress.objectsDone) / Double(objects))
    }

    /// Asks the issuers about the secrets that were found.
    ///
    /// - Returns: how many questions had no answer that decides.
    private func ask(about keeper: CandidateKeeper, _ workspace: Workspace) throws -> Int {
        let checking = IssuerChecking(workspace, actor: common.actor("scan --check"))
        var unanswered = 0
        let isOverfull = try keeper.drain { term, secret in
            let key = try workspace.store.key(ofSecret: term)
            guard key.origin == .held, let profile = workspace.loaded.issuers[key.issuer],
                profile.canBeAsked(about: key)
            else { return }
            let question = try IssuerQuestion(profile, for: key, environment: ProcessEnvironment.current)
            let outcome = try checking.check(secret, of: key.id.text, question)
            if case .unknown = outcome.answer { unanswered += 1 }
            for line in outcome.sentences(profile: profile, workspace) { Terminal.say("keyvigil: \(line)") }
        }
        if isOverfull {
            Terminal.say(
                "keyvigil: warning: issuers were asked about the first \(CandidateKeeper.most) secrets of a place only")
            unanswered += 1
        }
        return unanswered
    }
}
