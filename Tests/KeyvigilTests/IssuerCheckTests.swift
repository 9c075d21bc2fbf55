import Foundation
import Testing

/// Asking an issuer whether it accepts a secret: a real HTTPS server on the loopback interface, and what can go wrong with one.
@Suite("Checks with an issuer")
struct IssuerCheckTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    static let secret = "acme_" + String(repeating: "Ab3", count: 12)

    /// A profile with a check, and a held key of it.
    func setUp(_ check: String, authorization: String = "bearer", secret: String = secret) throws {
        try work.write(
            """
            name = "acme"
            title = "Acme"
            [secret]
            authorization = "\(authorization)"
            brand = "acme_"
            length = 36
            [steps]
            rotate = "press Renew"
            revoke = "press End"
            [check]
            \(check)
            """, to: "issuers/acme.toml")
        try work.configure("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
        let line = #"{"name":"k","issuer":"acme","secret":"\#(secret)","owner":"ana"}"#
        let imported = try work.keyvigil("import", input: line + "\n")
        try #require(imported.status == 0, "\(imported.errors)")
    }

    func server(_ name: String = "server", trusted: Bool = true, header: String = "$http_authorization") throws
        -> IssuerServer
    {
        try IssuerServer(work.directory.appending(path: name), trusted: trusted, header: header)
    }

    func check(_ server: IssuerServer, _ secret: String = secret, _ options: String...) throws -> Workplace.Outcome {
        try work.run(
            Workplace.binaries.appending(path: "keyvigil").path,
            ["check", "k", "--config", work.configuration] + options,
            input: secret, environment: server.environment)
    }

    func shown() throws -> [String: Any] { try #require(try work.keyvigil("show", "k", "--json").objects.first) }

    @Test("an accepted secret is accepted, a refused one refused; answer and date are kept with the key")
    func answers() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        try server.start(accepting: ["Bearer " + Self.secret])
        let accepted = try check(server, Self.secret, "--json")
        #expect(
            accepted.status == 0 && accepted.objects.first?["answer"] as? String == "accepted", "\(accepted.errors)")
        #expect(try server.requests() == ["GET /v1/me 200"])
        var key = try shown()
        #expect(key["check"] as? String == "accepted" && key["checked_at"] is String)
        #expect((key["status_words"] as? String)?.hasPrefix("active, accepted by Acme on ") == true)
        try server.start(accepting: [])
        let refused = try check(server)
        #expect(
            refused.status == 1 && refused.output.hasPrefix("Acme refuses the secret acme_Ab3Ab3Ab… of the key 'k'."))
        key = try shown()
        #expect(
            key["check"] as? String == "refused" && key["hygiene"] as? [String] == ["refused_by_issuer", "unbounded"])
        // What the issuer has said is not called unchecked afterwards.
        let rotated = try work.keyvigil("rotate", "k", "--prefix", "acme_Cd4Cd4Cd", "--idempotency-key", "one")
        #expect(rotated.output.contains("said to be replaced there; Acme refused it at "), "\(rotated.output)")
        let again = try work.keyvigil("rotate", "k", "--prefix", "acme_Cd4Cd4Cd", "--idempotency-key", "one")
        #expect(again.output.hasPrefix("This rotation was recorded before.") && !again.output.contains("shown"))
        let revoked = try work.keyvigil("revoke", "k", "--done")
        #expect(revoked.output.contains("; whether it is refused was not checked: keyvigil check key_"))
        let audit = try work.keyvigil("audit", "--action", "secret.checked", "--json").objects
        #expect(audit.count == 2 && !"\(audit)".contains(Self.secret.suffix(20)))
        for text in [accepted.output, accepted.errors, refused.output, refused.errors] {
            #expect(!text.contains(Self.secret.suffix(20)))
        }
    }

    @Test("the secret goes in the header that the profile names, alone, by the method that it names; quotes survive")
    func header() throws {
        let secret = "acme_" + #"Ab3"\c"# + String(repeating: "Ab3", count: 10)
        let server = try server(header: "$http_x_acme_key")
        try work.write("", to: "issuers/none.txt")
        try setUp("url = \"\(server.address)/v1/me\"\nmethod = \"HEAD\"\nheader = \"X-Acme-Key\"", secret: Self.secret)
        let line =
            #"{"name":"q","issuer":"acme","prefix":"acme_Ab3","secret":"\#(secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))"}"#
        try #require(try work.keyvigil("import", input: line + "\n").status == 0)
        try server.start(accepting: [secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")])
        let outcome = try work.keyvigil("check", "q", input: secret, environment: server.environment)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(try server.requests() == ["HEAD /v1/me 200"])
    }

    @Test("statuses that the profile does not explain decide nothing, and the last answer that decides stays")
    func undecided() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"\naccepted = [200, 403]")
        try server.start(accepting: ["Bearer " + Self.secret], status: 403)
        #expect(try check(server).status == 0)
        try server.start(accepting: ["Bearer " + Self.secret], status: 503)
        let outcome = try check(server)
        #expect(outcome.status == 2 && outcome.output.contains("it answered 503, which its profile does not list"))
        let key = try shown()
        #expect(key["check"] as? String == "accepted" && (key["check_problem"] as? String)?.contains("503") == true)
    }

    @Test(
        "a secret that the address does not answer as it is, such as a refresh token, is not sent, and nothing is resolved"
    )
    func uncheckedBrand() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"\nunchecked_brands = [\"acme_\"]")
        try server.start(accepting: [])
        let outcome = try check(server)
        #expect(outcome.status == 2 && outcome.output.contains("was not asked"), "\(outcome)")
        #expect(outcome.output.contains("secrets with acme_ cannot be checked") && !outcome.output.contains("refuses"))
        #expect(try server.requests().isEmpty)
        try work.write(
            "name = \"acme\"\n[secret]\nbrand = \"acme_\"\nlength = 36\n[check]\nurl = \"https://a\"\n"
                + "unchecked_brands = [\"acne_\"]\n", to: "issuers/acme.toml")
        let refused = try work.keyvigil("check-config")
        #expect(
            refused.errors.contains("acme.toml:7") && refused.errors.contains("did you mean 'acme_'"),
            "\(refused.errors)")
    }

    @Test("what was refused, and is accepted later, is a leak again")
    func acceptedAgain() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        let prefix = "acme_Zz9Zz9Zz"
        let line = #"{"name":"p","issuer":"acme","prefix":"\#(prefix)","owner":"ana"}"#
        try #require(try work.keyvigil("import", input: line + "\n").status == 0)
        let secrets = ["Cd4", "Ef5"].map { prefix + String(repeating: $0, count: 9) + "g" }
        for (name, secret) in zip(["a", "b"], secrets) { try work.write("k = \(secret)\n", to: "place/\(name)") }
        try #require(try work.keyvigil("scan", work.path("place")).status == 1)
        func ask(_ secret: String) throws -> Int32 {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, ["check", "p", "--config", work.configuration],
                input: secret, environment: server.environment
            ).status
        }
        func status(of path: String) throws -> String? {
            try work.keyvigil("findings", "--all", "--json").objects.first { $0["path"] as? String == path }?["status"]
                as? String
        }
        try server.start(accepting: [])
        #expect(try ask(secrets[0]) == 1 && status(of: "a") == "resolved")
        try server.start(accepting: secrets.map { "Bearer \($0)" })
        #expect(try ask(secrets[1]) == 0 && ask(secrets[0]) == 0)
        #expect(try status(of: "a") == "open")
        #expect(try !work.keyvigil("show", "p").output.contains("open nothing now"))
        let alerts = try work.keyvigil("alerts", "--json").objects.filter {
            $0["event"] as? String == "leak.probable" && ($0["path"] as? String)?.hasSuffix("a") ?? false
        }
        #expect(alerts.count == 2, "\(alerts)")
        // It is asked about once, however often it is accepted.
        #expect(try ask(secrets[0]) == 0)
        _ = try work.keyvigil("scan", "--full", work.path("place"))
        #expect(try status(of: "a") == "open")
    }

    @Test("a consent is not asked about, since the address answers API keys, and its access token is a bearer token")
    func consent() throws {
        try work.write(
            """
            name = "acme"
            title = "Acme"
            [secret]
            authorization = "sign-in"
            alphabet = "lowercase"
            length = 32
            [check]
            url = "https://localhost:1/v1/me"
            [consents]
            revoke = "call DELETE /consents"
            """, to: "issuers/acme.toml")
        try work.configure("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
        let token = "ory_at_" + String(repeating: "Ab3", count: 12)
        let line =
            #"{"name":"k","kind":"oauth_consent","issuer":"acme","secret":"\#(token)","prefix":"ory_at_A","owner":"ana"}"#
        let imported = try work.keyvigil("import", input: line + "\n")
        try #require(imported.status == 0, "\(imported.errors)")
        let checked = try work.keyvigil("check", "k", input: token)
        #expect(checked.status == 2 && checked.errors.contains("'k' is a consent"), "\(checked.errors)")
        #expect(checked.errors.contains("to end the consent: call DELETE /consents"), "\(checked.errors)")
        #expect(try !work.keyvigil("show", "k").output.contains("keyvigil check"))
        for credential in [token, "Bearer \(token)"] {
            #expect(try work.keyvigil("verify", input: credential).status == 0, "\(credential.prefix(6))")
        }
    }

    @Test("a redirection is not followed: the secret goes to no other host")
    func redirection() throws {
        let thief = try server("thief")
        try thief.start(accepting: ["Bearer " + Self.secret])
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        try server.start(accepting: [], redirect: "\(thief.address)/v1/me")
        let outcome = try check(server)
        #expect(outcome.status == 2 && outcome.output.contains("it answered 302, a redirection, which is not followed"))
        #expect(try thief.requests().isEmpty)
        #expect(try shown()["check"] as? String == "unknown")
    }

    @Test("a certificate that the system does not trust is no answer, and nothing is sent")
    func certificate() throws {
        let server = try server(trusted: false)
        try setUp("url = \"\(server.address)/v1/me\"")
        try server.start(accepting: ["Bearer " + Self.secret])
        let outcome = try check(server)
        #expect(outcome.status == 2 && outcome.output.contains("certificate"), "\(outcome.output)")
        #expect(try server.requests().isEmpty)
    }

    @Test(
        "a server that never answers ends at the profile's timeout; meanwhile the secret is in no argument and no environment"
    )
    func hung() throws {
        let silent = try SilentServer()
        try setUp("url = \"https://localhost:\(silent.port)/v1/me\"\ntimeout = \"3s\"")
        let process = Process()
        process.executableURL = Workplace.binaries.appending(path: "keyvigil")
        process.arguments = ["check", "k", "--config", work.configuration]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(Self.secret.utf8))
        try input.fileHandleForWriting.close()
        // Until curl is seen, or the tool has ended without it.
        var seen: [String] = []
        while seen.isEmpty, process.isRunning { seen = try Self.children(of: process.processIdentifier) }
        #expect(!seen.isEmpty && seen.allSatisfy { $0.contains("--config") && !$0.contains(Self.secret.suffix(20)) })
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 2 && text.contains("Acme gave no answer that decides"), "\(text)")
    }

    /// Arguments and environment of the programs that a process has started.
    private static func children(of parent: Int32) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.compactMap { pid in
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
                status.contains("\nPPid:\t\(parent)\n"), status.hasPrefix("Name:\tcurl\n")
            else { return nil }
            let files = ["cmdline", "environ"].compactMap { FileManager.default.contents(atPath: "/proc/\(pid)/\($0)") }
            return files.map { String(decoding: $0, as: UTF8.self) }.joined()
        }
    }

    @Test("what cannot be asked is refused before anything is sent, with what to do")
    func refusals() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        try server.start(accepting: [])
        let other = try check(server, "acme_other")
        #expect(other.status == 2 && other.errors.contains("it begins with none of its prefixes"))
        #expect(try server.requests().isEmpty)
        _ = try work.create("mine")
        #expect(try work.keyvigil("check", "mine", input: "x").errors.contains("is issued here"))
        let second = "acme_" + String(repeating: "Zz9", count: 12)
        try #require(
            try work.keyvigil("import", input: #"{"name":"second","issuer":"acme","secret":"\#(second)"}"# + "\n")
                .status == 0)
        #expect(try check(server, second).errors.contains("a secret of another key, 'second'"))
        try #require(
            try work.keyvigil(
                "import", input: #"{"name":"t","issuer":"acme","environment":"test","prefix":"acme_00000000"}"# + "\n"
            )
            .status == 0)
        #expect(try work.keyvigil("check", "t", input: "x").errors.contains("add test_url to its [check]"))
        for (line, reason) in [
            ("url = \"http://localhost/v1\"", "is not an https address"),
            ("url = \"https://user:pw@localhost/\"", "is not an https address"), ("timeout = \"10s\"", "check.url"),
            ("url = \"https://localhost/\"\nrefused = [200]", "check.refused"),
            ("url = \"https://localhost/\"\naccepted = [401]", "check.accepted"),
            ("url = \"https://localhost/\"\nmethod = \"POST\"", "method that changes nothing"),
        ] {
            try work.write("name = \"acme\"\n[check]\n\(line)\n", to: "issuers/acme.toml")
            let outcome = try work.keyvigil("check-config")
            #expect(
                outcome.status == 2 && outcome.errors.contains("acme.toml:") && outcome.errors.contains(reason),
                "\(outcome.errors)")
        }
    }

    @Test(
        "an accepted leaked secret is critical whatever the record says; a refused one is resolved, and stays so elsewhere"
    )
    func leaks() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        let repository = try work.repository("shop", ["a.txt": Self.secret])
        #expect(try work.keyvigil("revoke", "k", "--done").status == 0)
        #expect(try work.keyvigil("scan", repository).status == 1)
        try server.start(accepting: ["Bearer " + Self.secret])
        let outcome = try check(server)
        #expect(
            outcome.status == 0
                && outcome.output.contains("The record says that the key is revoked; Acme says otherwise"))
        var alerts = try work.keyvigil("alerts", "--kind", "leak.confirmed", "--json").objects
        #expect(alerts.map { $0["priority"] as? Int } == [3, 2])
        #expect((alerts[1]["message"] as? String)?.contains("it is accepted by Acme at ") == true)
        // Asked again with the same answer, there is nothing new to say.
        #expect(try check(server).status == 0)
        alerts = try work.keyvigil("alerts", "--kind", "leak.confirmed", "--json").objects
        #expect(alerts.count == 2)
        try server.start(accepting: [])
        #expect(try check(server).status == 1)
        #expect(try work.keyvigil("findings", "--json").objects.isEmpty)
        let resolved = try #require(try work.keyvigil("alerts", "--kind", "leak.resolved", "--json").objects.last)
        #expect((resolved["message"] as? String)?.contains("is refused by Acme at ") == true, "\(resolved)")
        try work.commit(repository, ["b.txt": Self.secret])
        #expect(try work.keyvigil("scan", repository).status == 1)
        alerts = try work.keyvigil("alerts", "--kind", "leak.confirmed", "--json").objects
        #expect(alerts.count == 3 && alerts[2]["priority"] as? Int == 5)
    }

    @Test(
        "scan --check asks at once: of a probable secret that is accepted, the key is known from then on; a refused one is resolved"
    )
    func scanAndCheck() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        let live = "acme_00000001" + String(repeating: "z", count: 28)
        let dead = "acme_00000001" + String(repeating: "y", count: 28)
        try #require(
            try work.keyvigil("import", input: #"{"name":"p","issuer":"acme","prefix":"acme_00000001..."}"# + "\n")
                .status == 0)
        let repository = try work.repository("shop", ["live.txt": live, "dead.txt": dead, "known.txt": Self.secret])
        #expect(try work.keyvigil("scan", repository).status == 1)
        try server.start(accepting: ["Bearer " + live, "Bearer " + Self.secret])
        let outcome = try work.keyvigil("scan", repository, "--check", "--json", environment: server.environment)
        #expect(
            outcome.status == 1 && outcome.errors.contains("Acme accepts") && outcome.errors.contains("Acme refuses"))
        #expect(try server.requests().count == 3)
        let found = Dictionary(
            grouping: try work.keyvigil("findings", "--all", "--json").objects, by: { $0["path"] as? String ?? "" }
        ).mapValues { "\($0[0]["grade"] ?? "") \($0[0]["status"] ?? "") \($0[0]["check"] ?? "")" }
        #expect(found["live.txt"] == "confirmed open accepted" && found["known.txt"] == "confirmed open accepted")
        #expect(found["dead.txt"]?.hasPrefix("probable resolved") == true, "\(found)")
        let critical = try work.keyvigil("alerts", "--kind", "leak.confirmed", "--json").objects.filter {
            $0["key_name"] as? String == "p"
        }
        #expect(critical.map { $0["priority"] as? Int } == [2])
        #expect(try work.keyvigil("verify", "--json", input: live).objects.first?["name"] as? String == "p")
        for text in [outcome.output, outcome.errors] {
            #expect(!text.contains(live.suffix(20)) && !text.contains(dead.suffix(20)))
        }
        // An issuer that does not answer makes the scan one that did not do what it was asked for.
        server.stop()
        let unanswered = try work.keyvigil("scan", repository, "--check", environment: server.environment)
        #expect(unanswered.status == 2 && unanswered.errors.contains("gave no answer that decides"))
    }

    @Test(
        "a secret that its issuer accepts is not called unchecked because the record says that the key ended, and what is to be done can be done"
    )
    func acceptedAfterTheEnd() throws {
        let server = try server()
        try setUp("url = \"\(server.address)/v1/me\"")
        try server.start(accepting: ["Bearer " + Self.secret])
        try work.write(Self.secret, to: "place/f")
        #expect(try work.keyvigil("revoke", "k", "--done").status == 0)
        #expect(try work.keyvigil("scan", work.path("place")).status == 1)
        let accepted = try check(server)
        #expect(
            accepted.status == 0 && accepted.output.contains("To revoke it: press End; then see whether"), "\(accepted)"
        )
        let words = try #require(try shown()["status_words"] as? String)
        #expect(words.hasPrefix("recorded as revoked, but accepted by Acme at "), "\(words)")
        let texts = [
            accepted.output, try work.keyvigil("show", "k").output, try work.keyvigil("incidents", "show", "1").output,
            try work.keyvigil("findings", "show", "1").output,
        ]
        for text in texts {
            #expect(!text.contains("not checked"), "\(text)")
            #expect(!text.contains("keyvigil rotate") && !text.contains("revoke key_"), "\(text)")
        }
        #expect(texts[1].contains("its last one is accepted by Acme at "), "\(texts[1])")
        #expect(texts[2].contains("the issuer was asked about a secret: accepted (user "), "\(texts[2])")
        // It ends with the issuer's refusal, and begins again with what it accepts then.
        try server.start(accepting: [])
        #expect(try check(server).status == 1)
        #expect(
            try work.keyvigil("incidents", "show", "1").output.contains("the incident closed: no open place is left"))
        try server.start(accepting: ["Bearer " + Self.secret])
        #expect(try check(server).status == 0)
        let history = try work.keyvigil("incidents", "show", "1").output
        #expect(
            history.contains("the incident opened again") && history.contains("secret: refused (user "), "\(history)")
    }
}
