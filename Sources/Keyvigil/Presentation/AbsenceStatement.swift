internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Where a key was looked for and is not, for an auditor: lines whose SHA-256 is recorded in the audit.
struct AbsenceStatement {
    private let key: Key
    private let searches: [PlaceSearch]
    /// Why no scan looks for the key; nil where they do.
    private let obstacle: String?
    private let now: Instant

    /// - Parameter places: those of the configuration.
    init(_ key: Key, _ workspace: borrowing Workspace, places: [WatchedPlace], at now: Instant) throws {
        self.key = key
        self.now = now
        let shortest = workspace.configuration.hygiene.shortestPrefix
        obstacle = try workspace.store.prefixes(of: key.id).first { $0.prefix.utf8.count < shortest }.map {
            "the prefix \($0.prefix) of one of its secrets is shorter than \(shortest) bytes, and is not searched for"
        }
        let searches = try workspace.store.searches(for: key.id)
        let known = Set(searches.map { ExactText($0.path) })
        self.searches =
            searches
            + places.filter { !known.contains(ExactText($0.name)) }.map { place in
                let reason = place.problem ?? "the service has not searched it yet"
                return PlaceSearch(
                    path: place.name, verdict: .notSearched(reason: reason), searchedAt: nil, head: nil)
            }
    }

    /// Whether every watched place was searched whole, and the key is in none of them.
    var isAbsent: Bool { !searches.isEmpty && searches.allSatisfy { verdict($0) == .absent } }

    private func verdict(_ search: PlaceSearch) -> PlaceSearch.Verdict {
        if case .present = search.verdict { return search.verdict }
        return obstacle.map { .notSearched(reason: $0) } ?? search.verdict
    }

    /// The statement as JSON: a line for each place.
    private var objects: [String] {
        searches.map { search in
            var line = JSONLine()
            line.add("key_id", key.id.text)
            line.add("stated_at", now)
            line.add("place", search.path)
            switch verdict(search) {
            case .absent: line.add("verdict", "absent")
            case .present(let findings, let unlisted):
                line.add("verdict", "present")
                line.add("findings", findings)
                line.add("unlisted", unlisted)
            case .notSearched(let reason):
                line.add("verdict", "not_searched")
                line.add("reason", reason)
            }
            line.add("searched_at", search.searchedAt)
            line.add("commit", search.head)
            return line.line
        }
    }

    /// The statement for people.
    private var lines: [String] {
        let heading = "where the key \(DisplayText.quoted(key.name)) (\(key.id)) was looked for, as of \(now)"
        guard !searches.isEmpty else { return [heading, "  no place is watched"] }
        return [heading]
            + searches.map { search in
                let place = "  " + DisplayText.name(search.path, limit: 1000)
                let searched = search.searchedAt.map { at in
                    "searched whole at \(at)" + (search.head.map { ", up to commit \($0)" } ?? "")
                }
                switch verdict(search) {
                case .absent: return "\(place)  not there; \(searched ?? "")"
                case .present(let findings, let unlisted):
                    let more = unlisted > 0 ? ", and at least \(unlisted) more that are not listed" : ""
                    return "\(place)  there: \(findings) finding\(findings == 1 ? "" : "s")\(more)"
                case .notSearched(let reason):
                    return "\(place)  not known: \(reason)" + (searched.map { "; it was last \($0)" } ?? "")
                }
            }
    }

    /// Prints the statement, and the event of the audit that has its checksum.
    func print(_ workspace: borrowing Workspace, asJSON: Bool, by actor: AuditActor) throws {
        let statement = asJSON ? objects : lines
        let digest = Checksum.sha256(Array(statement.map { "\($0)\n" }.joined().utf8).span)
        let event = try workspace.ledger.recordAbsence(of: key.id, digest: digest, at: now, by: actor)
        for line in statement { Terminal.print(line) }
        guard asJSON else {
            let words = "recorded as event \(event) of the audit, with the SHA-256 of the lines above: "
            return Terminal.print(words + Hexadecimal.text(digest))
        }
        var line = JSONLine()
        line.add("audit_event", event)
        line.add("sha256", Hexadecimal.text(digest))
        Terminal.print(line.line)
    }
}
