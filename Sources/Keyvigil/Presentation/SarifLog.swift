internal import KeyStore
internal import Keys
internal import LeakScan

/// Findings as one SARIF 2.1.0 log (OASIS), for code-scanning pages and editors. It holds no secret.
struct SarifLog {
    private var results: [JSONLine] = []
    private var failures: [JSONLine] = []

    /// Notes that a place could not be searched, or not whole: a log without results must not be read as clean then.
    mutating func addFailure(_ message: String) {
        failures.append(
            JSONLine {
                $0.add("level", "error")
                $0.add("message", object: Self.message(message))
            })
    }

    mutating func add(
        _ sighting: Sighting, form: String?, prefix: String, keyName: String, words: String, condition: SecretCondition,
        repository: String
    ) {
        let isConfirmed = sighting.grade == .confirmed
        var text =
            switch sighting.grade {
            case .confirmed: condition.origin == .issued ? "The \(words) secret" : "A secret"
            case .probable: "What looks like a whole secret"
            case .mention: "The prefix"
            }
        text += " \(prefix)\(sighting.grade == .mention ? "" : "…") of the key '\(keyName)' is here"
        if let form { text += " as \(form)" }
        if isConfirmed, condition.origin == .held { text += "; it is \(words)" }
        var properties = Self.properties(of: sighting, repository)
        properties["secret_state"] = isConfirmed ? condition.grade.rawValue : nil
        properties["form"] = form
        add(sighting, prefix, repository, level: Self.level(of: sighting, condition), text: text, properties)
    }

    /// A secret of which only the list for hooks tells.
    mutating func add(_ sighting: Sighting, prefix: String, repository: String) {
        add(
            sighting, prefix, repository, level: "error", text: "A secret \(prefix)… of a known key is here",
            Self.properties(of: sighting, repository))
    }

    private mutating func add(
        _ sighting: Sighting, _ prefix: String, _ repository: String, level: String, text: String,
        _ properties: [String: String]
    ) {
        let region = Region(startLine: max(1, sighting.line ?? 1), startColumn: sighting.column.map { max(1, $0) })
        let location = Location(
            physicalLocation: PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: Self.uri(Self.path(of: sighting))), region: region),
            logicalLocations: sighting.path == nil
                ? [LogicalLocation(fullyQualifiedName: "\(sighting.source) \(sighting.object ?? repository)")] : nil)
        results.append(
            Result(
                ruleId: "leak.\(sighting.grade.rawValue)", level: level, message: Message(text: text + "."),
                locations: [location],
                partialFingerprints: ["keyvigilPlace/v1": "\(prefix) \(repository) \(sighting.place)"],
                properties: properties))
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

    func text() throws -> String {
        let rules = [
            Rule(
                "leak.confirmed", "A whole secret of a known key",
                "Whoever can read this place has the secret. Make it worthless: keyvigil rotate KEY, or keyvigil revoke KEY.",
                severity: "9.0"),
            Rule(
                "leak.probable", "What looks like a whole secret, under the prefix of a known key",
                "Only the prefix of the key's secret is known. Treat what is here as leaked unless its issuer refuses it: "
                    + "keyvigil check KEY.", severity: "7.0"),
            Rule(
                "leak.mention", "The visible prefix of a known key",
                "Nothing opens with a prefix. Make sure that the secret is not beside it.", severity: "1.0"),
        ]
        let levels = ["error", "warning", "note"]
        let sorted = levels.flatMap { level in results.filter { $0.level == level } }
        let kept = sorted.prefix(Self.mostResults)
        var notifications = failures
        if kept.count < sorted.count {
            let text =
                "\(sorted.count - kept.count) results are left out, since readers take \(Self.mostResults); scan fewer places"
            notifications.append(Notification(level: "error", message: Message(text: text)))
        }
        let driver = Driver(name: "Keyvigil", version: keyvigilVersion, rules: rules)
        let invocation = Invocation(
            executionSuccessful: notifications.isEmpty, toolExecutionNotifications: notifications)
        let run = Run(
            tool: Tool(driver: driver), columnKind: "unicodeCodePoints", invocations: [invocation],
            results: Array(kept))
        let log = Log(runs: [run])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(log), as: UTF8.self)
    }

    private static func message(_ text: String) -> JSONLine { JSONLine { $0.add("text", text) } }

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

    private struct Log: Encodable {
        let schema = "https://json.schemastore.org/sarif-2.1.0.json"
        let version = "2.1.0"
        let runs: [Run]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version, runs
        }
        return uri
    }

    private struct Run: Encodable {
        let tool: Tool
        let columnKind: String
        let invocations: [Invocation]
        let results: [Result]
    }

    private struct Invocation: Encodable {
        let executionSuccessful: Bool
        let toolExecutionNotifications: [Notification]
    }

    private struct Notification: Encodable {
        let level: String
        let message: Message
    }

    private struct Tool: Encodable { let driver: Driver }

    private struct Driver: Encodable {
        let name: String
        let version: String
        let rules: [Rule]
    }

    private struct Rule: Encodable {
        let id: String
        let shortDescription: Message
        let fullDescription: Message
        let help: Message
        let properties: RuleProperties

        init(_ id: String, _ title: String, _ help: String, severity: String) {
            self.id = id
            shortDescription = Message(text: title)
            fullDescription = Message(text: "\(title). \(help)")
            self.help = Message(text: help)
            properties = RuleProperties(tags: ["security"], severity: severity)
        }
    }

    private struct RuleProperties: Encodable {
        let tags: [String]
        /// From 0.1 to 10.0, as GitHub ranks results.
        let severity: String

        enum CodingKeys: String, CodingKey {
            case tags
            case severity = "security-severity"
        }
    }

    private struct Message: Encodable { let text: String }

    private struct Result: Encodable {
        let ruleId: String
        let level: String
        let message: Message
        let locations: [Location]
        let partialFingerprints: [String: String]
        let properties: [String: String]
    }

    private struct Location: Encodable {
        let physicalLocation: PhysicalLocation
        let logicalLocations: [LogicalLocation]?
    }

    private struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region
    }

    private struct ArtifactLocation: Encodable { let uri: String }

    private struct Region: Encodable {
        let startLine: Int
        let startColumn: Int?
    }

    private struct LogicalLocation: Encodable { let fullyQualifiedName: String }
}
