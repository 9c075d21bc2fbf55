internal import KeyStore
internal import Keys
internal import LeakScan

/// Findings as one SARIF 2.1.0 log (OASIS), for code-scanning pages and editors. It holds no secret.
struct SarifLog {
    private var results: [(level: String, object: JSONLine)] = []
    private var failures: [JSONLine] = []

    /// Notes that a place could not be searched, or not whole: a log without results must not be read as clean then.
    mutating func addFailure(_ message: String) {
        failures.append(Self.notification(message))
    }

    mutating func add(
        _ sighting: Sighting, form: String?, prefix: String, keyNames: [String], words: String,
        condition: SecretCondition, repository: String
    ) {
        let isConfirmed = sighting.grade == .confirmed
        var text =
            switch sighting.grade {
            case .confirmed: condition.origin == .issued ? "The \(words) secret" : "A secret"
            case .probable: "What looks like a whole secret"
            case .mention: "The prefix"
            }
        let names = keyNames.map { DisplayText.quoted($0) }.joined(separator: ", ")
        text += " \(prefix)\(sighting.grade == .mention ? "" : "…") of the key \(names) is here"
        if let form { text += " as \(form)" }
        if isConfirmed, condition.origin == .held { text += "; it is \(words)" }
        var properties = Self.properties(of: sighting, repository)
        properties["secret_state"] = isConfirmed ? condition.grade.rawValue : nil
        properties["form"] = form
        add(
            sighting, prefix, in: repository, level: Self.level(of: sighting, condition), text: text,
            properties: properties)
    }

    /// A secret of which only the list for hooks tells.
    mutating func add(_ sighting: Sighting, prefix: String, repository: String) {
        add(
            sighting, prefix, in: repository, level: "error", text: "A secret \(prefix)… of a known key is here",
            properties: Self.properties(of: sighting, repository))
    }

    /// A secret of a known form that belongs to no key.
    mutating func add(_ secret: UnregisteredSecret, issuer title: String, repository: String) {
        var properties = Self.properties(of: secret.sighting, repository)
        properties["issuer"] = secret.issuer
        properties["form"] = secret.sighting.form == "plain" ? nil : secret.sighting.form
        add(
            secret.sighting, secret.prefix, in: repository, level: "warning",
            text: "A secret \(secret.prefix)… of the form of \(title) that belongs to no known key is here",
            properties: properties,
            rule: UnregisteredPresentation.grade)
    }

    private mutating func add(
        _ sighting: Sighting, _ prefix: String, in repository: String, level: String, text: String,
        properties: [String: String], rule: String? = nil
    ) {
        let location = JSONLine { location in
            if sighting.path == nil {
                let name = "\(sighting.source) \(sighting.object ?? repository)"
                location.add("logicalLocations", objects: [JSONLine { $0.add("fullyQualifiedName", name) }])
            }
            location.add(
                "physicalLocation",
                object: JSONLine { physical in
                    let uri = Self.uri(Self.path(of: sighting))
                    physical.add("artifactLocation", object: JSONLine { $0.add("uri", uri) })
                    physical.add(
                        "region",
                        object: JSONLine { region in
                            if let column = sighting.column { region.add("startColumn", max(1, column)) }
                            region.add("startLine", max(1, sighting.line ?? 1))
                        })
                })
        }
        let result = JSONLine {
            $0.add("level", level)
            $0.add("locations", objects: [location])
            $0.add("message", object: Self.message(text + "."))
            let place = "\(prefix) \(repository) \(sighting.place)"
            $0.add("partialFingerprints", object: JSONLine { $0.add("keyvigilPlace/v1", place) })
            $0.add(
                "properties",
                object: JSONLine { object in
                    for (name, value) in properties.sorted(by: { $0.key < $1.key }) { object.add(name, value) }
                })
            $0.add("ruleId", "leak.\(rule ?? sighting.grade.rawValue)")
        }
        results.append((level, result))
    }

    private static func properties(of sighting: Sighting, _ repository: String) -> [String: String] {
        var properties = ["repository": sighting.repositoryPath(in: repository), "source": sighting.source]
        properties["object"] = sighting.object
        properties["commit"] = sighting.commit
        properties["author"] = sighting.author
        properties["authored_at"] = sighting.authoredAt
        return properties
    }

    /// A path below the place that was scanned. What is in no file has one that says what it is in: readers such as GitHub refuse
    /// a whole log for one result without a file.
    private static func path(of sighting: Sighting) -> String {
        let path = sighting.path ?? "\(sighting.source)/\(sighting.object ?? "unknown")"
        guard let repository = sighting.repository else { return path }
        return path.hasPrefix("/") ? path : "\(repository)/\(path)"
    }

    /// The most results that GitHub takes in one run; of more it refuses the log.
    static let mostResults = 25_000

    /// The log, its names in the order of the alphabet.
    var text: String {
        let rules = [
            Self.rule(
                "leak.confirmed", "A whole secret of a known key",
                "Whoever can read this place has the secret. Make it worthless: keyvigil rotate KEY, or keyvigil revoke KEY.",
                severity: "9.0"),
            Self.rule(
                "leak.probable", "What looks like a whole secret, under the prefix of a known key",
                "Only the prefix of the key's secret is known. Treat what is here as leaked unless its issuer refuses it: "
                    + "keyvigil check KEY.", severity: "7.0"),
            Self.rule(
                "leak.mention", "The visible prefix of a known key",
                "A prefix grants no access. Make sure that the secret is not beside it.", severity: "1.0"),
            Self.rule(
                "leak.unregistered", "A secret of a known form that belongs to no known key",
                "If it is yours, record it: keyvigil create NAME --held --issuer ISSUER. If nothing needs it, revoke it at its issuer.",
                severity: "6.0"),
        ]
        let sorted = ["error", "warning", "note"].flatMap { level in results.filter { $0.level == level } }
        let kept = sorted.prefix(Self.mostResults)
        var notifications = failures
        if kept.count < sorted.count {
            notifications.append(
                Self.notification(
                    "\(sorted.count - kept.count) results are left out, since readers take \(Self.mostResults); scan fewer places"
                ))
        }
        let driver = JSONLine {
            $0.add("name", "Keyvigil")
            $0.add("rules", objects: rules)
            $0.add("version", keyvigilVersion)
        }
        let invocation = JSONLine {
            $0.add("executionSuccessful", notifications.isEmpty)
            $0.add("toolExecutionNotifications", objects: notifications)
        }
        let run = JSONLine {
            $0.add("columnKind", "unicodeCodePoints")
            $0.add("invocations", objects: [invocation])
            $0.add("results", objects: kept.map(\.object))
            $0.add("tool", object: JSONLine { $0.add("driver", object: driver) })
        }
        return JSONLine {
            $0.add("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
            $0.add("runs", objects: [run])
            $0.add("version", "2.1.0")
        }.line
    }

    /// A message. Brackets in it would be a link (SARIF 2.1.0, section 3.11.6).
    private static func message(_ text: String) -> JSONLine {
        let plain = text.replacing("[", with: "\\[").replacing("]", with: "\\]")
        return JSONLine { $0.add("text", plain) }
    }

    private static func notification(_ text: String) -> JSONLine {
        JSONLine {
            $0.add("level", "error")
            $0.add("message", object: message(text))
        }
    }

    /// - Parameter severity: from 0.1 to 10.0, as GitHub ranks results.
    private static func rule(_ id: String, _ title: String, _ help: String, severity: String) -> JSONLine {
        JSONLine {
            $0.add("fullDescription", object: message("\(title). \(help)"))
            $0.add("help", object: message(help))
            $0.add("id", id)
            $0.add(
                "properties",
                object: JSONLine { properties in
                    properties.add("security-severity", severity)
                    properties.add("tags", ["security"])
                })
            $0.add("shortDescription", object: message(title))
        }
    }

    private static func level(of sighting: Sighting, _ condition: SecretCondition) -> String {
        switch sighting.grade {
        case .confirmed: condition.danger == .none ? "warning" : "error"
        case .probable: "warning"
        case .mention: "note"
        }
    }

    /// A path as a relative URI reference (RFC 3986), byte by byte: a colon in its first part would look like a scheme.
    private static func uri(_ path: String) -> String {
        let relative = PathText.bytes(path).drop { $0 == UInt8(ascii: "/") }
        return relative.map { byte in
            let isPlain = Base62.contains(byte) || "/-._~".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
        }.joined()
    }
}
