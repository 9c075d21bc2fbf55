internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Shows occurrences as a scan tells of them.
struct ScanOutput {
    /// Nil where only the list for hooks says what is known.
    private let store: Store?
    private let list: HookList?
    private let issuers: IssuerCatalog
    private let asJSON: Bool
    /// Collects instead of printing.
    private(set) var sarif: SarifLog?
    private let style = Style(for: .standardOutput)
    private var pending: [Sighting] = []
    /// The conditions in which secrets were when they were first seen, by their numbers.
    private var conditions: [Int64: SecretCondition] = [:]
    private var unregistered: [UnregisteredSecret] = []
    /// The number of occurrences shown.
    private(set) var count = 0

    /// The number of whole secrets among them, those that may be one included.
    private(set) var whole = 0
    /// The number of secrets of known forms that belong to no key.
    private(set) var withoutKey = 0

    init(store: Store, asJSON: Bool, asSarif: Bool = false) {
        self.store = store
        list = nil
        issuers = store.issuers
        self.asJSON = asJSON
        sarif = asSarif ? SarifLog() : nil
    }

    init(list: HookList, asJSON: Bool, asSarif: Bool) {
        store = nil
        self.list = list
        issuers = list.forms.issuers
        self.asJSON = asJSON
        sarif = asSarif ? SarifLog() : nil
    }

    /// Call it before the sighting is recorded, which may end the secret.
    mutating func saw(_ sighting: Sighting) {
        pending.append(sighting)
        guard let secret = sighting.secretID, conditions[secret] == nil else { return }
        conditions[secret] = try? store?.describe(sighting, at: Workspace.now).condition
    }

    mutating func saw(_ secret: UnregisteredSecret) { unregistered.append(secret) }

    /// One line of a file is one occurrence, though both the file and its object hold it. The object comes first, with its
    /// commit.
    private struct Line: Hashable {
        let secret: Int64
        let candidate: SecretHash?
        let place: ExactText
        let line: Int?

        init?(_ sighting: Sighting) {
            guard ["blob", "worktree", "file", "journal"].contains(sighting.source), sighting.path != nil,
                let secret = sighting.secretID ?? (sighting.candidate == nil ? nil : 0)
            else { return nil }
            self.secret = secret
            candidate = sighting.candidate
            place = ExactText(sighting.place)
            line = sighting.line
        }
    }

    /// Shows what was seen.
    ///
    /// - Parameter isDecoy: dead secrets are what was planted there, and not shown.
    mutating func showSeen(in place: String, isDecoy: Bool = false) throws {
        try showSeen(in: place, isDecoy: isDecoy, besides: [])
        pending = []
    }

    /// Shows what was seen in a hook. A place that was dismissed is no reason to commit a secret there again.
    mutating func showHook(in place: String) throws {
        try showSeen(in: place, isDecoy: false, besides: [], showsDismissed: true)
        pending = []
        try showUnregistered(in: place, showsRemembered: false)
    }

    private mutating func showSeen(
        in place: String, isDecoy: Bool, besides known: Set<Line>, showsDismissed: Bool = false
    ) throws {
        var lines = known
        for seen in pending {
            if seen.source != "blob", let line = Line(seen), lines.contains(line) { continue }
            if let line = Line(seen) { lines.insert(line) }
            guard let store else {
                try showListed(seen, place)
                continue
            }
            // What was only probable when it was seen may be known since, from its issuer.
            let sighting = try store.confirmed(seen)
            let found = try store.describe(sighting, at: Workspace.now)
            if isDecoy, sighting.grade == .confirmed, found.condition.danger == .none { continue }
            guard sighting.expectedID == nil else {
                showExpected(sighting, found, place)
                continue
            }
            if try !showsDismissed && store.isDismissed(sighting, in: place) { continue }
            try show(
                sighting, prefix: found.prefix, keyID: found.keyID, keyName: found.keyName, issuer: found.issuer,
                found.condition, isRefused: found.isRefusedCandidate, place)
            sayEnded(sighting, found)
        }
    }

    /// Says that the finding has ended a secret that was valid.
    private mutating func sayEnded(_ sighting: Sighting, _ found: SightedKey) {
        guard let secret = sighting.secretID, let before = conditions.updateValue(found.condition, forKey: secret),
            before.danger == .live, found.condition.danger == .none
        else { return }
        let what = "the secret \(found.prefix)… of \(DisplayText.quoted(found.keyName)) is refused from now on"
        let why: String
        switch (before.grade, found.condition.grade) {
        case (.retiring, .retired): why = "it has leaked, so the overlap of its rotation was ended"
        case (_, .revoked) where found.condition.origin == .issued && before.grade != .revoked:
            why = "it has leaked, so the key was revoked ([scan] on_leak)"
        // It has ended by itself, or its issuer has just refused it, which is said of the finding.
        default: return
        }
        Terminal.say("keyvigil: note: \(what): \(why)")
    }

    /// Shows what was seen in one target, and what is remembered of the parts that were not searched again.
    mutating func finish(_ outcome: ScanOutcome, showsRemembered: Bool, isDecoy: Bool) throws {
        let repository = outcome.place
        let seen = Set(pending.map(Self.identity(of:)))
        var remembered: [Finding] = []
        var purged = 0
        if showsRemembered, let store {
            try store.forEachFinding(place: repository, at: Workspace.now) { finding in
                // A file that is not there any more holds nothing; what is in the history stays.
                guard finding.status != .dismissed, finding.sighting.source != "worktree",
                    finding.sighting.source != "file",
                    finding.sighting.source != "name" || finding.sighting.isInHead,
                    !seen.contains(Self.identity(of: finding.sighting))
                else { return }
                guard !outcome.purged.contains(finding.id) else {
                    purged += 1
                    return
                }
                remembered.append(finding)
            }
        }
        try showSeen(in: repository, isDecoy: isDecoy, besides: Set(remembered.compactMap { Line($0.sighting) }))
        pending = []
        for finding in remembered {
            let before = finding.firstSighting.flatMap { seen.contains(Self.identity(of: $0)) ? nil : $0 }
            for sighting in [before, finding.sighting].compactMap(\.self) {
                try show(
                    sighting, prefix: finding.prefix, keyID: finding.keyID, keyName: finding.keyName,
                    issuer: finding.issuer, finding.condition,
                    isRefused: finding.grade == .probable && finding.status == .resolved, repository)
            }
        }
        try showUnregistered(in: repository, showsRemembered: showsRemembered)
        let summary = outcome.summary
        let isUnread = outcome.problem != nil && summary.objects == 0 && summary.files == 0
        if let problem = outcome.problem {
            let message =
                "\(DisplayText.name(repository, limit: 1000)) was not searched\(isUnread ? "" : " whole"): \(problem)"
            sarif?.addFailure(message)
            Terminal.complain(InputError(message, hint: outcome.hint))
            sayMore(summary)
        }
        sayNotices(summary)
        if purged > 0 {
            Terminal.say(
                "keyvigil: note: \(DisplayText.name(repository)): \(purged) earlier finding\(purged == 1 ? "" : "s") "
                    + "in objects that were purged: what has leaked stays known, see keyvigil findings")
        }
        if !asJSON && sarif == nil && !isUnread {
            let ignored = summary.ignored == 0 ? "" : "; \(ScanOutcome.ignored(summary.ignored)) (--ignored reads them)"
            Terminal.say(
                "\(DisplayText.name(repository)): \(summary.objects) objects, \(summary.files) files, "
                    + "\(ByteCount.text(summary.bytes)) searched, \(outcome.newFindings) new\(ignored)")
        }
    }

    /// Shows secrets that belong to no key: those that were seen, and what is remembered of the parts that were not searched
    /// again.
    private mutating func showUnregistered(in repository: String, showsRemembered: Bool) throws {
        struct Line: Hashable {
            let hash: SecretHash
            let place: ExactText
            let line: Int?
        }
        var seen = unregistered
        unregistered = []
        let dismissed = try store?.unregisteredFindings(all: true).filter { $0.dismissal != nil }.map(\.hash) ?? []
        if showsRemembered, let store {
            for finding in try store.unregisteredFindings() {
                for place in finding.places where place.repository == repository && place.isInHistory {
                    seen.append(
                        UnregisteredSecret(
                            issuer: finding.issuer, prefix: finding.prefix, hash: finding.hash,
                            sighting: place.sighting))
                }
            }
        }
        var shown: Set<Line> = []
        for secret in seen where !dismissed.contains(secret.hash) {
            let sighting = secret.sighting
            guard
                shown.insert(Line(hash: secret.hash, place: ExactText(sighting.place), line: sighting.line)).inserted
            else { continue }
            count += 1
            withoutKey += 1
            if sarif != nil {
                sarif?.add(secret, issuer: issuers.title(of: secret.issuer), repository: repository)
            } else if asJSON {
                Terminal.print(UnregisteredPresentation.json(secret, repository: repository).line)
            } else {
                let what = UnregisteredPresentation.what(secret.prefix, secret.issuer, issuers)
                Terminal.print(
                    style.yellow(what) + (sighting.form == "plain" ? "" : " as \(sighting.form)") + "  "
                        + FindingPresentation.place(sighting, repository: repository))
            }
        }
    }

    /// The maximum number of problems that are listed.
    private static let mostProblems = 20

    /// Says what else was not searched, besides the first that the error names.
    private func sayMore(_ summary: ScanSummary) {
        let others = summary.problems.filter { !$0.isNotice }.dropFirst()
        for problem in others.prefix(Self.mostProblems) {
            Terminal.say("  \(DisplayText.name(problem.subject)): \(DisplayText.escaped(problem.detail))")
        }
        if others.count > Self.mostProblems { Terminal.say("  and \(others.count - Self.mostProblems) more") }
    }

    /// Notes, those that say the same of several things once.
    private func sayNotices(_ summary: ScanSummary) {
        var subjects: [(detail: String, first: String, count: Int)] = []
        for notice in summary.problems where notice.isNotice {
            if let index = subjects.firstIndex(where: { $0.detail == notice.detail }) {
                subjects[index].count += 1
            } else {
                subjects.append((notice.detail, notice.subject, 1))
            }
        }
        for (detail, first, count) in subjects {
            let others = count == 1 ? "" : " and \(count - 1) more"
            Terminal.say(
                "keyvigil: note: \(DisplayText.name(first, limit: 1000))\(others): \(DisplayText.escaped(detail))")
        }
    }

    /// What tells one occurrence from another in a place.
    private static func identity(of sighting: Sighting) -> ExactText {
        ExactText(
            "\(sighting.source) \(sighting.secretID ?? 0) \(sighting.candidate?.hashValue ?? 0) \(sighting.place)")
    }

    /// Shows a secret that is known by the list for hooks or by the daemon. Their starts of prefixes are no mentions.
    private mutating func showListed(_ sighting: Sighting, _ repository: String) throws {
        guard let list, let secret = sighting.secretID else { return }
        count += 1
        whole += 1
        let known = list.recognized(secret)
        if sarif != nil {
            sarif?.add(sighting, prefix: known.prefix, repository: repository)
        } else if asJSON {
            var line = JSONLine()
            FindingPresentation.add(sighting, prefix: known.prefix, repository: repository, to: &line)
            line.add("key_name", known.answer?.keyName)
            line.add("secret_state", known.answer?.state.rawValue)
            Terminal.print(line.line)
        } else {
            let source =
                known.answer.map { " (\($0.state.rawValue)) \(known.prefix)… of \(DisplayText.quoted($0.keyName))" }
                ?? " \(known.prefix)… by \(DisplayText.name(list.path))"
            Terminal.print(
                "\(style.red("confirmed"))\(source)  " + FindingPresentation.place(sighting, repository: repository))
        }
    }

    /// What is where it is meant to be is no finding.
    private func showExpected(_ sighting: Sighting, _ found: SightedKey, _ repository: String) {
        guard sarif == nil else { return }
        if asJSON {
            var line = JSONLine()
            FindingPresentation.add(
                sighting, prefix: found.prefix, keyID: found.keyID, condition: found.condition, repository: repository,
                to: &line)
            line.add("expected", true)
            Terminal.print(line.line)
        } else {
            Terminal.print(
                "expected place of \(DisplayText.quoted(found.keyName)) (\(found.prefix)…)  "
                    + FindingPresentation.place(sighting, repository: repository))
        }
    }

    private mutating func show(
        _ sighting: Sighting, prefix: String, keyID: String, keyName: String, issuer: String,
        _ condition: SecretCondition, isRefused: Bool, _ repository: String
    ) throws {
        count += 1
        if sighting.grade != .mention, !isRefused { whole += 1 }
        let form = sighting.form == "plain" ? nil : sighting.form
        let words = condition.words(issuer: issuers.title(of: issuer))
        // Of a prefix that several keys have, what is not confirmed may be of any.
        let shared = sighting.grade == .confirmed ? nil : try store?.keysSharing(prefix: prefix, besides: keyID)
        let keyNames = [keyName] + (shared?.keys.map(\.name) ?? [])
        if sarif != nil {
            sarif?.add(
                sighting, form: form, prefix: prefix, keyNames: keyNames, words: words,
                condition: condition, repository: repository)
            return
        }
        if asJSON {
            var line = JSONLine()
            FindingPresentation.add(
                sighting, prefix: prefix, keyID: keyID, condition: condition, repository: repository, to: &line)
            line.add("form", form)
            if let shared { line.add("other_key_ids", shared.keys.map(\.id)) }
            Terminal.print(line.line)
            return
        }
        let grade: String
        let isUrgent: Bool
        switch sighting.grade {
        case .confirmed: (grade, isUrgent) = ("confirmed (\(words))", condition.danger != .none)
        case .probable: (grade, isUrgent) = (isRefused ? "probable (its issuer refuses it)" : "probable", !isRefused)
        case .mention: (grade, isUrgent) = ("mention", false)
        }
        Terminal.print(
            "\(isUrgent ? style.red(grade) : style.yellow(grade)) \(prefix)\(sighting.grade == .mention ? "" : "…") of "
                + "\(DisplayText.quoted(keyName))\(shared?.alternatives ?? "")"
                + (form.map { " as \($0)" } ?? "") + "  "
                + FindingPresentation.place(sighting, repository: repository))
    }
}
