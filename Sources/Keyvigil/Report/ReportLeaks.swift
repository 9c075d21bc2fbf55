internal import KeyStore
internal import Keys

/// The sections of the report with leaked secrets, and with secrets that belong to no key.
struct ReportLeaks {
    private let now: Instant
    private let mostRows: Int
    private let issuers: IssuerCatalog
    private let since: Instant?
    private let isOfFleet: Bool
    private let unregistered: [UnregisteredFinding]
    private var times = IncidentTimes()
    private var open: HTMLTable
    private var closed: HTMLTable
    private var live = 0
    /// When each open incident was first seen in a repository.
    private var seen: [Place: [Int64: Instant]] = [:]
    private struct Place: Hashable {
        let repository: String
        /// Of a fleet.
        let host: String?
    }

    private var findings: [FindingGrade: Int] = [:]
    private var unlisted = 0

    private static let columns = [
        "Incident", "Key", "Who", "Secret", "Places", "Came in", "Detected", "Closed", "Used since",
    ]

    /// - Parameters:
    ///   - since: incidents that were closed before it are left out; nil: all are in it.
    ///   - host: only those on the host of the fleet with this name; nil: on all.
    init(_ workspace: Workspace, since: Instant?, on host: String?, mostRows: Int, at now: Instant) throws {
        let store = workspace.store
        self.now = now
        self.mostRows = mostRows
        self.since = since
        issuers = workspace.loaded.issuers
        open = HTMLTable("Open incidents, the oldest first", Self.columns, mostRows: mostRows)
        closed = HTMLTable("Closed incidents, the oldest first", Self.columns, mostRows: mostRows)
        isOfFleet = store.host != .alone
        unregistered = try store.unregisteredFindings(host: host)
        var filter = Store.IncidentFilter()
        filter.since = since
        filter.host = host
        try store.forEachIncident(filter, at: now) { add($0) }
        try store.forEachFinding(host: host, status: .open, at: now) { add($0) }
        unlisted = try store.unlistedPlaces(host: host).reduce(0) { $0 + ($1.grade == .confirmed ? 0 : $1.places) }
    }

    private mutating func add(_ incident: Incident) {
        times.add(incident)
        if incident.isOpen, incident.condition.danger == .live { live += 1 }
        let weight: ReportPage.Weight =
            switch incident.condition.danger {
            case .live: .bad
            case .unconfirmed: .warning
            case .none: .good
            }
        let word =
            switch incident.condition.danger {
            case .live: "works"
            case .unconfirmed: "said to have ended"
            case .none: "no longer works"
            }
        let cells: [HTML] = [
            "\(incident.keyName)", (incident.assignee ?? incident.owner).map { "\($0)" } ?? "–",
            """
            \(.badge(word, weight)) <code>\(incident.prefix)…</code> \
            <small>\(incident.condition.words(issuer: issuers.title(of: incident.issuer)))</small>
            """,
            "\(incident.openPlaces) open of \(incident.places)\(besides(incident))\(on(incident.hosts))",
            incident.introducedAt.map { .day($0, from: now) } ?? "not known: no commit has it",
            .day(incident.detectedAt, from: now),
            incident.resolvedAt.map { .day($0, from: now) } ?? .badge("open", .warning),
            incident.usedAt.map { .day($0, from: now) }
                ?? (incident.condition.origin == .issued ? "not here" : "not known here"),
        ]
        if incident.isOpen {
            open.add("\(incident.number)", cells)
        } else {
            closed.add("\(incident.number)", cells)
        }
    }

    private mutating func add(_ finding: Finding) {
        findings[finding.grade, default: 0] += 1
        guard let incident = finding.incident, finding.isConfirmed else { return }
        let path = FindingPresentation.path(finding.repository, on: finding.host)
        let place = Place(repository: finding.sighting.repositoryPath(in: path), host: finding.host)
        let earlier = seen[place]?[incident]
        seen[place, default: [:]][incident] = min(earlier ?? finding.firstSeenAt, finding.firstSeenAt)
    }

    /// The places of an incident that are not listed as open.
    private func besides(_ incident: Incident) -> HTML {
        let unlisted: HTML =
            incident.unlistedPlaces > 0 ? ", and at least \(incident.unlistedPlaces) more that are not listed" : ""
        let unwatched: HTML = incident.unwatchedPlaces > 0 ? ", \(incident.unwatchedPlaces) no longer watched" : ""
        return "\(unlisted)\(unwatched)"
    }

    /// Which hosts of a fleet something is on.
    private func on(_ hosts: [String]) -> HTML {
        hosts.isEmpty ? "" : " on \(hosts.joined(separator: ", "))"
    }

    // MARK: - Leaks

    var figures: HTML {
        let leaks = ReportPage.figure(
            "\(open.count)", "Open leaks", note: "\(live) of secrets that work",
            weight: live > 0 ? .bad : open.count > 0 ? .warning : .plain, section: "leaks")
        let strays = ReportPage.figure(
            "\(unregistered.count)", "Unregistered secrets", note: "of known forms, of no key",
            weight: unregistered.isEmpty ? .plain : .warning, section: "unregistered")
        return "\(leaks)\(strays)"
    }

    /// What the absence of leaks is worth.
    private static let seeCoverage: HTML = "What was searched is under <a href=\"#coverage\">Coverage</a>."

    var section: HTML {
        let period: HTML =
            since.map { "This section covers incidents that were open since \(.day($0, from: now))." }
            ?? "This section covers all incidents."
        let besides: [HTML] = [
            (findings[.probable] ?? 0, "place of what may be a secret", "places of what may be a secret"),
            (findings[.mention] ?? 0, "mention of a prefix alone", "mentions of a prefix alone"),
            (unlisted, "place that is counted and not listed", "places or more that are counted and not listed"),
        ].filter { $0.0 > 0 }.map { "<li>\(.count($0.0, $0.1, $0.2))</li>" }
        let others: HTML =
            besides.isEmpty
            ? "" : "<p>Besides, open and without an incident (<code>keyvigil findings</code>):</p><ul>\(besides)</ul>\n"
        let byAge = ages.html(
            empty: "No incident has an open place that is listed and watched.", others: "keyvigil incidents --open")
        let stillOpen = open.html(
            empty: "No incident is open. \(Self.seeCoverage)", others: "keyvigil incidents --open")
        let ended: HTML = closed.count > 0 ? closed.html(empty: "", others: "keyvigil incidents") : ""
        return """
            <section id="leaks" aria-labelledby="leaks-title">
            <h2 id="leaks-title">Leaks</h2>
            <p>An incident is one secret that was found whole in a watched place, with all its places. \(period)</p>
            <h3>Open, by repository and age</h3>
            \(byAge)\(others)<h3>Incidents</h3>
            \(stillOpen)\(ended)\
            <h3>Time to detect and to resolve</h3>
            \(timesTable)</section>

            """
    }

    /// Ages of open incidents in a repository, by when they were first seen there.
    private static let ages: [(title: String, days: Int64)] = [
        ("Below a day", 1), ("Below a week", 7), ("Below 30 days", 30), ("Below 90 days", 90), ("Older", .max),
    ]

    private var ages: HTMLTable {
        var table = HTMLTable(
            "Open incidents by when they were first seen in a repository, the most first",
            ["Repository"] + (isOfFleet ? ["Host"] : []) + Self.ages.map(\.title) + ["All"], mostRows: mostRows)
        let places = seen.sorted {
            ($1.value.count, $0.key.repository, $0.key.host ?? "")
                < ($0.value.count, $1.key.repository, $1.key.host ?? "")
        }
        for (place, incidents) in places {
            var counts = [Int](repeating: 0, count: Self.ages.count)
            for first in incidents.values {
                let days = now.milliseconds(since: first) / Period.days(1).milliseconds
                counts[Self.ages.firstIndex { days < $0.days } ?? Self.ages.count - 1] += 1
            }
            table.add(
                "\(place.repository)",
                (isOfFleet ? ["\(place.host ?? "–")"] : []) + counts.map { $0 == 0 ? "–" : "\($0)" }
                    + ["\(incidents.count)"])
        }
        return table
    }

    private var timesTable: HTML {
        var table = HTMLTable(
            "From the commit to the detection, and from the detection to the end",
            ["Time"] + IncidentTimes.columns.dropFirst().map(\.capitalized), mostRows: mostRows)
        for row in times.rows { table.add("\(row[0])", row.dropFirst().map { "\($0)" }) }
        return table.html(empty: "", others: "keyvigil incidents times")
    }

    // MARK: - Secrets that belong to no key

    var unregisteredSection: HTML {
        var table = HTMLTable(
            "Secrets that belong to no key, the oldest first", ["Finding", "Secret", "First seen", "Where", "To do"],
            mostRows: mostRows)
        for finding in unregistered {
            let first = finding.places.first.map {
                FindingPresentation.place(
                    $0.sighting, repository: FindingPresentation.path($0.repository, on: $0.host))
            }
            let hosts = on(Set(finding.places.compactMap(\.host)).sorted())
            let more = finding.places.count - 1
            let others: HTML = more > 0 ? " and \(.count(more, "more place"))" : ""
            table.add(
                "\(UnregisteredPresentation.number(finding.id))",
                "<code>\(finding.prefix)…</code> <small>\(issuers.title(of: finding.issuer))</small>",
                .day(finding.firstSeenAt, from: now), "\(first ?? "–")\(others)\(hosts)",
                "\(UnregisteredPresentation.remedy(for: finding, issuers: issuers))")
        }
        let list = table.html(
            empty: "None is open. \(Self.seeCoverage)", others: "keyvigil findings --unregistered")
        return """
            <section id="unregistered" aria-labelledby="unregistered-title">
            <h2 id="unregistered-title">Unregistered secrets</h2>
            <p>What has the form of a known issuer's secrets, and belongs to no key of the store.</p>
            \(list)</section>

            """
    }
}

extension String {
    /// With its first letter in upper case and the others in lower case, as titles of columns are.
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst().lowercased() }
}
