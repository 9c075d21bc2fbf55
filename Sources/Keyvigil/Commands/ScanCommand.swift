package import ArgumentParser
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

package struct ScanCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Look for leaked keys in repositories, folders and files.",
        discussion: """
            Without a path it scans what the configuration watches. What was searched before is not searched again, but what was \
            found there is shown. Exit status: 0 nothing found, 1 findings, 2 a place that could not be searched whole.
            """)

    @Argument(help: "Repositories, folders or files.")
    package var paths: [String] = []
    @Flag(help: "Search everything, whatever is remembered.")
    package var full = false
    @Flag(help: "List every git object that holds a prefix, not only where it was introduced. Searches everything.")
    package var allOccurrences = false
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let workspace = try common.open()
        let targets =
            paths.isEmpty
            ? ScanTarget.all(in: workspace.configuration.scan) : paths.map(ScanTarget.init(path:))
        guard !targets.isEmpty else {
            throw InputError(
                "there is nothing to scan",
                hint: "give a path, or list repositories in \(common.config ?? LoadedConfiguration.standardPath)")
        }
        var options = ScanOptions()
        options.full = full || allOccurrences
        options.allOccurrences = allOccurrences
        options.threads = workspace.configuration.scan.threads
        let runner = ScanRunner(
            store: workspace.store, shortestPrefix: workspace.configuration.hygiene.shortestPrefix,
            remembersFiles: false,
            options: options, actor: common.actor("scan"), now: { Workspace.now })
        var output = ScanOutput(store: workspace.store, asJSON: common.json)
        var failures = 0
        try runner.scan(targets, control: ScanControl(), saw: { output.saw($0) }) { outcome in
            try output.finish(outcome, showsRemembered: !options.full)
            if outcome.problem != nil { failures += 1 }
        }
        if failures > 0 { throw ExitCode(2) }
        if output.count > 0 { throw ExitCode(1) }
    }
}

/// Shows occurrences as a scan tells of them.
private struct ScanOutput {
    private let store: Store
    private let asJSON: Bool
    private let style = Style(for: .standardOutput)
    private var pending: [Sighting] = []
    /// The number of occurrences shown.
    private(set) var count = 0

    init(store: Store, asJSON: Bool) {
        self.store = store
        self.asJSON = asJSON
    }

    mutating func saw(_ occurrence: Occurrence) { pending.append(Sighting(occurrence)) }

    /// Shows what was seen in one target, and what is remembered of the parts that were not searched again.
    mutating func finish(_ outcome: ScanOutcome, showsRemembered: Bool) throws {
        let repository = outcome.target.path
        for sighting in pending {
            let found = try store.describe(sighting, at: Workspace.now)
            show(
                sighting, prefix: found.prefix, keyID: found.keyID, keyName: found.keyName, state: found.state,
                repository)
        }
        let seen = Set(pending.map { "\($0.source) \($0.secretID ?? 0) \($0.place)" })
        pending = []
        if showsRemembered {
            var remembered: [Finding] = []
            try store.forEachFinding { finding in
                // A file that is not there any more holds nothing; what is in the history stays.
                guard finding.repository == repository, finding.status != .dismissed,
                    finding.sighting.source != "worktree", finding.sighting.source != "file",
                    !seen.contains(
                        "\(finding.sighting.source) \(finding.sighting.secretID ?? 0) \(finding.sighting.place)")
                else { return }
                remembered.append(finding)
            }
            for finding in remembered {
                show(
                    finding.sighting, prefix: finding.prefix, keyID: finding.keyID, keyName: finding.keyName,
                    state: finding.secretState, repository)
            }
        }
        if let problem = outcome.problem {
            Terminal.complain(InputError("\(repository) was not searched whole: \(problem)", hint: outcome.hint))
        }
        for notice in outcome.summary.problems where notice.isNotice {
            Terminal.say("keyvigil: note: \(DisplayText.escaped(repository)): \(DisplayText.escaped(notice.detail))")
        }
        if !asJSON {
            Terminal.say(
                "\(DisplayText.escaped(repository)): \(outcome.summary.objects) objects, \(outcome.summary.files) files, "
                    + "\(ByteCount.text(outcome.summary.bytes)) searched, \(outcome.newFindings) new")
        }
    }

    private mutating func show(
        _ sighting: Sighting, prefix: String, keyID: String, keyName: String, state: SecretGrade, _ repository: String
    ) {
        count += 1
        if asJSON {
            var line = JSONLine()
            FindingPresentation.add(
                sighting, prefix: prefix, keyID: keyID, state: state, repository: repository, to: &line)
            Terminal.print(line.line)
            return
        }
        let isConfirmed = sighting.secretID != nil
        let grade = isConfirmed ? "confirmed (\(state.rawValue))" : "mention"
        let coloured = isConfirmed && state.isLive ? style.red(grade) : style.yellow(grade)
        Terminal.print(
            "\(coloured) \(prefix)\(isConfirmed ? "…" : "") of '\(DisplayText.escaped(keyName))'  "
                + FindingPresentation.place(sighting, repository: repository))
    }
}
