internal import KeyStore
internal import Keys

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
        let location = JSONLine { location in
            if let path = sighting.path {
                location.add(
                    "physicalLocation",
                    object: JSONLine { physical in
                        physical.add("artifactLocation", object: JSONLine { $0.add("uri", Self.uri(path)) })
                        guard let line = sighting.line else { return }
                        physical.add("region", object: JSONLine { $0.add("startLine", max(1, line)) })
                    })
            } else {
                let name = "\(sighting.source) \(sighting.object ?? repository)"
                location.add("logicalLocations", objects: [JSONLine { $0.add("fullyQualifiedName", name) }])
            }
        }
        let properties = [
            ("author", sighting.author), ("authored_at", sighting.authoredAt), ("commit", sighting.commit),
            ("form", form), ("object", sighting.object), ("repository", repository),
            ("secret_state", isConfirmed ? condition.grade.rawValue : nil), ("source", sighting.source),
        ]
        results.append(
            JSONLine {
                $0.add("level", Self.level(of: sighting, condition))
                $0.add("locations", objects: [location])
                $0.add("message", object: Self.message(text + "."))
                let place = "\(prefix) \(repository) \(sighting.place)"
                $0.add("partialFingerprints", object: JSONLine { $0.add("keyvigilPlace/v1", place) })
                $0.add(
                    "properties",
                    object: JSONLine { object in
                        for case (let name, let value?) in properties { object.add(name, value) }
                    })
                $0.add("ruleId", "leak.\(sighting.grade.rawValue)")
            })
    }

    /// The log, its names in the order of the alphabet.
    var text: String {
        let rules = [
            ("leak.confirmed", "A whole secret of a known key"),
            ("leak.probable", "What looks like a whole secret, under the prefix of a known key"),
            ("leak.mention", "The visible prefix of a known key"),
        ].map { id, description in
            JSONLine {
                $0.add("id", id)
                $0.add("shortDescription", object: Self.message(description))
            }
        }
        let driver = JSONLine {
            $0.add("name", "Keyvigil")
            $0.add("rules", objects: rules)
            $0.add("version", keyvigilVersion)
        }
        let invocation = JSONLine {
            $0.add("executionSuccessful", failures.isEmpty)
            $0.add("toolExecutionNotifications", objects: failures)
        }
        let run = JSONLine {
            $0.add("invocations", objects: [invocation])
            $0.add("results", objects: results)
            $0.add("tool", object: JSONLine { $0.add("driver", object: driver) })
        }
        return JSONLine {
            $0.add("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
            $0.add("runs", objects: [run])
            $0.add("version", "2.1.0")
        }.line
    }

    private static func message(_ text: String) -> JSONLine { JSONLine { $0.add("text", text) } }

    private static func level(of sighting: Sighting, _ condition: SecretCondition) -> String {
        switch sighting.grade {
        case .confirmed: condition.danger == .none ? "warning" : "error"
        case .probable: "warning"
        case .mention: "note"
        }
    }

    /// A path as a URI reference (RFC 3986, section 3.3); a colon in its first part would look like a scheme.
    private static func uri(_ path: String) -> String {
        let plain = Set("-._~!$&'()*+,=@/".utf8)
        var uri = ""
        for byte in path.utf8 {
            if Base62.contains(byte) || plain.contains(byte) {
                uri.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                uri += (byte < 0x10 ? "%0" : "%") + digits
            }
        }
        return uri
    }
}
