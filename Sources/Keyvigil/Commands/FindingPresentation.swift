internal import KeyStore
internal import Keys
internal import LeakScan

/// Findings and occurrences as JSON and as text. None holds a secret.
enum FindingPresentation {
    /// One remembered finding, with the fields of an occurrence and those of its own.
    static func json(_ finding: Finding) -> JSONLine {
        var line = JSONLine()
        line.add("finding", finding.id)
        line.add("status", finding.status.rawValue)
        add(
            finding.sighting, prefix: finding.prefix, keyID: finding.keyID, state: finding.secretState,
            repository: finding.repository, to: &line)
        line.add("key_name", finding.keyName)
        line.add("owner", finding.owner)
        line.add("in_head", finding.sighting.isInHead)
        line.add("objects", finding.sighting.objectCount)
        line.add("first_seen_at", finding.firstSeenAt)
        line.add("last_seen_at", finding.lastSeenAt)
        return line
    }

    /// The fields of one occurrence.
    static func add(
        _ sighting: Sighting, prefix: String, keyID: String, state: SecretGrade, repository: String,
        to line: inout JSONLine
    ) {
        line.add("prefix", prefix)
        line.add("key_id", keyID)
        line.add("grade", sighting.secretID == nil ? "mention" : "confirmed")
        line.add("secret_state", sighting.secretID == nil ? nil : state.rawValue)
        line.add("source", sighting.source)
        line.add("repository", repository)
        line.add("object", sighting.object)
        line.add("path", sighting.path)
        line.add("line", sighting.line.map(Int64.init))
        line.add("column", sighting.column.map(Int64.init))
        line.add("commit", sighting.commit)
        line.add("author", sighting.author)
        line.add("authored_at", sighting.authoredAt)
    }

    /// One line for people.
    static func sentence(_ finding: Finding) -> String {
        let grade = finding.isConfirmed ? "\(finding.secretState.rawValue) secret" : "mention"
        let status = finding.status == .open ? "" : " [\(finding.status.rawValue)]"
        return "\(finding.id)  \(grade) \(finding.prefix)\(finding.isConfirmed ? "…" : "")  "
            + place(finding.sighting, repository: finding.repository) + status
    }

    /// Where something stands.
    static func place(_ sighting: Sighting, repository: String) -> String {
        var text = DisplayText.escaped(repository, limit: 1000)
        if let path = sighting.path, !(sighting.source == "file" && repository.hasSuffix(path)) {
            text += " " + DisplayText.escaped(path, limit: 1000)
        }
        if let line = sighting.line { text += ":\(line)" }
        if let column = sighting.column { text += ":\(column)" }
        if sighting.path == nil, let object = sighting.object { text += " \(sighting.source) \(object.prefix(12))" }
        if let commit = sighting.commit {
            text += "  commit \(commit.prefix(12))"
            if let author = sighting.author { text += " by \(DisplayText.escaped(author))" }
            if let at = sighting.authoredAt { text += " at \(at)" }
        }
        return text
    }
}
