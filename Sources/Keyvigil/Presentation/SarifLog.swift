internal import Foundation
internal import KeyStore
internal import Keys

/// Findings as one SARIF 2.1.0 log (OASIS), for code-scanning pages and editors. It holds no secret.
struct SarifLog {
    private var results: [Result] = []
    private var failures: [Notification] = []

    /// Notes that a place could not be searched, or not whole: a log without results must not be read as clean then.
    mutating func addFailure(_ message: String) {
        failures.append(Notification(level: "error", message: Message(text: message)))
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
        var location = Location()
        if let path = sighting.path {
            location.physicalLocation = PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: Self.uri(path)),
                region: sighting.line.map { Region(startLine: max(1, $0)) })
        } else {
            location.logicalLocations = [
                LogicalLocation(fullyQualifiedName: "\(sighting.source) \(sighting.object ?? repository)")
            ]
        }
        var properties = ["repository": repository, "source": sighting.source]
        properties["object"] = sighting.object
        properties["commit"] = sighting.commit
        properties["author"] = sighting.author
        properties["authored_at"] = sighting.authoredAt
        properties["secret_state"] = isConfirmed ? condition.grade.rawValue : nil
        properties["form"] = form
        results.append(
            Result(
                ruleId: "leak.\(sighting.grade.rawValue)", level: Self.level(of: sighting, condition),
                message: Message(text: text + "."), locations: [location],
                partialFingerprints: ["keyvigilPlace/v1": "\(prefix) \(repository) \(sighting.place)"],
                properties: properties))
    }

    func text() throws -> String {
        let rules = [
            Rule(id: "leak.confirmed", shortDescription: Message(text: "A whole secret of a known key")),
            Rule(
                id: "leak.probable",
                shortDescription: Message(text: "What looks like a whole secret, under the prefix of a known key")),
            Rule(id: "leak.mention", shortDescription: Message(text: "The visible prefix of a known key")),
        ]
        let driver = Driver(name: "Keyvigil", version: keyvigilVersion, rules: rules)
        let invocation = Invocation(executionSuccessful: failures.isEmpty, toolExecutionNotifications: failures)
        let log = Log(runs: [Run(tool: Tool(driver: driver), invocations: [invocation], results: results)])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(log), as: UTF8.self)
    }

    private static func level(of sighting: Sighting, _ condition: SecretCondition) -> String {
        switch sighting.grade {
        case .confirmed: condition.danger == .none ? "warning" : "error"
        case .probable: "warning"
        case .mention: "note"
        }
    }

    /// A path as a URI reference (RFC 3986); a colon in its first part would look like a scheme.
    private static func uri(_ path: String) -> String {
        var allowed = CharacterSet.urlPathAllowed
        allowed.remove(charactersIn: ":;")
        return path.addingPercentEncoding(withAllowedCharacters: allowed) ?? "unknown"
    }

    private struct Log: Encodable {
        let schema = "https://json.schemastore.org/sarif-2.1.0.json"
        let version = "2.1.0"
        let runs: [Run]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version, runs
        }
    }

    private struct Run: Encodable {
        let tool: Tool
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
        var physicalLocation: PhysicalLocation?
        var logicalLocations: [LogicalLocation]?
    }

    private struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region?
    }

    private struct ArtifactLocation: Encodable { let uri: String }

    private struct Region: Encodable { let startLine: Int }

    private struct LogicalLocation: Encodable { let fullyQualifiedName: String }
}
