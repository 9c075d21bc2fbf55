import Foundation
import Testing

/// Secrets of known forms that belong to no key of the store. Every secret here is made up and put together while the test runs.
@Suite("Unregistered secrets")
struct UnregisteredTests {
    typealias Sample = ProviderShapeTests.Sample

    let work: Workplace

    init() throws {
        work = try Workplace(issuersFolder)
        // A store without keys has nothing to scan for; this one has another key.
        _ = try work.create("billing")
    }

    /// Those whose form says enough.
    static let samples = ProviderShapeTests.samples.filter { !$0.brand.isEmpty && !$0.brand.hasSuffix(":") }
    static let github = samples[0]

    private func listed(_ options: String...) throws -> [[String: Any]] {
        try work.keyvigil("findings", "--json").objects.filter { $0["grade"] as? String == "unregistered" }
    }

    private func alerts(_ kind: String) throws -> [[String: Any]] {
        try work.keyvigil("alerts", "--json").objects.filter { $0["event"] as? String == kind }
    }

    @Test(
        "a secret of each provider is found, named by its issuer and its start; what only looks like one is not",
        arguments: samples)
    func found(_ sample: Sample) throws {
        let repository = try work.repository(
            "shop",
            [
                "settings.env": "A=1\nTOKEN=\(sample.secret)\n",
                "wrong.env": "TOKEN=\(sample.wrong)\n",
                "placeholder.env": "TOKEN=\(sample.brand)\(String(repeating: "x", count: sample.body.count + 6))\n",
                // A part of a word; behind a dot a word begins.
                "word.env": "x\(sample.secret.replacing(".", with: "x"))\n",
            ])
        let scan = try work.keyvigil("scan", repository, "--json")
        #expect(scan.status == 1)
        let found = try #require(scan.objects.first)
        #expect(scan.objects.count == 1, "\(scan.output)")
        #expect(found["grade"] as? String == "unregistered" && found["issuer"] as? String == sample.issuer)
        #expect(found["prefix"] as? String == sample.prefix)
        #expect(found["path"] as? String == "settings.env" && found["line"] as? Int == 2)
        #expect(!scan.output.contains(sample.body.suffix(10)) && !scan.errors.contains(sample.body.suffix(10)))
    }

    @Test(
        "what documents write in the place of a secret is none",
        arguments: [
            "AI" + "zaSyYourGoogleApiKeyGoesHere123456789", "AI" + "zaSyDummyKeyForTestingPurposesOnly123",
            "xox" + "b-your-slack-bot-token-goes-here-please-000", "sk_" + "live_yourStripeSecretKeyHere1",
            "glpat-" + "replace-with-token1x", "dop_" + "v1_" + String(repeating: "0123456789abcdef", count: 4),
        ])
    func placeholders(_ text: String) throws {
        try work.write("TOKEN=\(text)\n", to: "shop/.env.example")
        let scan = try work.keyvigil("scan", work.path("shop"))
        #expect(scan.status == 0, "\(scan)")
    }

    @Test("it is reported once, listed with its places, and becomes a finding of the key as which it is recorded")
    func recorded() throws {
        let secret = Self.github.secret
        let repository = try work.repository("shop", ["a.txt": "t=\(secret)\n"])
        _ = try work.keyvigil("scan", repository)
        try work.commit(repository, ["b.txt": "again \(secret) here\n"])
        _ = try work.keyvigil("scan", repository)
        _ = try work.keyvigil("scan", repository, "--full")
        let reports = try alerts("leak.unregistered")
        #expect(reports.count == 2)
        #expect(
            reports.allSatisfy { ($0["message"] as? String)?.contains("U1 \(Self.github.prefix)… (GitHub)") == true })
        #expect(reports.allSatisfy { $0["priority"] as? Int == 4 }, "\(reports)")
        let finding = try #require(try listed().first)
        #expect(finding["finding"] as? String == "U1")
        let places = try #require(finding["places"] as? [[String: Any]])
        #expect(places.compactMap { $0["path"] as? String } == ["a.txt", "b.txt"])
        let shown = try work.keyvigil("findings", "show", "U1")
        #expect(shown.output.contains("keyvigil create NAME --held --issuer github"), "\(shown.output)")
        let status = try #require(try work.keyvigil("status", "--json").objects.first)
        #expect(status["unregistered_secrets"] as? Int == 1)

        let line = #"{"name":"deploy","issuer":"github","secret":"\#(secret)","owner":"ana"}"#
        #expect(try work.keyvigil("import", input: line + "\n").status == 0)
        #expect(try listed().isEmpty)
        let scan = try work.keyvigil("scan", repository, "--json")
        #expect(Set(scan.objects.compactMap { $0["grade"] as? String }) == ["confirmed"], "\(scan.output)")
        #expect(scan.objects.count == 2)
        #expect(try alerts("leak.unregistered").count == 2)
    }

    @Test("one whose key is recorded by the SHA-256 of its secret becomes a finding of the key once it is found again")
    func recordedByDigest() throws {
        let secret = Self.github.secret
        let repository = try work.repository("shop", ["a.txt": "t=\(secret)\n"])
        _ = try work.keyvigil("scan", repository)
        #expect(try listed().count == 1)
        let digest = try work.run("/usr/bin/sha256sum", [], input: secret).output.prefix(64)
        let line =
            #"{"name":"deploy","issuer":"github","prefix":"\#(Self.github.prefix)","hash":"\#(digest)","owner":"ana"}"#
        let imported = try work.keyvigil("import", input: line + "\n")
        #expect(imported.status == 0, "\(imported.errors)")
        let scan = try work.keyvigil("scan", repository, "--json")
        #expect(scan.objects.compactMap { $0["grade"] as? String } == ["confirmed"], "\(scan.output)")
        #expect(try listed().isEmpty)
    }

    @Test("one that was dismissed is in no list, wherever it is found afterwards; the audit says who has done so")
    func dismissed() throws {
        let repository = try work.repository("shop", ["a.txt": "t=\(Self.github.secret)\n"])
        _ = try work.keyvigil("scan", repository)
        let dismissal = try work.keyvigil("findings", "dismiss", "U1", "--reason", "an example")
        #expect(dismissal.status == 0 && dismissal.output.contains("Dismissed the finding U1."))
        #expect(try listed().isEmpty)
        let other = try work.repository("docs", ["b.txt": "t=\(Self.github.secret)\n"])
        #expect(try work.keyvigil("scan", other).status == 0)
        #expect(try work.keyvigil("scan", repository, "--full").status == 0)
        #expect(try alerts("leak.unregistered").count == 1)
        let all = try work.keyvigil("findings", "--all", "--unregistered", "--json").objects
        #expect(all.first?["status"] as? String == "dismissed" && (all.first?["places"] as? [Any])?.count == 2)
        #expect(all.first?["dismiss_reason"] as? String == "an example")
        #expect(try work.keyvigil("audit", "--json").output.contains(#"U1"#))
        let missing = try work.keyvigil("findings", "dismiss", "U9", "--reason", "none")
        #expect(missing.status == 2 && missing.errors.contains("there is no finding U9"))
    }

    @Test("one that was dismissed leaves room for others, however often it is there")
    func dismissedFlood() throws {
        try work.configure("\(issuersFolder)\n[scan]\nmax_findings = 3")
        for number in 0..<5 { try work.write("t=\(Self.github.secret)\n", to: "docs/\(number).txt") }
        #expect(try work.keyvigil("scan", work.path("docs")).status == 1)
        #expect(try work.keyvigil("findings", "dismiss", "U1", "--reason", "an example").status == 0)
        let body = String(Self.github.body.dropLast(2)) + "07"
        try work.write("t=\(Self.github.brand)\(body)\(ProviderShapeTests.checksum(body))\n", to: "docs/new.txt")
        #expect(try work.keyvigil("scan", work.path("docs")).status == 1)
        #expect(try listed().count == 1)
        #expect(try alerts("leak.unregistered").count == 2)
    }

    @Test("an example of a provider's documentation is none, and one that differs from it in a letter is")
    func publicExamples() throws {
        let examples = [
            "sk_" + "test_4eC39HqLyjWDarjtT1zdp7dc", "sk_" + "test_BQokikJOvBiI2HlWgH4olfQ2",
            "sk_" + "test_tR3PYbcVNZZ796tH88S4VQ2u", "xo" + "xb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy",
            "SG" + ".ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr",
        ]
        let others = examples.map { String($0.dropLast()) + "X" }
        for (name, secrets, status) in [("examples", examples, 0), ("others", others, 1)] as [(String, [String], Int32)]
        {
            try work.write(secrets.map { "key = '\($0)'\n" }.joined(), to: "\(name)/app.js")
            #expect(try work.keyvigil("scan", work.path(name)).status == status)
        }
        #expect(try listed().count == others.count)
    }

    @Test("one that is in more places than are listed leaves room for one that is found later")
    func flood() throws {
        try work.configure("\(issuersFolder)\n[scan]\nmax_findings = 3")
        for number in 0..<5 { try work.write("t=\(Self.github.secret)\n", to: "docs/\(number).txt") }
        #expect(try work.keyvigil("scan", work.path("docs")).status == 1)
        let body = String(Self.github.body.dropLast(2)) + "07"
        try work.write("t=\(Self.github.brand)\(body)\(ProviderShapeTests.checksum(body))\n", to: "docs/new.txt")
        for _ in 0..<2 {
            #expect(try work.keyvigil("scan", work.path("docs")).status == 1)
            let counts = try listed().map { ($0["places"] as? [Any])?.count }
            #expect(counts == [2, 1])
            #expect(try alerts("leak.unregistered").count == 2)
        }
    }

    @Test("one that was in a file before it was committed stays in the history when the file is removed")
    func committedLater() throws {
        let repository = try work.repository("shop", ["a.txt": "nothing\n"])
        try work.write("t=\(Self.github.secret)\n", to: "shop/b.txt")
        #expect(try work.keyvigil("scan", repository).status == 1)
        try work.git(repository, "-C", repository, "add", "b.txt")
        _ = try work.keyvigil("scan", repository)
        try work.git(repository, "-C", repository, "commit", "-q", "-m", "more")
        _ = try work.keyvigil("scan", repository)
        let places = try #require(try listed().first?["places"] as? [[String: Any]])
        #expect(places.count == 1 && places[0]["commit"] is String, "\(places)")
        try work.git(repository, "-C", repository, "rm", "-q", "b.txt")
        try work.git(repository, "-C", repository, "commit", "-q", "-m", "less")
        for _ in 0..<2 { #expect(try work.keyvigil("scan", repository).status == 1) }
        #expect(try listed().first?["status"] as? String == "open")
    }

    @Test("a place can be left out, and what was searched without is searched when that changes")
    func configured() throws {
        let (shop, docs) = (
            try work.repository("shop", ["a.txt": "t=\(Self.github.secret)\n"]),
            try work.repository("docs", ["a.txt": "t=\(Self.samples[7].secret)\n"])
        )
        func scan(_ settings: String) throws -> Set<String> {
            try work.configure(
                "\(issuersFolder)\n[scan]\nrepositories = [\"\(shop)\", \"\(docs)\"]\ninterval = \"never\"\n\(settings)"
            )
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "scan.finished")
            #expect(daemon.stop() == 0)
            let events = daemon.events("leak.unregistered")
            return Set([shop, docs].filter { place in events.contains { $0.contains(" in \(place): ") } })
        }
        #expect(try scan("unregistered = false") == [])
        #expect(try listed().isEmpty)
        #expect(try scan("[[scan.place]]\npath = \"\(docs)\"\nunregistered = false") == [shop])
        #expect(try listed().count == 1)
        #expect(try scan("") == [docs])
        #expect(try scan("") == [])
        #expect(try listed().count == 2)
    }

    @Test(
        "one whose file is gone, or no longer has it, is in no place; it is news again when it is back"
    )
    func gone() throws {
        let text = "t=\(Self.github.secret)\n"
        for name in ["a.txt", "b.txt", "c.txt"] { try work.write(text, to: "srv/\(name)") }
        let folder = work.path("srv")
        func places() throws -> [String] {
            let found = try listed().flatMap { $0["places"] as? [[String: Any]] ?? [] }
            return found.compactMap { $0["path"] as? String }.sorted()
        }
        _ = try work.keyvigil("scan", folder)
        #expect(try places() == ["a.txt", "b.txt", "c.txt"])
        try FileManager.default.removeItem(atPath: folder + "/a.txt")
        try work.write("something else\n", to: "srv/b.txt")
        _ = try work.keyvigil("scan", folder)
        #expect(try places() == ["c.txt"])
        // What has changed and still has it stays, whichever scan looks again.
        try work.write("another line\n" + text, to: "srv/c.txt")
        for _ in 1...2 {
            _ = try work.keyvigil("scan", folder)
            #expect(try places() == ["c.txt"])
        }
        try FileManager.default.removeItem(atPath: folder + "/c.txt")
        _ = try work.keyvigil("scan", folder)
        #expect(try listed().isEmpty)
        #expect(try work.keyvigil("metrics").output.contains("\nkeyvigil_unregistered_secrets 0\n"))
        let shown = try work.keyvigil("findings", "show", "U1")
        #expect(shown.output.contains("gone") && !shown.output.contains("a.txt"), "\(shown.output)")
        let all = try work.keyvigil("findings", "--all", "--unregistered", "--json").objects
        #expect(all.first?["status"] as? String == "gone" && (all.first?["places"] as? [Any])?.isEmpty == true)
        #expect(try alerts("leak.unregistered").count == 1)
        try work.write(text, to: "srv/d.txt")
        _ = try work.keyvigil("scan", folder)
        #expect(try places() == ["d.txt"])
        #expect(try alerts("leak.unregistered").count == 2)
    }

    @Test(
        "once it is recorded, each place where it was found is a finding of its key, also where nothing is watched",
        arguments: ["create", "import", "rotate"])
    func adopted(_ way: String) throws {
        let secret = Self.github.secret
        try work.write("t=\(secret)\n", to: "srv/a.txt")
        let repository = try work.repository("shop", ["b.txt": "t=\(secret)\n", "c.txt": "u=\(secret)\n"])
        for place in [work.path("srv"), repository] { _ = try work.keyvigil("scan", place) }
        #expect(try listed().count == 1)
        switch way {
        case "create":
            let made = try work.keyvigil(
                "create", "deploy", "--held", "--issuer", "github", "--owner", "ana", "--secret-stdin", input: secret)
            #expect(made.status == 0, "\(made.errors)")
        case "import":
            let line = #"{"name":"deploy","issuer":"github","secret":"\#(secret)","owner":"ana"}"#
            #expect(try work.keyvigil("import", input: line + "\n").status == 0)
        default:
            let line = #"{"name":"deploy","issuer":"github","prefix":"ghp_0000"}"#
            #expect(try work.keyvigil("import", input: line + "\n").status == 0)
            let rotated = try work.keyvigil("rotate", "deploy", "--secret-stdin", input: secret)
            #expect(rotated.status == 0, "\(rotated.errors)")
        }
        #expect(try listed().isEmpty)
        let findings = try work.keyvigil("findings", "--key", "deploy", "--json").objects
        #expect(Set(findings.compactMap { $0["path"] as? String }) == ["a.txt", "b.txt", "c.txt"], "\(findings)")
        #expect(findings.allSatisfy { $0["grade"] as? String == "confirmed" && $0["status"] as? String == "open" })
        #expect(try alerts("leak.confirmed").count == 2)
        let incident = try #require(try work.keyvigil("incidents", "--json").objects.first)
        #expect(incident["places"] as? Int == 3 && incident["status"] as? String == "open")
        // What is known is found again, and is no news.
        for place in [work.path("srv"), repository] { _ = try work.keyvigil("scan", place, "--full") }
        #expect(try work.keyvigil("findings", "--json").objects.count == 3)
        #expect(try alerts("leak.confirmed").count == 2)
    }

    @Test(
        "the secret of a key is found with escapes and in split texts however many keys there are beside it",
        arguments: [0, 1, 20])
    func among(_ others: Int) throws {
        let secret = Self.github.secret
        func line(_ name: String, _ secret: String) -> String {
            #"{"name":"\#(name)","issuer":"github","secret":"\#(secret)","owner":"ana"}"# + "\n"
        }
        let lines = (0..<others).map { number in
            let body =
                (number % 2 == 0 ? "Zq" : "Yp") + String(format: "%02d", number)
                + Self.github.body.dropFirst(4).dropLast(0)
            return line("other\(number)", Self.github.brand + body + ProviderShapeTests.checksum(body))
        }
        let made = try work.keyvigil("import", input: lines.joined() + line("deploy", secret))
        #expect(made.status == 0, "\(made.errors)")
        let texts = [
            "plain": secret, "split": "K = (\"\(secret.prefix(6))\"\n     \"\(secret.dropFirst(6))\")",
            "url": secret.replacing("_", with: "%5F"), "notes": secret.replacing("_", with: "\\_"),
            "json": "\"" + secret.utf8.map { "\\u" + String(format: "%04x", $0) }.joined() + "\"",
            "mail": "\(secret.prefix(5))=\n\(secret.dropFirst(5))",
        ]
        for (name, text) in texts { try work.write(text + "\n", to: "srv/\(name)") }
        let scan = try work.keyvigil("scan", work.path("srv"), "--json")
        let found = scan.objects.filter { $0["grade"] as? String == "confirmed" }
        #expect(found.compactMap { $0["path"] as? String }.sorted() == texts.keys.sorted(), "\(scan.output)")
        #expect(scan.objects.count == found.count, "\(scan.output)")
        #expect(try work.keyvigil("findings", "--key", "deploy", "--json").objects.count == texts.count)
    }

    @Test("an error quotes none, whether it is in an argument or in the configuration")
    func quoted() throws {
        let secret = Self.github.secret
        for arguments in [
            ["show", secret], ["create", "a", "--issuer", secret], ["edit", "billing", "--expires", secret],
            ["alerts", "--since", secret], ["list", "--flag", secret], ["findings", "show", secret],
        ] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(outcome.status == 2, "\(arguments[0])")
            #expect(outcome.errors.contains("holds a secret"), "\(arguments[0]): \(outcome.errors)")
            #expect(!(outcome.output + outcome.errors).contains(secret.suffix(8)), "\(arguments[0])")
        }
        try work.configure("\(issuersFolder)\n[scan]\non_leak = \"\(secret)\"")
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 2 && checked.errors.contains("is no answer to a leak"), "\(checked.errors)")
        #expect(!(checked.output + checked.errors).contains(secret.suffix(8)))
    }

    @Test("a file that is named by one is shown without it")
    func names() throws {
        let secret = Self.github.secret
        let repository = try work.repository("shop", ["\(secret).txt": "t=\(secret)\n"])
        for option in ["--json", "--full", "--sarif"] {
            let scan = try work.keyvigil("scan", repository, option)
            #expect(scan.status == 1)
            #expect(!scan.output.contains(secret.suffix(12)) && !scan.errors.contains(secret.suffix(12)))
        }
        let sarif = try work.keyvigil("scan", repository, "--full", "--sarif")
        #expect(sarif.output.contains("\"ruleId\":\"leak.unregistered\""))
        for verb in ["findings", "alerts"] {
            let shown = try work.keyvigil(verb)
            #expect(shown.output.contains(Self.github.prefix) && !shown.output.contains(secret.suffix(12)))
        }
    }

    @Test("one that is in the name of a file is found there")
    func namesAlone() throws {
        let secret = Self.github.secret
        let folder = work.directory.appending(path: "named")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try work.write("nothing\n", to: "named/\(secret).txt")
        let scan = try work.keyvigil("scan", folder.path, "--json")
        let found = try #require(scan.objects.first, "\(scan.output)\(scan.errors)")
        #expect(scan.status == 1 && found["grade"] as? String == "unregistered")
        #expect(found["prefix"] as? String == Self.github.prefix)
        #expect(!scan.output.contains(secret.suffix(12)))
    }

    @Test("one in the name of a file that only history has is found there, and one with escapes where it is written")
    func otherForms() throws {
        let secret = Self.github.secret
        let body = String(secret.dropFirst(Self.github.brand.utf8.count))
        let repository = try work.repository(
            "shop",
            ["old/\(secret).txt": "nothing\n", "a.md": "\n ghp\\_\(body) \n", "b.txt": "{x: ghp\\u005f\(body)}\n"])
        try work.git(repository, "-C", repository, "rm", "-q", "-r", "old")
        try work.git(repository, "-C", repository, "commit", "-q", "-m", "moved")
        let scan = try work.keyvigil("scan", repository, "--json")
        let found = scan.objects.filter { $0["grade"] as? String == "unregistered" }
        #expect(
            Set(found.compactMap { $0["form"] as? String }) == ["plain", "escaped"], "\(scan.output)")
        #expect(Set(found.compactMap { $0["line"] as? Int }) == [1, 2], "\(scan.output)")
        #expect(found.contains { ($0["path"] as? String)?.hasPrefix("old/") == true }, "\(scan.output)")
        #expect(try listed().count == 1)
        #expect(!scan.output.contains(body.suffix(12)))
    }

    @Test("a place that is named by one has the same name in each scan, without it")
    func place() throws {
        let secret = Self.github.secret
        let repository = try work.repository("shop-\(secret)", ["a.txt": "t=\(secret)\n"])
        try work.configure("\(issuersFolder)\n[scan]\nrepositories = [\"\(repository)\"]")
        for _ in 1...2 {
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "scan.finished")
            daemon.signal(SIGUSR1)
            try daemon.wait(for: "scan.finished", count: 2)
            #expect(daemon.stop() == 0)
            #expect(daemon.events("place.unwatched").isEmpty)
            #expect(!daemon.output.contains { $0.contains(secret.suffix(12)) })
        }
        let status = try #require(try work.keyvigil("status", "--json").objects.first)
        let places = try #require(status["repositories"] as? [[String: Any]])
        #expect(places.count == 1 && places[0]["scanned_at"] is String, "\(places)")
        #expect((places[0]["path"] as? String)?.contains("{hidden:") == true)
        #expect(try work.keyvigil("metrics").output.contains("{hidden:"))
    }

    @Test("of many in one place a bounded number is listed, and one alert names the first of them")
    func many() throws {
        try work.configure("\(issuersFolder)\n[scan]\nmax_findings = 20")
        let lines = (0..<50).map { number in
            let body = String(Self.github.body.dropLast(2)) + String(format: "%02d", number)
            return "t\(number)=\(Self.github.brand)\(body)\(ProviderShapeTests.checksum(body))\n"
        }
        let repository = try work.repository("shop", ["all.txt": lines.joined()])
        #expect(try work.keyvigil("scan", repository).status == 1)
        #expect(try listed().count == 20)
        let reports = try alerts("leak.unregistered")
        #expect(reports.count == 1)
        let message = try #require(reports.first?["message"] as? String)
        #expect(
            message.contains("20 secrets of known forms") && message.contains("at most 20 such places are listed here"))
    }
}
