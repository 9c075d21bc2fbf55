internal import KeyStore
internal import Keys

extension Configuration.ScanSettings {
    /// Takes over the settings of `[scan]`.
    mutating func apply(_ table: SettingsTable) throws(InputError) {
        repositories = try table.paths("repositories") ?? repositories
        folders = try table.paths("folders") ?? folders
        sources = try table.strings("sources") { text throws(InputError) in try ScanSource(checking: text) } ?? sources
        if let period = try table.periodOrNever("interval", atLeast: .seconds(1)) { interval = period.value }
        threads = try table.integer("threads", in: 1...64) ?? threads
        turn = try table.period("turn", atLeast: .seconds(1)) ?? turn
        pushTurn = try table.period("push_turn", atLeast: .seconds(1)) ?? pushTurn
        maxFindings = try table.integer("max_findings", in: 1...1_000_000) ?? maxFindings
        onLeak = try table.string("on_leak", check: Self.leakAnswer) ?? onLeak
        ignored = try table.boolean("ignored") ?? ignored
        unregistered = try table.boolean("unregistered") ?? unregistered
        decoy = try table.path("decoy") ?? decoy
        var rules = places
        try table.tables("place") { (table) throws(InputError) in
            guard let path = try table.path("path") else {
                throw table.missing("path", hint: "name the place: path = \"/srv/git/shop.git\"; it may be a pattern")
            }
            var rule = Configuration.PlaceRule(path: path)
            rule.onLeak = try table.string("on_leak", check: Self.leakAnswer)
            rule.ignored = try table.boolean("ignored")
            rule.unregistered = try table.boolean("unregistered")
            // A later rule for the same path takes the place of an earlier one.
            rules.removeAll { $0.path.isExactly(path) }
            rules.append(rule)
        }
        places = rules
    }

    private static func leakAnswer(_ text: String) throws(InputError) -> LeakAnswer {
        if let answer = LeakAnswer(rawValue: text) { return answer }
        throw InputError(
            "\(DisplayText.quoted(text, limit: 100)) is no answer to a leak", hint: "use \"alert\" or \"revoke\"")
    }

    /// All paths and patterns that are named.
    var paths: [String] { repositories + folders + [decoy].compactMap(\.self) }

    /// The paths and patterns of sources; what of them is not there is no problem.
    var sourcePatterns: [String] { sources.flatMap(\.patterns) }

    /// All paths and patterns that are watched.
    var watchedPaths: [String] { paths + sourcePatterns }
}
