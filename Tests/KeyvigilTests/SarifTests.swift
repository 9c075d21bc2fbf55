import Foundation
import Testing

/// What the schema of SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) demands of the objects that we write, and what the
/// standard's prose demands beyond it.
@Suite("The SARIF log")
struct SarifTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    typealias Object = [String: Any]

    /// The properties of an object must be of those that the schema knows, and hold those that it requires.
    func check(_ object: Object, _ known: Set<String>, required: Set<String> = []) {
        #expect(Set(object.keys).isSubset(of: known), "\(Set(object.keys).subtracting(known))")
        #expect(required.isSubset(of: Set(object.keys)))
    }

    func checkMessage(_ value: Any?) throws {
        let message = try #require(value as? Object)
        check(message, ["text", "markdown", "id", "arguments", "properties"])
        #expect((message["text"] as? String)?.isEmpty == false)
    }

    /// A URI reference (RFC 3986): its characters only, and no first part that reads as a scheme.
    func checkURI(_ value: Any?) throws {
        let text = try #require(value as? String)
        let allowed = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?#[]%")
        #expect(text.unicodeScalars.allSatisfy { allowed.contains($0) }, "\(text)")
        #expect(!text.prefix { $0 != "/" }.contains(":"), "\(text)")
        #expect(text.removingPercentEncoding != nil && URL(string: text) != nil, "\(text)")
    }

    func checkLocation(_ location: Object) throws {
        check(
            location,
            ["id", "physicalLocation", "logicalLocations", "message", "annotations", "relationships", "properties"])
        if let physical = location["physicalLocation"] as? Object {
            check(physical, ["address", "artifactLocation", "region", "contextRegion", "properties"])
            let artifact = try #require(physical["artifactLocation"] as? Object)
            check(artifact, ["uri", "uriBaseId", "index", "description", "properties"], required: ["uri"])
            try checkURI(artifact["uri"])
            let region = try #require(physical["region"] as? Object)
            check(region, ["startLine", "startColumn", "endLine", "endColumn"], required: ["startLine"])
            #expect((region["startLine"] as? Int).map { $0 >= 1 } == true)
        }
        if let logical = location["logicalLocations"] as? [Object] {
            #expect(!logical.isEmpty)
            for place in logical {
                check(
                    place,
                    ["name", "index", "fullyQualifiedName", "decoratedName", "parentIndex", "kind", "properties"])
                #expect((place["fullyQualifiedName"] as? String)?.isEmpty == false)
            }
        }
    }

    func checkResult(_ result: Object, rules: Set<String>) throws {
        check(
            result, ["ruleId", "level", "message", "locations", "partialFingerprints", "properties"],
            required: ["message"])
        #expect(["none", "note", "warning", "error"].contains(result["level"] as? String))
        #expect(rules.contains(result["ruleId"] as? String ?? ""))
        try checkMessage(result["message"])
        let locations = try #require(result["locations"] as? [Object])
        for location in locations { try checkLocation(location) }
        #expect(result["partialFingerprints"] is [String: String])
        #expect(result["properties"] is [String: String])
    }

    /// Checks a log and returns its results.
    func check(_ text: String) throws -> [Object] {
        let log = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
        check(
            log, ["$schema", "version", "runs", "inlineExternalProperties", "properties"],
            required: ["version", "runs"])
        #expect(log["version"] as? String == "2.1.0")
        let runs = try #require(log["runs"] as? [Object])
        let run = try #require(runs.first)
        #expect(runs.count == 1)
        check(run, ["tool", "columnKind", "invocations", "results"], required: ["tool"])
        #expect(run["columnKind"] as? String == "unicodeCodePoints")
        for invocation in try #require(run["invocations"] as? [Object]) {
            check(
                invocation, ["executionSuccessful", "toolExecutionNotifications"], required: ["executionSuccessful"])
            for notification in try #require(invocation["toolExecutionNotifications"] as? [Object]) {
                check(notification, ["level", "message"], required: ["message"])
                #expect(notification["level"] as? String == "error")
                try checkMessage(notification["message"])
            }
        }
        let tool = try #require(run["tool"] as? Object)
        check(tool, ["driver", "extensions", "properties"], required: ["driver"])
        let driver = try #require(tool["driver"] as? Object)
        check(driver, ["name", "version", "rules"], required: ["name"])
        let rules = try #require(driver["rules"] as? [Object])
        let ids = Set(rules.compactMap { $0["id"] as? String })
        #expect(ids.count == rules.count)
        for rule in rules {
            check(rule, ["id", "shortDescription", "fullDescription", "help", "properties"], required: ["id"])
            for name in ["shortDescription", "fullDescription", "help"] { try checkMessage(rule[name]) }
        }
        let results = try #require(run["results"] as? [Object])
        for result in results { try checkResult(result, rules: ids) }
        return results
    }

    @Test("of a clean place it holds no result, of a leaky one each kind of place, and it is as the schema demands")
    func schema() throws {
        let made = try work.create("bill \"ing\" \\ ü")
        let secret = try #require(made["secret"] as? String)
        let prefix = try #require(made["prefix"] as? String)
        let clean = try work.repository("clean", ["a": "a"])
        #expect(try check(work.keyvigil("scan", clean, "--sarif").output).isEmpty)
        let repository = try work.repository(
            "shop", ["a:b ü%#?[].txt": "x \(secret)", "dir/m.txt": prefix, "n_\(prefix)": "x", "\u{1}\n.txt": prefix])
        try work.git(repository, "-C", repository, "commit", "-q", "--allow-empty", "-m", "message \(secret)")
        try work.git(repository, "-C", repository, "tag", "-a", "-m", "tag \(secret)", "v1")
        try work.git(repository, "-C", repository, "branch", "wip/\(prefix)")
        try work.write(secret, to: "shop/untracked")
        let output = try work.keyvigil("scan", repository, "--sarif")
        #expect(output.status == 1 && !output.output.contains(secret))
        let results = try check(output.output)
        let sources = Set(results.compactMap { ($0["properties"] as? [String: String])?["source"] })
        #expect(sources.isSuperset(of: ["blob", "commit", "tag", "tree", "ref", "worktree", "gitdir"]))
        #expect(Set(results.compactMap { $0["level"] as? String }) == ["error", "note"])
    }

    /// What GitHub demands of an upload beyond the schema ("SARIF support for code scanning"): it refuses the whole log for one
    /// result that has no physical location with a relative URI, and for more than 25,000 results.
    @Test("each result is one that GitHub takes")
    func gitHub() throws {
        let made = try work.create("billing")
        let secret = try #require(made["secret"] as? String)
        let repository = try work.repository(
            "shop", ["a.txt": "x\n  \(secret)", "odd name é.txt": secret, "dir/\(secret)": "x", ":colon": secret])
        try work.git(repository, "-C", repository, "commit", "-q", "--allow-empty", "-m", "message \(secret)")
        try work.git(repository, "-C", repository, "tag", "-a", "-m", "tag \(secret)", "v1")
        try work.git(repository, "-C", repository, "branch", "wip-\(secret)")
        try work.git(repository, "-C", repository, "remote", "add", "o", "https://x:\(secret)@example.org/r")
        let output = try work.keyvigil("scan", repository, "--sarif").output
        #expect(!output.contains(secret))
        let log = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? Object)
        let run = try #require((log["runs"] as? [Object])?.first)
        let rules = try #require(((run["tool"] as? Object)?["driver"] as? Object)?["rules"] as? [Object])
        for rule in rules {
            #expect((rule["id"] as? String).map { $0.count <= 255 } == true)
            for (name, longest) in [("shortDescription", 1024), ("fullDescription", 1024), ("help", 10_000)] {
                #expect(((rule[name] as? Object)?["text"] as? String).map { (1...longest).contains($0.count) } == true)
            }
            let properties = try #require(rule["properties"] as? Object)
            #expect((properties["tags"] as? [String]).map { $0.count <= 20 } == true)
            #expect(
                (properties["security-severity"] as? String).flatMap { Double($0) }.map { (0.1...10).contains($0) }
                    == true)
        }
        let results = try #require(run["results"] as? [Object])
        #expect((6...25_000).contains(results.count))
        var uris: Set<String> = []
        for result in results {
            let locations = try #require(result["locations"] as? [Object])
            #expect((1...1000).contains(locations.count))
            let physical = try #require(locations[0]["physicalLocation"] as? Object)
            let uri = try #require((physical["artifactLocation"] as? Object)?["uri"] as? String)
            #expect(!uri.hasPrefix("/") && !uri.isEmpty && URL(string: uri)?.scheme == nil, "\(uri)")
            #expect(((physical["region"] as? Object)?["startLine"] as? Int).map { $0 >= 1 } == true)
            #expect(((result["message"] as? Object)?["text"] as? String)?.isEmpty == false)
            uris.insert(uri)
        }
        #expect(uris.isSuperset(of: ["a.txt", "odd%20name%20%C3%A9.txt", "%3Acolon", ".git/config"]))
        let region = results.compactMap { result -> Object? in
            let physical = ((result["locations"] as? [Object])?.first?["physicalLocation"] as? Object)
            guard (physical?["artifactLocation"] as? Object)?["uri"] as? String == "a.txt" else { return nil }
            return physical?["region"] as? Object
        }.first
        #expect(region?["startLine"] as? Int == 2 && region?["startColumn"] as? Int == 3)
    }

    /// Whether the log says that all was searched, and how many messages say what was not.
    func invocation(_ text: String) throws -> (isWhole: Bool, messages: Int) {
        #expect(try check(text).isEmpty)
        let log = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
        let run = try #require((log["runs"] as? [Object])?.first)
        let invocation = try #require((run["invocations"] as? [Object])?.first)
        return (
            try #require(invocation["executionSuccessful"] as? Bool),
            (invocation["toolExecutionNotifications"] as? [Object])?.count ?? 0
        )
    }

    @Test("a log without results says whether all was searched")
    func incomplete() throws {
        _ = try work.create("billing")
        let clean = try work.repository("clean", ["a": "a"])
        let whole = try work.keyvigil("scan", clean, "--sarif")
        let found = try invocation(whole.output)
        #expect(whole.status == 0 && found.isWhole && found.messages == 0)
        try FileManager.default.createDirectory(atPath: clean + "/.git/reftable", withIntermediateDirectories: false)
        let unknown = try work.keyvigil("scan", clean, work.path("nothing"), "--sarif")
        let failed = try invocation(unknown.output)
        #expect(unknown.status == 2 && !failed.isWhole && failed.messages == 2)
    }
}
