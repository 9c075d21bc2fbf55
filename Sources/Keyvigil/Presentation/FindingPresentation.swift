internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Systemd

/// Findings and occurrences as JSON and as text. None holds a secret.
enum FindingPresentation {
    /// One remembered finding, with the fields of an occurrence and those of its own.
    static func json(_ finding: Finding) -> JSONLine {
        var line = JSONLine()
        line.add("finding", finding.id)
        line.add("status", finding.status.word)
        add(
            finding.sighting, prefix: finding.prefix, keyID: finding.keyID, condition: finding.condition,
            repository: finding.repository, to: &line)
        if let host = finding.host { line.add("host", host) }
        line.add("incident", finding.incident)
        line.add("expected", finding.isExpected)
        line.add("key_name", finding.keyName)
        line.add("owner", finding.owner)
        line.add("form", finding.sighting.form)
        line.add("first_path", finding.first?.path)
        line.add("first_commit", finding.first?.commit)
        line.add("first_author", finding.first?.author)
        line.add("in_head", finding.sighting.isInHead)
        line.add("objects", finding.sighting.objectCount)
        line.add("first_seen_at", finding.firstSeenAt)
        line.add("last_seen_at", finding.lastSeenAt)
        line.add("dismissed_at", finding.dismissal?.at)
        line.add("dismissed_by", finding.dismissal.map { Int64($0.uid) })
        line.add("dismiss_reason", finding.dismissal?.reason)
        return line
    }

    /// The fields of one occurrence.
    static func add(
        _ sighting: Sighting, prefix: String, keyID: String, condition: SecretCondition, repository: String,
        to line: inout JSONLine
    ) {
        line.add("prefix", prefix)
        line.add("key_id", keyID)
        line.add("origin", condition.origin.rawValue)
        line.add("grade", sighting.grade.rawValue)
        let isConfirmed = sighting.grade == .confirmed
        line.add("secret_state", isConfirmed ? condition.grade.rawValue : nil)
        line.add("danger", isConfirmed ? condition.danger.word : nil)
        line.add("check", isConfirmed ? condition.check.word : nil)
        line.add("checked_at", isConfirmed ? condition.check.checkedAt : nil)
        addPlace(sighting, repository, to: &line)
    }

    /// The same of a secret of which only the list for hooks tells.
    static func add(_ sighting: Sighting, prefix: String, repository: String, to line: inout JSONLine) {
        line.add("prefix", prefix)
        line.add("grade", sighting.grade.rawValue)
        addPlace(sighting, repository, to: &line)
        line.add("form", sighting.form)
    }

    static func addPlace(_ sighting: Sighting, _ repository: String, to line: inout JSONLine) {
        line.add("source", sighting.source)
        line.add("repository", sighting.repositoryPath(in: repository))
        line.add("object", sighting.object)
        line.add("path", sighting.path)
        // For programs that open the file: its name is not UTF-8.
        if let path = sighting.path, PathText.isEscaped(path) {
            line.add("path_base64", Base64Text.encoded(PathText.bytes(path)))
        }
        line.add("line", sighting.line.map(Int64.init))
        line.add("column", sighting.column.map(Int64.init))
        line.add("commit", sighting.commit)
        line.add("author", sighting.author)
        line.add("authored_at", sighting.authoredAt)
        if sighting.isBeforeHistory { line.add("before_history", true) }
    }

    /// The place is the last, and is not cut: a person has to find it.
    static func columns(inFleet isInFleet: Bool) -> [TextTable.Column] {
        [.init("NO"), .init("KEY", isCut: true), .init("OWNER", isCut: true), .init("WHAT")]
            + (isInFleet ? [.init("HOST")] : []) + [.init("WHERE", isWording: true)]
    }

    static func cells(_ finding: Finding, issuers: IssuerCatalog) -> [String] {
        ["\(finding.id)", finding.keyName, finding.owner ?? "-", what(finding)] + (finding.host.map { [$0] } ?? [])
            + [whereabouts(finding, in: path(finding.repository, on: finding.host), issuers)]
    }

    /// The path of a place on its host, which is named beside it.
    ///
    /// - Parameter place: as a store shows it: with the host before the path, where it is another one.
    static func path(_ place: String, on host: String?) -> String {
        guard let host, place.utf8.starts(with: "\(host):".utf8) else { return place }
        return String(decoding: place.utf8.dropFirst(host.utf8.count + 1), as: UTF8.self)
    }

    /// One line for people, of a key that is named before.
    static func sentence(_ finding: Finding, issuers: IssuerCatalog) -> String {
        "\(finding.id)  \(what(finding))  \(whereabouts(finding, in: finding.repository, issuers))"
    }

    private static func what(_ finding: Finding) -> String {
        let form = finding.sighting.form == "plain" ? "" : " as \(finding.sighting.form)"
        return "\(gradeWords(finding)) \(finding.prefix)\(finding.grade == .mention ? "" : "…")\(form)"
    }

    private static func whereabouts(_ finding: Finding, in repository: String, _ issuers: IssuerCatalog) -> String {
        let status = finding.status == .open ? "" : " [\(finding.status.word)]"
        let words =
            finding.isConfirmed && finding.condition.origin == .held
            ? " (\(finding.condition.words(issuer: issuers.title(of: finding.issuer))))" : ""
        let isGone = finding.sighting.isOutsideHistory && !finding.sighting.isInHead
        return place(finding.sighting, repository: repository) + (isGone ? ", no longer there" : "") + words + status
    }

    /// That there are more places than are listed.
    static func sentence(_ places: UnlistedPlaces) -> String {
        let prefix = DisplayText.prefix(places.prefix)
        let what = places.grade == .mention ? "mentions of \(prefix)" : "places of \(prefix)…"
        return "and at least \(places.places) more \(what) in "
            + "\(DisplayText.name(places.repository, limit: 1000)), not listed ([scan] max_findings)"
    }

    static func json(_ places: UnlistedPlaces) -> JSONLine {
        var line = JSONLine()
        line.add("unlisted", places.places)
        line.add("prefix", places.prefix)
        line.add("key_id", places.keyID)
        line.add("key_name", places.keyName)
        line.add("grade", places.grade.rawValue)
        line.add("repository", places.repository)
        if let host = places.host { line.add("host", host) }
        return line
    }

    private static func gradeWords(_ finding: Finding) -> String {
        switch finding.grade {
        case .confirmed: finding.condition.origin == .issued ? "\(finding.secretState.rawValue) secret" : "secret"
        case .probable: "probable secret"
        case .mention: "mention"
        }
    }

    /// Whether a place is the file that something is in. What is recorded of a folder with a file of the folder's name is the same: the
    /// disk tells them apart.
    private static func isFile(_ place: String, named name: String) -> Bool {
        guard place.utf8.count > name.utf8.count, place.utf8.reversed().starts(with: ("/" + name).utf8.reversed())
        else {
            return false
        }
        return !(FileStatus(of: place)?.isFolder ?? false)
    }

    /// Where something is.
    static func place(_ sighting: Sighting, repository: String) -> String {
        var text = DisplayText.name(sighting.repositoryPath(in: repository), limit: 1000)
        if let path = sighting.path, !(sighting.source == "file" && isFile(repository, named: path)) {
            text += " " + DisplayText.name(path, limit: 1000)
        }
        if let line = sighting.line { text += ":\(line)" }
        if let column = sighting.column { text += ":\(column)" }
        if sighting.path == nil, let object = sighting.object { text += " \(sighting.source) \(object.prefix(12))" }
        if let commit = sighting.commit {
            text += " commit \(commit.prefix(12))"
            if let author = sighting.author { text += " by \(DisplayText.name(author))" }
            if let at = sighting.authoredAt { text += " at \(at)" }
        } else if sighting.isBeforeHistory {
            text += " before the history that is here"
        }
        return text
    }

    /// Label and value of all that is known of one finding, a line each, and what to do.
    static func details(_ finding: Finding, remedy: String, issuers: IssuerCatalog) -> String {
        let sighting = finding.sighting
        var rows: [(String, String)] = [
            (
                "key",
                "\(DisplayText.name(finding.keyName)) (\(finding.keyID))"
                    + (finding.owner.map { " of \(DisplayText.name($0))" } ?? "")
            ),
            ("prefix", finding.prefix),
            ("grade", gradeDetails(finding, issuers)),
            ("status", finding.status.word + (finding.incident.map { " (incident \($0))" } ?? "")),
            ("written as", sighting.form),
            (
                "repository",
                DisplayText.name(
                    sighting.repositoryPath(in: path(finding.repository, on: finding.host)), limit: 1000)
            ),
        ]
        if let host = finding.host { rows.append(("host", host)) }
        if let path = sighting.path {
            let line = sighting.line.map { ":\($0)" } ?? ""
            let column = sighting.column.map { ":\($0)" } ?? ""
            let label = sighting.source == "journal" ? "unit" : "path"
            rows.append((label, DisplayText.name(path, limit: 1000) + line + column))
        }
        if let first = finding.first {
            let commit = first.commit.map { " with commit \($0.prefix(12))" } ?? ""
            let author = first.author.map { " by \(DisplayText.name($0))" } ?? ""
            rows.append(("came in as", DisplayText.name(first.path, limit: 1000) + commit + author))
        }
        if sighting.source == "journal", let cursor = sighting.object {
            let folder = PathText.bytes(finding.repository)
            rows.append(
                (
                    "newest entry",
                    "journalctl --directory=\(command: ShellArgument.quoted(folder)) --all --cursor=\(argument: cursor) --lines=1"
                ))
        } else if let object = sighting.object {
            let more = sighting.objectCount > 1 ? ", the first of \(sighting.objectCount) objects that hold it" : ""
            rows.append((sighting.source, object + more))
        } else {
            rows.append(("found in", sighting.source))
        }
        if let commit = sighting.commit { rows.append(("commit", commit)) }
        if let author = sighting.author { rows.append(("author", DisplayText.name(author))) }
        if let at = sighting.authoredAt { rows.append(("authored", at)) }
        rows.append((sighting.isOutsideHistory ? "still there" : "in HEAD", sighting.isInHead ? "yes" : "no"))
        rows.append(("first seen", DateText.moment(finding.firstSeenAt)))
        rows.append(("last seen", DateText.moment(finding.lastSeenAt)))
        if let dismissal = finding.dismissal {
            rows.append(("dismissed", words(dismissal)))
        }
        rows.append(("to do", remedy))
        return LabelledLines.text(rows)
    }

    /// When, by whom and why something was dismissed.
    static func words(_ dismissal: Finding.Dismissal) -> String {
        "\(DateText.moment(dismissal.at)) by user \(dismissal.uid) with \(dismissal.program): "
            + DisplayText.escaped(dismissal.reason, limit: 1000)
    }

    private static func gradeDetails(_ finding: Finding, _ issuers: IssuerCatalog) -> String {
        switch finding.grade {
        case .confirmed:
            "confirmed: the whole secret, which is \(finding.condition.words(issuer: issuers.title(of: finding.issuer)))"
        case .probable: "probable: a whole secret of the issuer's shape; only the prefix of the key's secret is known"
        case .mention: "a mention: the prefix alone"
        }
    }

    /// What is to be done about a finding.
    static func remedy(for finding: Finding, key: Key, issuers: IssuerCatalog) -> String {
        let remedies = KeyRemedies(for: key, issuers: issuers)
        let dismiss = "keyvigil findings dismiss \(finding.id) --reason WHY"
        let ask = remedies.check.map { "ask \(issuers.title(of: key.issuer)) whether it accepts what is there: \($0)" }
        guard finding.status != .dismissed else { return "nothing: it was dismissed" }
        guard finding.status != .unwatched else {
            let place = ShellArgument.quoted(PathText.bytes(path(finding.repository, on: finding.host)))
            let there = Sighting.isOnOtherHost(finding.repository) ? "on \(finding.host ?? "its host"): " : ""
            return
                "its place is no longer watched; to see what is there now: \(command: there)keyvigil scan \(command: place)"
        }
        switch finding.grade {
        case .mention:
            return "nothing opens with a prefix; make sure that the secret is not beside it, then: \(dismiss)"
        case .probable where finding.status == .resolved:
            return "the issuer refuses what is there; remove it when convenient"
        case .probable:
            return (ask.map { "\($0); or treat it as leaked: " } ?? "treat it as leaked: ") + remedies.rotate
                + "; if it is no secret of the key: \(dismiss)"
        case .confirmed: break
        }
        switch finding.condition.danger {
        case .none:
            return key.origin == .issued
                ? "the secret opens nothing now; remove it when convenient"
                : "the issuer refuses the secret; remove it when convenient"
        case .unconfirmed:
            return ask ?? "make sure at \(issuers.title(of: key.issuer)) that the secret is dead, then: \(dismiss)"
        case .live:
            // A key that has ended has no other way.
            let orRevoke =
                remedies.revoke == remedies.rotate ? "" : "or, if the key is not needed: \(remedies.revoke); "
            return "make the secret worthless: \(remedies.rotate); \(orRevoke)"
                + (finding.sighting.source == "journal"
                    ? "then keep the unit from logging it; to remove all entries so far: journalctl --rotate --vacuum-time=1s"
                    : "then take it out of the place, its history included")
        }
    }
}

extension Finding.Status {
    /// For people.
    var word: String { self == .unwatched ? "no longer watched" : rawValue }
}

extension SecretCondition.Danger {
    /// The word in output.
    var word: String {
        switch self {
        case .none: "none"
        case .unconfirmed: "unconfirmed"
        case .live: "live"
        }
    }
}
