internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct ShowCommand: Verb {
    static let isPaged = true
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show keys, what is not clean about them, and where they were seen.",
        discussion: """
            With --absence the exit status is 0 if every watched place was searched whole and the key is in none, else 1.

            Examples:
                keyvigil show billing
                keyvigil show kv_live_6Ae5U4JX_
            """)

    @OptionGroup var selected: KeyArguments
    @Flag(help: "Say where the key was looked for and is not, for an auditor; the audit has the checksum of the lines.")
    var absence = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let workspace = try common.open(at: now)
        let keys = try selected.found(in: workspace.store)
        guard !absence else {
            let places = try WatchedPlace.all(in: workspace, common.access)
            var isAbsent = true
            for key in keys {
                let statement = try AbsenceStatement(key, workspace, places: places, at: now)
                try statement.print(workspace, asJSON: common.json, by: common.actor("show --absence"))
                isAbsent = isAbsent && statement.isAbsent
            }
            guard isAbsent else { throw ExitCode(1) }
            return
        }
        for key in keys { try show(key, workspace, at: now) }
    }

    private func show(_ key: Key, _ workspace: Workspace, at now: Instant) throws {
        let presentation = KeyPresentation(workspace, now: now)
        var seen: [Finding] = []
        var stale: [Finding] = []
        try workspace.store.forEachFinding(keyID: key.id.text, at: now) { finding in
            if finding.isStale(of: key) { stale.append(finding) } else { seen.append(finding) }
        }
        seen.removeAll(where: \.isExpected)
        stale.removeAll(where: \.isExpected)
        let expected = try workspace.store.expectedPlaces(of: key.id, at: now)
        if common.json {
            var line = presentation.json(key)
            line.add("expected", objects: expected.map(ExpectedPresentation.json))
            line.add("stale", objects: stale.map(FindingPresentation.json))
            Terminal.print(line.line)
            return
        }
        let style = Style(for: .standardOutput)
        Terminal.print(style.bold("key \(DisplayText.quoted(key.name))"))
        Terminal.print(presentation.details(key))
        let hygiene = presentation.hygiene(key, style: style)
        if !hygiene.isEmpty { Terminal.print(style.bold("to do") + "\n" + hygiene) }
        if let endpoints = presentation.endpoints(key) { Terminal.print(endpoints) }
        if !expected.isEmpty {
            Terminal.print(style.bold("expected places"))
            for place in expected {
                Terminal.print("  " + ExpectedPresentation.sentence(place, rotatedAt: key.rotatedAt))
            }
        }
        for (title, findings) in [("seen", seen), ("stale: these secrets open nothing now", stale)]
        where !findings.isEmpty {
            Terminal.print(style.bold(title))
            for finding in findings {
                Terminal.print("  " + FindingPresentation.sentence(finding, issuers: workspace.loaded.issuers))
            }
        }
        for places in try workspace.store.unlistedPlaces(keyID: key.id.text) {
            Terminal.print("  " + FindingPresentation.sentence(places))
        }
    }
}

extension Finding {
    /// Whether it is of an older secret of the key, or of one that was revoked with it: no danger, but a trace to clean up.
    fileprivate func isStale(of key: Key) -> Bool {
        switch grade {
        case .confirmed: condition.danger == .none
        case .probable: status == .resolved
        case .mention: prefix != key.prefix
        }
    }
}
