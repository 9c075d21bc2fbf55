internal import Errors
internal import KeyStore
internal import Keys

/// Secrets of known forms that belong to no key, as JSON and as text. Their numbers begin with U.
enum UnregisteredPresentation {
    /// The value of `grade`, as that of findings.
    static let grade = "unregistered"

    static func number(_ id: Int64) -> String { "U\(id)" }

    /// One occurrence, as a scan shows it.
    static func json(_ secret: UnregisteredSecret, repository: String) -> JSONLine {
        var line = JSONLine()
        line.add("prefix", secret.prefix)
        line.add("issuer", secret.issuer)
        line.add("grade", grade)
        line.add("key_id", String?.none)
        line.add("secret_state", String?.none)
        FindingPresentation.addPlace(secret.sighting, repository, to: &line)
        line.add("form", secret.sighting.form)
        return line
    }

    /// One that is remembered, with its places.
    static func json(_ finding: UnregisteredFinding) -> JSONLine {
        var line = JSONLine()
        line.add("finding", number(finding.id))
        line.add("status", status(of: finding))
        line.add("prefix", finding.prefix)
        line.add("issuer", finding.issuer)
        line.add("grade", grade)
        line.add("first_seen_at", finding.firstSeenAt)
        line.add("dismissed_at", finding.dismissal?.at)
        line.add("dismissed_by", finding.dismissal.map { Int64($0.uid) })
        line.add("dismiss_reason", finding.dismissal?.reason)
        line.add(
            "places",
            objects: finding.places.map { place in
                var entry = JSONLine()
                FindingPresentation.addPlace(place.sighting, place.repository, to: &entry)
                if let host = place.host { entry.add("host", host) }
                entry.add("form", place.sighting.form)
                entry.add("seen_at", place.seenAt)
                return entry
            })
        return line
    }

    private static func status(of finding: UnregisteredFinding) -> String {
        finding.dismissal != nil ? "dismissed" : finding.places.isEmpty ? "gone" : "open"
    }

    /// A row of the list of findings.
    static func cells(_ finding: UnregisteredFinding, issuers: IssuerCatalog) -> [String] {
        let first =
            finding.places.first.map {
                FindingPresentation.place(
                    $0.sighting, repository: FindingPresentation.path($0.repository, on: $0.host))
            } ?? gone
        let hosts = Set(finding.places.compactMap(\.host)).sorted().joined(separator: ", ")
        let more = finding.places.count - 1
        let others = more > 0 ? " and \(more) more place\(more == 1 ? "" : "s")" : ""
        let status = finding.dismissal == nil ? "" : " [dismissed]"
        return [number(finding.id), "-", "-", what(finding.prefix, finding.issuer, issuers)]
            + (hosts.isEmpty ? [] : [hosts]) + [first + others + status]
    }

    private static let gone = "no longer in the places where it was found"

    /// What it is, in few words.
    static func what(_ prefix: String, _ issuer: String, _ issuers: IssuerCatalog) -> String {
        "unregistered secret \(prefix)… (\(issuers.title(of: issuer)))"
    }

    /// All that is known of one, and what to do.
    static func details(_ finding: UnregisteredFinding, issuers: IssuerCatalog) -> String {
        var rows: [(String, String)] = [
            ("prefix", finding.prefix),
            (
                "grade",
                "\(grade): it has the form of \(issuers.title(of: finding.issuer))'s secrets, and belongs to no key"
            ),
            ("status", status(of: finding)),
            ("first seen", DateText.moment(finding.firstSeenAt)),
        ]
        for place in finding.places {
            rows.append(("place", FindingPresentation.place(place.sighting, repository: place.repository)))
        }
        if finding.places.isEmpty { rows.append(("place", gone)) }
        if let dismissal = finding.dismissal { rows.append(("dismissed", FindingPresentation.words(dismissal))) }
        rows.append(("to do", remedy(for: finding, issuers: issuers)))
        return LabelledLines.text(rows)
    }

    static func remedy(for finding: UnregisteredFinding, issuers: IssuerCatalog) -> String {
        guard finding.dismissal == nil else { return "nothing: it was dismissed" }
        let title = issuers.title(of: finding.issuer)
        guard !finding.places.isEmpty else {
            return "if others may have read it there, revoke it at \(title)"
        }
        let unneeded = "; if nothing needs it, revoke it at \(title)"
        let record =
            finding.issuer == IssuerProfile.ownName
            ? "if another store has issued it, revoke it there"
            : "if it is yours, record it: keyvigil create NAME --held --issuer \(argument: finding.issuer)"
                + unneeded
        return record + "; if it is an example: keyvigil findings dismiss \(number(finding.id)) --reason WHY"
    }
}
