internal import KeyStore
internal import Keys

/// Incidents as JSON and as text.
enum IncidentPresentation {
    static func json(_ incident: Incident) -> JSONLine {
        var line = JSONLine()
        line.add("incident", incident.number)
        line.add("status", incident.isOpen ? "open" : "closed")
        line.add("key_id", incident.keyID)
        line.add("key_name", incident.keyName)
        line.add("owner", incident.owner)
        line.add("assignee", incident.assignee)
        line.add("issuer", incident.issuer)
        line.add("prefix", incident.prefix)
        line.add("secret_state", incident.condition.grade.rawValue)
        line.add("danger", incident.condition.danger.word)
        line.add("places", incident.places)
        line.add("open_places", incident.openPlaces)
        line.add("unwatched_places", incident.unwatchedPlaces)
        line.add("unlisted_places", incident.unlistedPlaces)
        if !incident.hosts.isEmpty { line.add("hosts", incident.hosts) }
        line.add("introduced_at", incident.introducedAt)
        line.add("backdated_to", incident.backdatedTo)
        line.add("detected_at", incident.detectedAt)
        line.add("opened_at", incident.openedAt)
        line.add("resolved_at", incident.resolvedAt)
        line.add("close_reason", incident.closeReason)
        line.add("seconds_to_detect", seconds(incident.timeToDetect))
        line.add("seconds_to_resolve", seconds(incident.timeToResolve))
        line.add("used_at", incident.usedAt)
        line.add("used_from", incident.usedFrom)
        return line
    }

    private static func seconds(_ period: Period?) -> Int64? { period.map { $0.milliseconds / 1000 } }

    static func columns(inFleet isInFleet: Bool) -> [TextTable.Column] {
        [
            .init("NO"), .init("STATUS"), .init("KEY", isCut: true), .init("OWNER", isCut: true),
            .init("SECRET", rank: 2), .init("DANGER"), .init("PLACES"),
        ] + (isInFleet ? [.init("HOSTS", isCut: true)] : []) + [
            .init("DETECTED", rank: 1), .init("TO DETECT", rank: 4), .init("TO RESOLVE", rank: 5),
            .init("USED", rank: 3),
        ]
    }

    static func cells(_ incident: Incident, at now: Instant) -> [String] {
        [
            String(incident.number), incident.isOpen ? "open" : "closed", incident.keyName,
            incident.assignee ?? incident.owner ?? "-", incident.prefix, incident.condition.danger.word,
            count(incident),
        ] + (incident.hosts.isEmpty ? [] : [incident.hosts.joined(separator: ", ")]) + [
            distance(incident.detectedAt, now), incident.timeToDetect.map(rounded) ?? "-",
            incident.timeToResolve.map(rounded) ?? "-", incident.usedAt.map { distance($0, now) } ?? "-",
        ]
    }

    /// The places that are listed, and those that are only counted.
    private static func count(_ incident: Incident) -> String {
        let (open, all) = (incident.openPlaces, incident.places)
        let listed = open == all ? "\(all)" : "\(open) of \(all)"
        return incident.unlistedPlaces > 0 ? "\(listed) + \(incident.unlistedPlaces)" : listed
    }

    private static func distance(_ instant: Instant, _ now: Instant) -> String {
        OutputSettings.current.isUTC ? "\(instant)" : DateText.distance(to: instant, from: now)
    }

    /// A period with its two largest units.
    static func rounded(_ period: Period) -> String {
        let units: [Int64] = [86_400_000, 3_600_000, 60_000, 1000]
        let all = period.milliseconds
        guard let largest = units.firstIndex(where: { all >= $0 }) else { return "\(period)" }
        let step = units[min(largest + 1, units.count - 1)]
        return "\(Period(milliseconds: all / step * step))"
    }

    /// Label and value of all that is known of one incident, a line each.
    static func details(_ incident: Incident, issuers: IssuerCatalog) -> String {
        let title = issuers.title(of: incident.issuer)
        var rows: [(String, String)] = [
            ("key", "\(DisplayText.name(incident.keyName)) (\(incident.keyID))"),
            ("secret", "\(incident.prefix)…, \(incident.condition.words(issuer: title))"),
            ("owner", incident.owner.map { DisplayText.name($0) } ?? "-"),
        ]
        if let assignee = incident.assignee { rows.append(("assigned to", DisplayText.name(assignee))) }
        rows.append(("status", status(incident)))
        if !incident.hosts.isEmpty { rows.append(("hosts", incident.hosts.joined(separator: ", "))) }
        rows.append(("came in", introduction(incident)))
        let delay = incident.timeToDetect.map { ", \(rounded($0)) after it came in" } ?? ""
        rows.append(("detected", "\(DateText.moment(incident.detectedAt))\(delay)"))
        if incident.openedAt != incident.detectedAt {
            rows.append(("opened again", DateText.moment(incident.openedAt)))
        }
        if let at = incident.usedAt {
            let from = incident.usedFrom.map { " from \(DisplayText.name($0))" } ?? ""
            rows.append(("used", "last at \(DateText.moment(at))\(from), by what verified it here"))
        } else if incident.condition.origin == .issued {
            rows.append(("used", "not since it was detected, by what verified it here"))
        } else {
            rows.append(("used", "not known here: ask \(title)"))
        }
        return LabelledLines.text(rows)
    }

    private static func status(_ incident: Incident) -> String {
        guard let at = incident.resolvedAt else {
            let unwatched = incident.unwatchedPlaces
            let others = [
                incident.unlistedPlaces > 0 ? "; at least \(incident.unlistedPlaces) more are counted, not listed" : "",
                unwatched == 0 ? "" : "; \(unwatched) \(unwatched == 1 ? "is" : "are") no longer watched",
            ].joined()
            return "open, \(incident.openPlaces) of \(incident.places) place\(incident.places == 1 ? "" : "s")\(others)"
        }
        let span = incident.timeToResolve.map { ", \(rounded($0)) after it was opened" } ?? ""
        let reason = incident.closeReason.map { ": \(DisplayText.escaped($0, limit: 1000))" } ?? ""
        return "closed at \(DateText.moment(at))\(span)\(reason)"
    }

    private static func introduction(_ incident: Incident) -> String {
        guard let at = incident.introducedAt else { return "not known: no commit has it" }
        guard let claimed = incident.backdatedTo else {
            // Dates of git have no fractions of a second.
            return at == incident.detectedAt && at.milliseconds % 1000 != 0
                ? "\(DateText.moment(at)) at the latest, when it was found: the commit has a later date"
                : "\(DateText.moment(at)), the date of the commit"
        }
        return
            "at \(DateText.moment(at)) or later, when the secret was made: the commit is backdated, to \(DateText.moment(claimed))"
    }

    /// The places of an incident, by repository; in a fleet each with its host.
    static func places(_ findings: [Finding]) -> [(repository: String, lines: [String])] {
        var groups: [(repository: String, lines: [String])] = []
        for finding in findings {
            let path = FindingPresentation.path(finding.repository, on: finding.host)
            let repository =
                DisplayText.name(finding.sighting.repositoryPath(in: path), limit: 1000)
                + (finding.host.map { " on \($0)" } ?? "")
            let index = groups.firstIndex { $0.repository == repository } ?? groups.count
            if index == groups.count { groups.append((repository, [])) }
            groups[index].lines.append(line(finding))
        }
        return groups
    }

    private static func line(_ finding: Finding) -> String {
        let sighting = finding.sighting
        var text = "\(finding.id)  "
        if let path = sighting.path {
            text += DisplayText.name(path, limit: 1000) + (sighting.line.map { ":\($0)" } ?? "")
        } else {
            text += sighting.source + (sighting.object.map { " \($0.prefix(12))" } ?? "")
        }
        let origin = finding.first
        if let commit = origin?.commit ?? sighting.commit {
            text += "  since commit \(commit.prefix(12))"
            if let author = origin?.author ?? sighting.author { text += " by \(DisplayText.name(author))" }
            if let at = origin?.authoredAt ?? sighting.authoredAt { text += " at \(at)" }
        }
        if finding.status != .open { text += "  [\(finding.status.word)]" }
        return text
    }

    // MARK: - Clones

    /// The most people that are named.
    private static let mostNamed = 20

    /// Who had the secret in a clone of a repository.
    static func lines(_ repository: IncidentClones.Repository) -> [String] {
        guard let holders = repository.holders else { return ["not known: the commit cannot be read there"] }
        var lines = holders.prefix(mostNamed).map { holder in
            let days = Set([holder.first, holder.last].map { $0.description.prefix(10) }).sorted().joined(
                separator: " to ")
            return
                "\(DisplayText.name(holder.name, limit: 200))  \(holder.commits) commit\(holder.commits == 1 ? "" : "s"), \(days)"
        }
        if holders.count > mostNamed { lines.append("and \(holders.count - mostNamed) more") }
        if holders.isEmpty { lines.append("no one has committed on top of it") }
        if !repository.isComplete {
            lines.append("the history is too long to be read whole, or damaged: there may be more")
        }
        lines.append("who only fetched it leaves no trace in the repository")
        return lines
    }

    static func json(_ repository: IncidentClones.Repository) -> JSONLine {
        var line = JSONLine()
        line.add("repository", repository.path)
        line.add("commit", repository.commit)
        line.add("complete", repository.holders != nil && repository.isComplete)
        line.add(
            "committers",
            objects: (repository.holders ?? []).map { holder in
                var line = JSONLine()
                line.add("name", holder.name)
                line.add("commits", holder.commits)
                line.add("first_at", holder.first)
                line.add("last_at", holder.last)
                return line
            })
        return line
    }

    // MARK: - History

    /// One event in the history of an incident.
    struct Event {
        let at: Instant
        let words: String
    }

    /// What happened to the secret, oldest first.
    static func history(_ incident: Incident, _ recorded: [IncidentEvent]) -> [Event] {
        var events = recorded.map { Event(at: $0.at, words: words($0)) }
        if let at = incident.introducedAt { events.append(Event(at: at, words: "the secret came in with a commit")) }
        events.append(Event(at: incident.detectedAt, words: "the first place was found"))
        if incident.openedAt != incident.detectedAt {
            events.append(Event(at: incident.openedAt, words: "the incident opened again"))
        }
        if let at = incident.usedAt { events.append(Event(at: at, words: "the secret was last accepted here")) }
        if let at = incident.resolvedAt, !recorded.contains(where: { $0.action == .incidentClosed && $0.at == at }) {
            events.append(Event(at: at, words: "the incident closed: no open place is left"))
        }
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private static func words(_ event: IncidentEvent) -> String {
        let text = event.text.map { ": \(DisplayText.escaped($0, limit: 1000))" } ?? ""
        let what =
            switch event.action {
            case .keyCreated: "the key was created"
            case .keyImported: "the key was imported"
            case .keyMerged: "the key was merged from another store"
            case .keyRotated: "the key was rotated"
            case .keyRevoked: "the key was revoked\(text)"
            case .keyDeleted: "the key was deleted"
            case .keyExpired: "the key expired"
            case .secretRetired: "a replaced secret was retired"
            case .secretChecked where event.text == "unknown": "the issuer was asked about a secret, and gave no answer"
            case .secretChecked: "the issuer was asked about a secret\(text)"
            case .findingDismissed: "finding \(event.finding ?? 0) was dismissed\(text)"
            case .incidentAssigned: "assigned to \(event.text.map { DisplayText.name($0) } ?? "-")"
            case .incidentNoted: "note\(text)"
            case .incidentClosed: "closed by a person\(text)"
            default: event.action.rawValue
            }
        return "\(what) (user \(event.uid), \(DisplayText.name(event.program)))"
    }

    static func json(_ event: IncidentEvent) -> JSONLine {
        var line = JSONLine()
        line.add("at", event.at)
        line.add("action", event.action.rawValue)
        line.add("uid", Int64(event.uid))
        line.add("program", event.program)
        line.add("finding", event.finding)
        line.add("text", event.text)
        return line
    }
}
