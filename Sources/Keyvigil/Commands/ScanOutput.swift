internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Shows occurrences as a scan tells of them.
struct ScanOutput {
    private let store: Store
    private let asJSON: Bool
    /// Collects instead of printing.
    private(set) var sarif: SarifLog?
    private let style = Style(for: .standardOutput)
    private var pending: [Sighting] = []
    /// The number of occurrences shown.
    private(set) var count = 0

    /// The number of confirmed ones among them.
    private(set) var confirmed = 0

    init(store: Store, asJSON: Bool, asSarif: Bool = false) {
        self.store = store
        self.asJSON = asJSON
        sarif = asSarif ? SarifLog() : nil
    }

    mutating func saw(_ occurrence: Occurrence) { pending.append(Sighting(occurrence)) }

    /// Shows what was seen.
    ///
    /// - Parameter isDecoy: dead secrets are what was planted there, and not shown.
    mutating func showSeen(in repository: String, isDecoy: Bool = false) throws {
        for sighting in pending {
            let found = try store.describe(sighting, at: Workspace.now)
            if isDecoy, sighting.secretID != nil, !found.state.isLive { continue }
            try show(
                sighting, prefix: found.prefix, keyID: found.keyID, keyName: found.keyName, state: found.state,
                repository)
        }
    }

    /// Shows what was seen in one target, and what is remembered of the parts that were not searched again.
    mutating func finish(_ outcome: ScanOutcome, showsRemembered: Bool, isDecoy: Bool) throws {
        let repository = outcome.target.path
        try showSeen(in: repository, isDecoy: isDecoy)
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
                try show(
                    finding.sighting, prefix: finding.prefix, keyID: finding.keyID, keyName: finding.keyName,
                    state: finding.secretState, repository)
            }
        }
        let summary = outcome.summary
        let isUnread = outcome.problem != nil && summary.objects == 0 && summary.files == 0
        if let problem = outcome.problem {
            let message = "\(repository) was not searched\(isUnread ? "" : " whole"): \(problem)"
            sarif?.addFailure(message)
            Terminal.complain(InputError(message, hint: outcome.hint))
            sayMore(summary)
        }
        for notice in summary.problems where notice.isNotice {
            Terminal.say("keyvigil: note: \(DisplayText.escaped(repository)): \(DisplayText.escaped(notice.detail))")
        }
        if !asJSON && sarif == nil && !isUnread {
            Terminal.say(
                "\(DisplayText.escaped(repository)): \(summary.objects) objects, \(summary.files) files, "
                    + "\(ByteCount.text(summary.bytes)) searched, \(outcome.newFindings) new")
        }
    }

    /// So many problems are said one by one.
    private static let mostProblems = 20

    /// Says what else was not searched, besides the first that the error names.
    private func sayMore(_ summary: ScanSummary) {
        let others = summary.problems.filter { !$0.isNotice }.dropFirst()
        for problem in others.prefix(Self.mostProblems) {
            Terminal.say("  \(DisplayText.escaped(problem.subject)): \(DisplayText.escaped(problem.detail))")
        }
        if others.count > Self.mostProblems { Terminal.say("  and \(others.count - Self.mostProblems) more") }
    }

    private mutating func show(
        _ sighting: Sighting, prefix: String, keyID: String, keyName: String, state: SecretGrade, _ repository: String
    ) throws {
        count += 1
        if sighting.secretID != nil { confirmed += 1 }
        let form = sighting.form == "plain" ? nil : sighting.form
        if sarif != nil {
            sarif?.add(sighting, form: form, prefix: prefix, keyName: keyName, state: state, repository: repository)
            return
        }
        // Of a prefix that several keys have, a mention may be of any.
        let shared = sighting.secretID == nil ? try store.keysSharing(prefix: prefix, besides: keyID) : nil
        if asJSON {
            var line = JSONLine()
            FindingPresentation.add(
                sighting, prefix: prefix, keyID: keyID, state: state, repository: repository, to: &line)
            line.add("form", form)
            if let shared { line.add("other_key_ids", shared.keys.map(\.id)) }
            Terminal.print(line.line)
            return
        }
        let isConfirmed = sighting.secretID != nil
        let grade = isConfirmed ? "confirmed (\(state.rawValue))" : "mention"
        let coloured = isConfirmed && state.isLive ? style.red(grade) : style.yellow(grade)
        Terminal.print(
            "\(coloured) \(prefix)\(isConfirmed ? "…" : "") of '\(DisplayText.escaped(keyName))'\(shared?.alternatives ?? "")"
                + (form.map { " as \($0)" } ?? "") + "  "
                + FindingPresentation.place(sighting, repository: repository))
    }
}
