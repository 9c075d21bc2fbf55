/// What is done about a new confirmed finding, in addition to the alert.
package enum LeakAction: Sendable {
    /// Nothing: the secret no longer works, or a person has to act.
    case none
    /// The overlap of a retiring secret ends now.
    case cutOverlap
    /// The key is revoked.
    case revoke
    /// The key should be revoked, which only its issuer can do.
    case askIssuer

    /// Whether the key is changed by it.
    package var changesKey: Bool {
        switch self {
        case .none, .askIssuer: false
        case .cutOverlap, .revoke: true
        }
    }
}

/// A finding, its key, and what is known of the secret: the content of an alert about a leak.
package struct LeakReport {
    package var sighting: Sighting
    /// The watched path that contains the finding.
    package var repository: String
    package var key: Key
    /// The other keys to which the prefix may belong, because keys share a sign-in.
    package var shared: SharedPrefix?
    package var prefix: String
    package var condition: SecretCondition
    package var action: LeakAction
    /// When the finding was made, if it is not new.
    package var knownSince: Instant?
    /// The other new places of the same secret.
    package var others: [Sighting] = []
    /// Whether an earlier secret of the key was found in the same place.
    package var isSuccessor = false
    /// The incident that the finding belongs to; nil unless it is confirmed.
    package var incident: Incident?

    /// An incident, as an alert refers to it.
    package struct Incident {
        /// Its number.
        package var number: Int64
        /// Whether it is new, was closed, or is more dangerous than the last alert about it said.
        package var isNews: Bool

        package init(number: Int64, isNews: Bool) {
            self.number = number
            self.isNews = isNews
        }
    }

    package init(
        _ sighting: Sighting, repository: String, key: Key, shared: SharedPrefix? = nil, prefix: String,
        condition: SecretCondition, action: LeakAction, knownSince: Instant? = nil
    ) {
        self.sighting = sighting
        self.repository = repository
        self.key = key
        self.shared = shared
        self.prefix = prefix
        self.condition = condition
        self.action = action
        self.knownSince = knownSince
    }
}

/// The alerts about leaks.
extension Alert {
    /// The alert for a finding. A complete secret that works is critical; one that a person recorded as ended, and that
    /// was not checked since, is an error; what may be a secret is a warning; the rest is a notice.
    package init(_ report: LeakReport, issuers: IssuerCatalog) {
        switch report.sighting.grade {
        case .confirmed: self.init(confirmed: report, issuers)
        case .probable: self.init(probable: report, issuers)
        case .mention: self.init(mention: report)
        }
    }

    private init(mention report: LeakReport) {
        var fields = Self.fields(of: report)
        fields[.remedy] = "a prefix grants no access; make sure that the secret is not next to it"
        self.init(
            kind: .leakMention, priority: .notice,
            message:
                "the prefix \(prefix: report.prefix) of key \(Self.whose(report.key))\(Self.alternatives(report)) is in \(Self.place(of: report))",
            fields: fields)
    }

    private init(probable report: LeakReport, _ issuers: IssuerCatalog) {
        var fields = Self.fields(of: report)
        let key = report.key
        let title = issuers.title(of: key.issuer)
        let remedies = KeyRemedies(for: key, issuers: issuers)
        let ask =
            remedies.check.map { "ask \(title) whether it accepts what is there: \($0); if it does, or in doubt: " }
            ?? ""
        fields[.remedy] = ask + remedies.rotate
        self.init(
            kind: .leakProbable, priority: .warning,
            message:
                """
                what looks like a whole secret \(prefix: report.prefix)… of key \(Self.whose(key))\(Self.alternatives(report)) is \
                in \(Self.place(of: report)); the secrets of this key are known by their prefix alone, so it cannot be \
                confirmed: \(words: ask + remedies.rotate)
                """,
            fields: fields)
    }

    private init(confirmed report: LeakReport, _ issuers: IssuerCatalog) {
        var fields = Self.fields(of: report)
        let key = report.key
        let condition = report.condition
        fields[.secretState] = condition.grade.rawValue
        let words = condition.words(issuer: issuers.title(of: key.issuer))
        fields[.condition] = words
        let remedy = Self.remedy(for: report, issuers)
        fields[.remedy] = remedy
        let place = Self.place(of: report)
        let priority: AlertPriority
        switch condition.danger {
        case .live: priority = .critical
        case .unconfirmed: priority = .error
        case .none: priority = .notice
        }
        let isNews = report.incident?.isNews ?? true
        fields[.incident] = report.incident.map { String($0.number) }
        fields[.findings] = String(report.others.count + 1)
        let message: Wording =
            key.origin == .issued
            ? "the \(words: condition.grade.rawValue) secret \(prefix: report.prefix)… of key \(Self.whose(key)) is in \(place)"
                + (condition.danger == .none ? "; it no longer works" : ": \(words: remedy)")
            : "a secret \(prefix: report.prefix)… of key \(Self.whose(key)) is in \(place); it is \(words: words)"
                + (condition.danger == .none ? "" : ": \(words: remedy)")
        // More places of what is known to have leaked change nothing about how urgent it is.
        let isAddition = !isNews && condition.danger != .none && !report.action.changesKey
        let heading: Wording =
            if isAddition, let incident = report.incident { "incident \(incident.number) goes on: " } else { "" }
        self.init(
            kind: .leakConfirmed, priority: isAddition ? .notice : priority,
            message: heading + message + Self.succession(of: report) + Self.others(of: report), fields: fields)
    }

    private static func remedy(for report: LeakReport, _ issuers: IssuerCatalog) -> String {
        let remedies = KeyRemedies(for: report.key, issuers: issuers)
        let condition = report.condition
        switch condition.danger {
        case .none:
            return condition.origin == .issued
                ? "the secret is \(condition.grade.rawValue) and no longer works; remove it when convenient"
                : "its issuer refuses it; remove it when convenient"
        case .unconfirmed:
            if let check = remedies.check { return "find out whether it still works: \(check)" }
            return
                "find out at \(issuers.title(of: report.key.issuer)) whether it still works; if it does not, dismiss the finding; "
                + "its number: keyvigil findings --key \(report.key.id)"
        case .live: break
        }
        switch report.action {
        case .none:
            // A retiring secret of a held key already has a successor: it is the old one that has to be revoked.
            return condition.grade == .current ? remedies.rotate : remedies.revoke
        case .cutOverlap: return "its overlap was ended, and it is refused from now on"
        case .revoke:
            return report.knownSince.map {
                "known since \($0); the key was revoked now, as the configuration now requires"
            } ?? "the key was revoked at once, as the configuration requires for this path"
        case .askIssuer: return "only its issuer can revoke it: \(remedies.revoke)"
        }
    }

    /// The alert for a leaked secret that no longer works.
    ///
    /// - Parameter places: the number of locations in which it was found.
    package init(
        resolvedLeakOf prefix: String, key: Key, condition: SecretCondition, places: Int, incident: Int64? = nil,
        issuers: IssuerCatalog
    ) {
        var fields = Alert.fields(of: key)
        fields[.prefix] = prefix
        fields[.incident] = incident.map(String.init)
        fields[.secretState] = condition.grade.rawValue
        let words = condition.words(issuer: issuers.title(of: key.issuer))
        fields[.condition] = words
        fields[.findings] = String(places)
        let places: Wording = places == 1 ? "1 place" : "\(places) places"
        self.init(
            kind: .leakResolved, priority: .notice,
            message:
                "the leaked secret \(prefix: prefix)… of key \(quoted: key.name) is \(words: words)"
                + (key.origin == .issued
                    ? " now and no longer works; it was in \(places)" : "; it was in \(places)"),
            fields: fields)
    }

    /// The alert for a place with open findings that is watched no longer.
    ///
    /// - Parameters:
    ///   - reason: why, as a sentence continues it.
    ///   - findings: the number of open findings.
    package init(unwatched place: String, reason: String, findings: Int) {
        let closed: Wording =
            findings == 1
            ? "1 open finding there is no longer tracked"
            : "\(findings) open findings there are no longer tracked"
        self.init(
            kind: .placeUnwatched, priority: .notice,
            message:
                "\(name: place) is no longer watched: \(words: reason); \(closed), and their secrets stay leaked",
            fields: [
                .repository: place, .reason: reason, .findings: String(findings),
                .remedy: "rotate the keys whose secrets are there: keyvigil findings --all",
            ])
    }

    /// The alert for places that are counted, not listed.
    ///
    /// - Parameters:
    ///   - places: at least as many.
    ///   - isLive: whether it is a secret that may work.
    ///   - mostListed: the findings of a key that a place may have.
    package init(
        unlisted places: Int, of key: Key, prefix: String, grade: FindingGrade, isLive: Bool, in repository: String,
        mostListed: Int
    ) {
        var fields = Alert.fields(of: key)
        fields[.prefix] = prefix
        fields[.grade] = grade.rawValue
        fields[.repository] = repository
        fields[.findings] = String(places)
        fields[.reason] = "[scan] max_findings = \(mostListed)"
        fields[.remedy] = "keyvigil findings --key \(key.id)"
        let what: Wording =
            switch grade {
            case .confirmed: "the secret \(prefix: prefix)… of key"
            case .probable: "what looks like a whole secret \(prefix: prefix)… of key"
            case .mention: "the prefix \(prefix: prefix) of key"
            }
        let more: Wording = places == 1 ? "1 more place" : "\(places) more places"
        self.init(
            kind: .leakUnlisted, priority: isLive ? .error : grade == .probable ? .warning : .notice,
            message:
                """
                \(what) \(Self.whose(key)) is in at least \(more) of \(name: repository), not listed: [scan] max_findings is \
                \(mostListed)
                """,
            fields: fields)
    }

    /// The alert for the use of a secret that has leaked.
    ///
    /// - Parameters:
    ///   - caller: who has used it, as far as the server that verified it has said.
    ///   - places: the number of open findings of the secret.
    package init(
        usedSecret prefix: String, of key: Key, from caller: String?, at instant: Instant, incident: Int64, places: Int,
        issuers: IssuerCatalog
    ) {
        var fields = Alert.fields(of: key)
        let remedies = KeyRemedies(for: key, issuers: issuers)
        fields[.prefix] = prefix
        fields[.incident] = String(incident)
        fields[.findings] = String(places)
        fields[.caller] = caller
        fields[.lastUsedAt] = instant.description
        fields[.remedy] = remedies.rotate
        let from: Wording = if let caller { " from \(name: caller)" } else { "" }
        self.init(
            kind: .secretUsedAfterExposure, priority: .critical,
            message:
                """
                the leaked secret \(prefix: prefix)… of key \(Self.whose(key)) was accepted at \(instant)\(from), while it is in \
                \(places) place\(words: places == 1 ? "" : "s") (incident \(incident)): \(words: remedies.rotate)
                """,
            fields: fields)
    }

    /// The alert for a replaced secret that was where its successor should be.
    ///
    /// - Parameters:
    ///   - end: of its overlap.
    ///   - notice: the time within which that is; nil: it has ended.
    ///   - paths: of the files that had it when they were last looked at.
    ///   - scannedAt: when that was, of the one that was looked at first.
    package init(
        leftSecret prefix: String, of key: Key, endingAt end: Instant, within notice: Period?, in paths: [String],
        scannedAt: Instant
    ) {
        var fields = Alert.fields(of: key)
        fields[.prefix] = prefix
        fields[.findings] = String(paths.count)
        let files = paths.prefix(Self.mostNamed).map { "\(name: $0)" as Wording }.joined(separator: ", ")
        let rest: Wording = paths.count > Self.mostNamed ? ", …" : ""
        let places = files + rest
        fields[.remedy] = "put the current secret there; see keyvigil show \(key.id)"
        let secret: Wording = "the replaced secret \(prefix: prefix)… of key \(Self.whose(key))"
        let found: Wording = "was found in \(places) by the scan of \(scannedAt)"
        guard let notice else {
            fields[.reason] = "it \(found)"
            let what: Wording = key.origin == .held ? "may be refused" : "is refused"
            self.init(
                kind: .secretLeftInPlace, priority: .warning,
                message: secret + " has ended, and \(found): what reads it there \(what); put the current secret there",
                fields: fields)
            return
        }
        fields[.reason] = "it is valid until \(end), and \(found)"
        self.init(
            kind: .secretRetiring, priority: notice < .days(1) ? .warning : .notice,
            message: secret + " ends at \(end), within \(notice), and \(found): put the current secret there",
            fields: fields)
    }

    // MARK: - Parts

    private static func fields(of report: LeakReport) -> [Field: String] {
        let sighting = report.sighting
        var fields = Alert.fields(of: report.key)
        fields[.grade] = sighting.grade.rawValue
        fields[.prefix] = report.prefix
        fields[.repository] = sighting.repositoryPath(in: report.repository)
        fields[.source] = sighting.source
        fields[.object] = sighting.object
        fields[.commit] = sighting.commit
        fields[.author] = sighting.author
        fields[.authoredAt] = sighting.authoredAt
        fields[.path] = sighting.path
        fields[.line] = sighting.line.map(String.init)
        fields[.column] = sighting.column.map(String.init)
        fields[.inHead] = sighting.isInHead ? "yes" : "no"
        fields[.objects] = String(sighting.objectCount)
        fields[.form] = sighting.form == "plain" ? nil : sighting.form
        return fields
    }

    private static func whose(_ key: Key) -> Wording {
        key.owner.map { "\(quoted: key.name) of \(name: $0)" } ?? "\(quoted: key.name)"
    }

    private static func alternatives(_ report: LeakReport) -> Wording {
        Wording(words: report.shared?.alternatives ?? "")
    }

    /// That the same place had an earlier secret of the key.
    private static func succession(of report: LeakReport) -> Wording {
        report.isSuccessor
            ? "; an earlier secret of the key was found in the same place: what writes it there goes on" : ""
    }

    /// The other places of a report, as the end of its message: what is cut off of a long one is their names.
    private static func others(of report: LeakReport) -> Wording {
        let (places, count) = (report.others, report.others.count)
        guard count > 0 else { return "" }
        let named = places.prefix(mostNamed - 1).map { file($0, in: report.repository) }.joined(separator: "; ")
        let rest: Wording = count > mostNamed - 1 ? "; …" : ""
        return "; and \(count) more place\(words: count == 1 ? "" : "s"): " + named + rest
    }

    /// The most places that one alert names.
    private static let mostNamed = 5

    /// The repository, and the path or the object in it.
    private static func file(_ sighting: Sighting, in repository: String) -> Wording {
        var text: Wording = "\(name: sighting.repositoryPath(in: repository))"
        if let path = sighting.path {
            text = "\(text), \(name: path)"
            if let line = sighting.line { text = "\(text):\(line)" }
        } else if let object = sighting.object {
            text = "\(text), \(name: sighting.source) \(name: String(object.prefix(12)))"
        } else {
            text = "\(text), \(name: sighting.source)"
        }
        return text
    }

    private static func place(of report: LeakReport) -> Wording { place(of: report.sighting, in: report.repository) }

    /// Where something is, and since which commit.
    static func place(of sighting: Sighting, in repository: String) -> Wording {
        var text = file(sighting, in: repository)
        if let commit = sighting.commit, sighting.object != commit || sighting.path != nil {
            text = "\(text), since commit \(name: String(commit.prefix(12)))"
            if let author = sighting.author { text = "\(text) by \(name: author)" }
        } else if sighting.isBeforeHistory {
            text = text + ", since before the history that is here"
        }
        return text
    }
}
