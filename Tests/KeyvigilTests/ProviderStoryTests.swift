import Foundation
import Testing

/// For each of the four providers the whole story of a held key: recorded, leaked, replaced at the provider, checked, resolved. No
/// word on the way says more than is known.
@Suite("Stories of held keys")
struct ProviderStoryTests {
    struct Story: Sendable, CustomTestStringConvertible {
        let issuer: String
        let title: String
        /// The key as it is imported; the secret is put in for `SECRET`.
        let line: String
        let old: String
        let new: String
        /// What the provider's server is sent.
        let header: @Sendable (String) -> String
        let rotateSteps: String

        var testDescription: String { title }
    }

    static let stories = [
        Story(
            issuer: "qonto", title: "Qonto", line: #"{"name":"k","issuer":"qonto","secret":"SECRET","owner":"ana"}"#,
            old: "pied-piper-7132:62885d39f3a0ddedd3d3ee0432a43ccr",
            new: "pied-piper-7132:77775d39f3a0ddedd3d3ee0432a43ccr", header: { $0 }, rotateSteps: "press Regenerate"),
        Story(
            issuer: "finta", title: "Finta", line: #"{"name":"k","issuer":"finta","secret":"SECRET","owner":"ana"}"#,
            old: "finta_Old45678" + String(repeating: "aB3d", count: 8),
            new: "finta_New45678" + String(repeating: "aB3e", count: 8), header: { "Bearer " + $0 },
            rotateSteps: "press Rotate next to the key"),
        Story(
            issuer: "blnk", title: "Blnk",
            line:
                #"{"name":"k","issuer":"blnk","prefix":"blnk_fdb796a5...","permissions":["mcp:read","mcp:write"],"owner":"ana"}"#,
            old: "blnk_fdb796a5" + String(repeating: "0f", count: 20),
            new: "blnk_11223344" + String(repeating: "0e", count: 20), header: { "Bearer " + $0 },
            rotateSteps: "create a new key with the same scopes, then revoke the old one"),
        Story(
            issuer: "qubitro", title: "Qubitro",
            line:
                #"{"name":"k","issuer":"qubitro","secret":"SECRET","permissions":["Read","Write"],"resources":["p1"],"expires_at":"2099-01-01","owner":"ana"}"#,
            old: "QB_Old45678" + String(repeating: "aB3d", count: 10),
            new: "QB_New45678" + String(repeating: "aB3e", count: 10), header: { "Bearer " + $0 },
            rotateSteps: "create a new key with the same actions and scope, then delete the old one"),
    ]

    let work: Workplace

    init() throws { work = try Workplace() }

    /// The shipped profile, with a check at a server of the test's.
    private func useProfile(of story: Story, _ server: IssuerServer) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var text = try String(
            contentsOf: root.appending(path: "config/issuers/\(story.issuer).toml"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.contains("[check]") {
            text = lines.map { $0.hasPrefix("url = ") ? "url = \"\(server.address)/me\"" : $0 }.joined(separator: "\n")
        } else {
            text += "\n[check]\nurl = \"\(server.address)/me\"\n"
        }
        try work.write(text, to: "issuers/\(story.issuer).toml")
        try work.configure("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
    }

    private func alerts(_ kind: String) throws -> [[String: Any]] {
        try work.keyvigil("alerts", "--kind", kind, "--json").objects
    }

    /// Holds what was printed against what is known: the provider has not refused anything yet.
    private func expectNothingFalse(_ texts: String..., location: SourceLocation = #_sourceLocation) {
        for text in texts {
            for word in [
                "no longer works", "refused from now on", "is now refused", "keyvigil rotate key_ ",
                "--overlap 0s",
            ] {
                #expect(!text.contains(word), "\(text)", sourceLocation: location)
            }
        }
    }

    @Test("import, leak, rotation at the provider, check, resolved", arguments: stories)
    func story(_ story: Story) throws {
        let server = try IssuerServer(work.directory.appending(path: "server"))
        try useProfile(of: story, server)
        let environment = server.environment
        let isWhole = story.line.contains("SECRET")
        // Recorded: the list shows what the provider's page shows, and whose word it is.
        let imported = try work.keyvigil("import", input: story.line.replacing("SECRET", with: story.old) + "\n")
        try #require(imported.status == 0, "\(imported.errors)")
        let list = try work.keyvigil("list").output
        for column in ["ORIGIN", "ISSUER", "PREFIX", "SCOPE", "ACTIONS", "EXPIRES"] { #expect(list.contains(column)) }
        #expect(list.contains("held") && list.contains(story.issuer))
        // Leaked: the provider's steps, then the command that records them.
        let repository = try work.repository("shop", ["deploy.sh": "curl -H '\(story.header(story.old))'\n"])
        let scan = try work.keyvigil("scan", repository)
        #expect(scan.status == 1)
        let leak = try #require(try alerts(isWhole ? "leak.confirmed" : "leak.probable").first)
        #expect(leak["priority"] as? Int == (isWhole ? 2 : 4) && leak["origin"] as? String == "held")
        let remedy = try #require(leak["remedy"] as? String)
        #expect(
            remedy.contains(story.rotateSteps) && remedy.contains("keyvigil rotate key_")
                && remedy.contains("--secret-stdin"))
        let message = try #require(leak["message"] as? String)
        expectNothingFalse(scan.output, message, remedy)
        // Replaced there, and recorded here by the very command of the remedy.
        let command = try #require(remedy.components(separatedBy: "; ").last?.replacing("then ", with: "")).split(
            separator: " ")
        let words = command.drop { $0 != "rotate" }.map(String.init)
        let rotated = try work.run(
            Workplace.binaries.appending(path: "keyvigil").path, words + ["--config", work.configuration],
            input: story.new,
            environment: environment)
        try #require(rotated.status == 0, "\(words) \(rotated.errors)")
        expectNothingFalse(rotated.output)
        #expect(try work.keyvigil("findings", "--json").objects.count == 1)
        let shown = try work.keyvigil("show", "k").output
        let findings = try work.keyvigil("findings").output
        expectNothingFalse(shown, findings)
        if isWhole {
            #expect(
                findings.contains("said to be replaced at \(story.title) on ") && findings.contains("; not checked"))
        }
        #expect(try alerts("leak.resolved").isEmpty)
        // The old secret still works there: then it is critical again, by the provider's own word.
        try server.start(accepting: [story.header(story.old), story.header(story.new)])
        let accepted = try work.keyvigil("check", "k", input: story.old, environment: environment)
        #expect(accepted.status == 0 && accepted.output.contains("\(story.title) accepts"), "\(accepted.errors)")
        let critical = try #require(try alerts("leak.confirmed").last)
        #expect(critical["priority"] as? Int == 2)
        #expect((critical["message"] as? String)?.contains("it is accepted by \(story.title) at ") == true)
        // Ended there at last: only now it is resolved.
        try server.start(accepting: [story.header(story.new)])
        let refused = try work.keyvigil("check", "k", input: story.old, environment: environment)
        #expect(refused.status == 1 && refused.output.contains("\(story.title) refuses"))
        #expect(try work.keyvigil("findings", "--json").objects.isEmpty)
        let resolved = try #require(try alerts("leak.resolved").last)
        #expect((resolved["message"] as? String)?.contains("is refused by \(story.title) at ") == true)
        #expect(try work.keyvigil("check", "k", input: story.new, environment: environment).status == 0)
        #expect(try work.keyvigil("list").output.contains("active, accepted by \(story.title) on "))
        let everything = [list, scan.output, rotated.output, shown, findings, accepted.output, refused.output].joined()
        #expect(!everything.contains(story.old.suffix(20)) && !everything.contains(story.new.suffix(20)))
    }
}
