internal import Keys

/// The alerts about leaks.
extension Alert {
    /// The alert for a new finding. A live secret that stands whole somewhere is critical; a dead one, or a mention, is
    /// told.
    ///
    /// - Parameters:
    ///   - knownSince: when the finding was made, where it is not new.
    ///   - shared: the other keys with the prefix of a mention.
    init(
        _ sighting: Sighting, repository: String, key: Key, prefix: String, secret: SecretGrade,
        response: LeakResponse, issuers: IssuerCatalog, knownSince: Instant? = nil, shared: SharedPrefix? = nil
    ) {
        var fields = Alert.fields(of: key)
        fields[.prefix] = prefix
        fields[.repository] = repository
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
        let whose = key.owner.map { " of \(DisplayText.escaped($0))" } ?? ""
        let name = "'\(DisplayText.escaped(key.name))'\(whose)"
        let place = Alert.place(of: sighting, repository: repository)
        guard sighting.secretID != nil else {
            fields[.remedy] = "nothing opens with a prefix; make sure that the secret is not beside it"
            self.init(
                kind: .leakMention, priority: .notice,
                message: "the prefix \(prefix) of key \(name)\(shared?.alternatives ?? "") stands in \(place)",
                fields: fields)
            return
        }
        fields[.secretState] = secret.rawValue
        if secret.isLive {
            let remedy: String
            switch response {
            case .none: remedy = issuers.rotateRemedy(for: key)
            case .cutOverlap: remedy = "its overlap was cut short, it is refused from now on"
            case .revoke:
                remedy =
                    knownSince.map { "known since \($0); the key was revoked now, as the configuration asks by now" }
                    ?? "the key was revoked at once, as the configuration asks for this place"
            case .askIssuer:
                remedy = "only its issuer can revoke it: \(issuers.revokeRemedy(for: key))"
            }
            fields[.remedy] = remedy
            self.init(
                kind: .leakConfirmed, priority: .critical,
                message: "the \(secret.rawValue) secret \(prefix)… of key \(name) stands in \(place): \(remedy)",
                fields: fields)
        } else {
            fields[.remedy] = "the secret is \(secret.rawValue) and opens nothing; remove it when convenient"
            self.init(
                kind: .leakConfirmed, priority: .notice,
                message:
                    "the \(secret.rawValue) secret \(prefix)… of key \(name) stands in \(place); it opens nothing any more",
                fields: fields)
        }
    }

    /// The alert for a leaked secret that has died.
    init(resolvedLeakOf prefix: String, key: Key, secret: SecretGrade, places: Int) {
        var fields = Alert.fields(of: key)
        fields[.prefix] = prefix
        fields[.secretState] = secret.rawValue
        fields[.findings] = String(places)
        let where_ = places == 1 ? "1 place" : "\(places) places"
        self.init(
            kind: .leakResolved, priority: .notice,
            message:
                "the leaked secret \(prefix)… of key '\(DisplayText.escaped(key.name))' is \(secret.rawValue) now; "
                + "it stood in \(where_) and opens nothing any more", fields: fields)
    }

    private static func place(of sighting: Sighting, repository: String) -> String {
        var text = DisplayText.escaped(repository)
        if let path = sighting.path {
            text += ", \(DisplayText.escaped(path))"
            if let line = sighting.line { text += ":\(line)" }
        } else if let object = sighting.object {
            text += ", \(sighting.source) \(object.prefix(12))"
        } else {
            text += ", \(sighting.source)"
        }
        if let commit = sighting.commit, sighting.object != commit || sighting.path != nil {
            text += ", since commit \(commit.prefix(12))"
            if let author = sighting.author { text += " by \(DisplayText.escaped(author))" }
        }
        return text
    }
}
