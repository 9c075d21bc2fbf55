/// What an alert says of a secret of a known form that belongs to no key.
package struct UnregisteredReport {
    /// Its number in the list of findings.
    package let number: Int64
    /// The name of the issuer whose secrets have the form.
    package let issuer: String
    package let prefix: String
    /// Its new places in the watched place, at least one.
    package let sightings: [Sighting]

    package init(number: Int64, issuer: String, prefix: String, sightings: [Sighting]) {
        self.number = number
        self.issuer = issuer
        self.prefix = prefix
        self.sightings = sightings
    }
}

extension Alert {
    /// The alert for secrets of known forms that belong to no key.
    ///
    /// - Parameters:
    ///   - secrets: those that a scan has found, at least one.
    ///   - repository: the watched place.
    ///   - mostListed: the number of their places that are listed of a watched place, if there are that many; else nil.
    package init(
        unregistered secrets: [UnregisteredReport], in repository: String, mostListed: Int?, issuers: IssuerCatalog
    ) {
        var fields: [Field: String] = [:]
        fields[.repository] = repository
        fields[.findings] = String(secrets.count)
        let named = secrets.prefix(Self.mostUnregistered).map { secret in
            Self.sentence(secret, issuers.title(of: secret.issuer), in: repository)
        }.joined(separator: "; ")
        let rest: Wording = secrets.count > Self.mostUnregistered ? "; …" : ""
        let limit: Wording =
            if let mostListed { "; at most \(mostListed) such places are listed here ([scan] max_findings)" } else {
                ""
            }
        fields[.reason] = (named + rest + limit).description
        let first = secrets[0]
        let remedy =
            "record each as a key, or revoke it at its issuer: keyvigil findings show U\(first.number); all of them: "
            + "keyvigil findings --unregistered"
        fields[.remedy] = remedy
        let what: Wording =
            secrets.count == 1
            ? "a secret of a known form that belongs to no key is"
            : "\(secrets.count) secrets of known forms that belong to no key are"
        self.init(
            kind: .leakUnregistered, priority: .warning,
            message: what + " in \(name: repository): " + named + rest + limit + ": \(words: remedy)", fields: fields)
    }

    private static let mostUnregistered = 5

    private static func sentence(_ secret: UnregisteredReport, _ title: String, in repository: String) -> Wording {
        let sighting = secret.sightings[0]
        let more = secret.sightings.count - 1
        let others: Wording = more > 0 ? " and \(more) more place\(words: more == 1 ? "" : "s")" : ""
        return "U\(secret.number) \(prefix: secret.prefix)… (\(words: title)) in "
            + Self.place(of: sighting, in: repository)
            + others
    }
}
