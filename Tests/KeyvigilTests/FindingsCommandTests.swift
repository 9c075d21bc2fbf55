import Foundation
import Testing

@Suite("Findings in the tool")
struct FindingsCommandTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    /// A key whose secret is in a repository, and the two.
    func leak(_ path: String = "deploy.sh") throws -> (secret: String, repository: String) {
        let secret = try #require(try work.create("billing", "--owner", "ana")["secret"] as? String)
        return (secret, try work.repository("shop", [path: "export TOKEN=\(secret)\n"]))
    }

    /// The findings as JSON, those that are no longer a danger included.
    func findings() throws -> [[String: Any]] { try work.keyvigil("findings", "--all", "--json").objects }

    @Test("show prints all that is known of one, and what to do")
    func show() throws {
        let (secret, repository) = try leak()
        _ = try work.keyvigil("scan", repository)
        let text = try work.keyvigil("findings", "show", "1").output
        for part in [
            "billing (key_", " of ana", "the whole secret, which is current", "written as   plain",
            "path         deploy.sh:1:14", "author       'Dan <dan@example.org>'", "in HEAD      yes",
            "keyvigil rotate key_", "keyvigil revoke key_",
        ] {
            #expect(text.contains(part), "\(part) is not in:\n\(text)")
        }
        #expect(!text.contains(secret))
        let object = try #require(try work.keyvigil("findings", "show", "1", "--json").objects.first)
        #expect(object["form"] as? String == "plain" && object["in_head"] as? Bool == true)
        #expect(object["objects"] as? Int == 1 && object["dismissed_at"] is NSNull && object["remedy"] is String)
        _ = try work.keyvigil("findings", "dismiss", "1", "--reason", "it is a fixture")
        let dismissed = try work.keyvigil("findings", "show", "1").output
        #expect(dismissed.contains("it is a fixture") && dismissed.contains("with keyvigil findings dismiss"))
        let missing = try work.keyvigil("findings", "show", "7")
        #expect(missing.status == 2 && missing.errors.hasPrefix("keyvigil: error: there is no finding 7\nhint: "))
    }

    @Test("a finding that was dismissed is shown by no scan, in a file as in a history")
    func dismissedIsNotShown() throws {
        let (secret, repository) = try leak()
        try work.write("k = \(secret)\n", to: "folder/a.txt")
        let places = [repository, work.path("folder")]
        for place in places { #expect(try work.keyvigil("scan", place).status == 1) }
        for id in ["1", "2"] {
            #expect(try work.keyvigil("findings", "dismiss", id, "--reason", "a fixture").status == 0)
        }
        for place in places {
            for options in [[], ["--full"]] {
                let scan = try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path,
                    ["scan", place, "--json", "--config", work.configuration] + options)
                #expect(scan.status == 0 && scan.output.isEmpty, "\(scan)")
            }
        }
        // A commit that would bring it there once more is refused.
        try work.write(
            "# changed\nKEY=\(secret)\n", to: "\(URL(filePath: repository).lastPathComponent)/deploy.sh")
        try work.git(repository, "-C", repository, "add", "deploy.sh")
        #expect(try work.keyvigil("scan", "--staged", repository).status == 1)
        // Another file is another place.
        try work.write("k = \(secret)\n", to: "folder/b.txt")
        #expect(
            try work.keyvigil("scan", work.path("folder"), "--json").objects.map { $0["path"] as? String } == ["b.txt"])
    }

    @Test("the form in which a key is written is kept with the finding")
    func form() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let encoded = Data("user:\(secret)".utf8).base64EncodedString()
        let repository = try work.repository("shop", ["header.txt": "Authorization: Basic \(encoded)\n"])
        _ = try work.keyvigil("scan", repository)
        #expect(try findings().map { $0["form"] as? String } == ["base64"])
        #expect(try work.keyvigil("findings").output.contains("… as base64 "))
        // What is remembered is shown as it was found.
        let again = try work.keyvigil("scan", repository, "--json").objects
        #expect(again.filter { $0["source"] as? String == "blob" }.map { $0["form"] as? String } == ["base64"])
    }

    @Test("the key's own page lists where its older prefixes still are")
    func stale() throws {
        let (_, repository) = try leak()
        _ = try work.keyvigil("scan", repository)
        #expect(try work.keyvigil("show", "billing").output.contains("\nseen\n"))
        _ = try work.keyvigil("rotate", "billing")
        let text = try work.keyvigil("show", "billing").output
        #expect(text.contains("\nstale: ") && !text.contains("\nseen\n") && text.contains("deploy.sh:1:14"))
        let object = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        let stale = try #require(object["stale"] as? [[String: Any]])
        #expect(stale.map { $0["path"] as? String } == ["deploy.sh"])
        #expect(stale.first?["secret_state"] as? String == "retired")
    }

    @Test("a file that is renamed stays one finding; one that leaves HEAD is reported to have left it")
    func renamed() throws {
        let (_, repository) = try leak()
        _ = try work.keyvigil("scan", repository)
        try work.git(repository, "-C", repository, "mv", "deploy.sh", "release.sh")
        try work.commit(repository, [:])
        _ = try work.keyvigil("scan", repository)
        var found = try findings()
        #expect(found.map { $0["path"] as? String } == ["release.sh"])
        #expect(found.first?["first_path"] as? String == "deploy.sh" && found.first?["in_head"] as? Bool == true)
        try work.git(repository, "-C", repository, "gc", "-q")
        _ = try work.keyvigil("scan", repository)
        #expect(try findings().count == 1)
        try work.commit(repository, ["release.sh": "export TOKEN=elsewhere\n"])
        _ = try work.keyvigil("scan", repository)
        found = try findings()
        #expect(found.count == 1 && found.first?["in_head"] as? Bool == false)
    }

    @Test("a file that is copied as it is, or a folder, is found at the next scan although nothing of it is read again")
    func copied() throws {
        let (_, repository) = try leak()
        _ = try work.keyvigil("scan", repository)
        let text = try String(contentsOfFile: repository + "/deploy.sh", encoding: .utf8)
        try work.commit(repository, ["deep/er/copy.sh": text, "other.txt": "nothing"])
        _ = try work.keyvigil("scan", repository)
        func paths() throws -> [String] {
            try findings().map { "\($0["path"] as? String ?? "") \($0["in_head"] as? Bool ?? false)" }.sorted()
        }
        #expect(try paths() == ["deep/er/copy.sh true", "deploy.sh true"])
        try work.git(repository, "-C", repository, "mv", "deploy.sh", "release.sh")
        try work.commit(repository, ["twice/er/copy.sh": text])
        _ = try work.keyvigil("scan", repository)
        let all = ["deep/er/copy.sh true", "release.sh true", "twice/er/copy.sh true"]
        #expect(try paths() == all)
        // The same as of one that reads everything, and nothing is reported twice.
        _ = try work.keyvigil("scan", repository, "--full")
        #expect(try paths() == all)
        let alerts = try work.keyvigil("alerts", "--json").objects.filter { $0["event"] as? String == "leak.confirmed" }
        #expect(alerts.count == 3)
        let commits = try findings().map { ($0["commit"] as? String)?.count }
        #expect(commits == [40, 40, 40] && alerts.allSatisfy { ($0["commit"] as? String)?.isEmpty == false })
        try work.git(repository, "-C", repository, "rm", "-r", "-q", "deep")
        try work.commit(repository, ["more.txt": "nothing"])
        _ = try work.keyvigil("scan", repository)
        #expect(try paths() == ["deep/er/copy.sh false", "release.sh true", "twice/er/copy.sh true"])
    }

    @Test("what is copied or moved as it is in another branch than HEAD's is found there, once, with its commit")
    func branches() throws {
        let (_, repository) = try leak("lib/deploy.sh")
        _ = try work.keyvigil("scan", repository)
        try work.git(repository, "-C", repository, "checkout", "-q", "-b", "side")
        try work.git(repository, "-C", repository, "mv", "lib", "vendor")
        try work.commit(repository, [:])
        try work.git(repository, "-C", repository, "checkout", "-q", "main")
        let all = try work.keyvigil("scan", repository, "--json").objects.filter { $0["source"] as? String == "blob" }
        #expect(all.map { $0["path"] as? String } == ["vendor/deploy.sh", "lib/deploy.sh"])
        for _ in 0..<2 {
            let found = try findings()
            #expect(found.count == 2)
            let copy = try #require(found.first { $0["path"] as? String == "vendor/deploy.sh" })
            #expect(copy["in_head"] as? Bool == false && copy["author"] as? String == "Dan <dan@example.org>")
            #expect((copy["commit"] as? String)?.count == 40 && copy["line"] as? Int == 1)
            try work.git(repository, "-C", repository, "gc", "-q")
            _ = try work.keyvigil("scan", repository, "--full")
        }
        // HEAD is there now, and what it had is left in the other branch.
        try work.git(repository, "-C", repository, "checkout", "-q", "side")
        _ = try work.keyvigil("scan", repository)
        let heads = try findings().map { "\($0["path"] as? String ?? "") \($0["in_head"] as? Bool ?? false)" }.sorted()
        #expect(heads == ["lib/deploy.sh false", "vendor/deploy.sh true"])
        let alerts = try work.keyvigil("alerts", "--json").objects.filter { $0["event"] as? String == "leak.confirmed" }
        #expect(alerts.count == 2)
    }

    @Test("the same leak in two repositories is reported in both, once each, whether it is in HEAD or not")
    func twoRepositories() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        for name in ["one", "two"] {
            let repository = try work.repository(name, ["\(name).txt": name, "deploy.env": "TOKEN=\(secret)\n"])
            try work.git(repository, "-C", repository, "rm", "-q", "deploy.env")
            try work.commit(repository, [:])
            let scan = try work.keyvigil("scan", repository, "--json")
            #expect(scan.status == 1 && scan.objects.map { $0["path"] as? String } == ["deploy.env"])
            #expect(scan.objects.first?["commit"] is String)
        }
        #expect(try work.keyvigil("scan", work.path("one"), work.path("two")).status == 1)
        #expect(try findings().map { $0["repository"] as? String } == [work.path("one"), work.path("two")])
    }

    @Test("what was found under one name of a place is reported under another: a linked worktree, a borrower, a folder")
    func otherNames() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let made = try work.repository("made", ["deploy.env": "TOKEN=\(secret)\n"])
        let one = work.path("many/one")
        try FileManager.default.createDirectory(atPath: work.path("many"), withIntermediateDirectories: false)
        try FileManager.default.moveItem(atPath: made, toPath: one)
        try work.git(one, "-C", one, "rm", "-q", "deploy.env")
        try work.git(one, "-C", one, "commit", "-q", "-m", "clean")
        let (linked, borrower) = (work.path("linked"), work.path("borrower.git"))
        try work.git(one, "-C", one, "worktree", "add", "-q", linked)
        try work.git(one, "clone", "-q", "--bare", "--shared", one, borrower)
        for _ in 0..<2 {
            for name in [one, linked, borrower, work.path("many")] {
                let scan = try work.keyvigil("scan", name, "--json")
                #expect(scan.status == 1 && scan.objects.map { $0["path"] as? String } == ["deploy.env"])
            }
        }
    }

    @Test("of repositories inside of a folder each has its own HEAD")
    func nested() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let folder = work.path("many")
        for name in ["one", "two"] {
            _ = try work.repository(name, ["\(name).txt": "\(name) \(secret)\n"])
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: work.path(name), toPath: "\(folder)/\(name)")
        }
        _ = try work.keyvigil("scan", folder)
        func heads() throws -> [String: Bool?] {
            Dictionary(
                try findings().filter { $0["source"] as? String == "blob" }.map {
                    ($0["path"] as? String ?? "", $0["in_head"] as? Bool)
                }, uniquingKeysWith: { $1 })
        }
        #expect(try heads() == ["one.txt": true, "two.txt": true])
        let two = "\(folder)/two"
        try work.write("clean", to: "many/two/two.txt")
        try work.git(two, "-C", two, "commit", "-q", "-a", "-m", "clean")
        _ = try work.keyvigil("scan", folder)
        #expect(try heads() == ["one.txt": true, "two.txt": false])
    }

    @Test("a file outside of git that is cleaned, or removed, is reported to hold nothing now")
    func cleaned() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        for name in ["a", "b", "c"] { try work.write(secret, to: "notes/\(name).txt") }
        _ = try work.keyvigil("scan", work.path("notes"))
        try work.write("clean", to: "notes/a.txt")
        try FileManager.default.removeItem(atPath: work.path("notes/b.txt"))
        _ = try work.keyvigil("scan", work.path("notes"))
        let found = try findings().map { "\($0["path"] as? String ?? "") \($0["in_head"] as? Bool ?? true)" }
        #expect(found.sorted() == ["a.txt false", "b.txt false", "c.txt true"])
        #expect(try work.keyvigil("findings", "show", "1").output.contains("still there"))
    }

    @Test("what git ignores is searched where the command, or a rule for the place, asks for it")
    func ignored() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let repository = try work.repository("shop", [".gitignore": "*.env\n"])
        try work.write(secret, to: "shop/local.env")
        #expect(try work.keyvigil("scan", repository).status == 0)
        #expect(try work.keyvigil("scan", repository, "--ignored").status == 1)
        try work.configure("[[scan.place]]\npath = \"\(repository)\"\nignored = true")
        #expect(try work.keyvigil("scan", repository).status == 1)
    }

    @Test("where leaks revoke, a leak ends the key at once")
    func revoking() throws {
        let (_, repository) = try leak()
        try work.configure("[[scan.place]]\npath = \"\(work.path("s*"))\"\non_leak = \"revoke\"")
        #expect(try work.keyvigil("scan", repository).status == 1)
        let key = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        #expect(key["status"] as? String == "revoked")
        let alerts = try work.keyvigil("alerts", "--json").output
        #expect(alerts.contains("revoked at once"))
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("where leaks revoke from now on, a leak that is known ends the key at the next scan")
    func revokingLater() throws {
        let (_, repository) = try leak()
        #expect(try work.keyvigil("scan", repository).status == 1)
        try work.configure("[scan]\non_leak = \"revoke\"")
        _ = try work.keyvigil("scan", repository)
        let key = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        #expect(key["status"] as? String == "revoked")
        #expect(try work.keyvigil("alerts", "--json").output.contains("the key was revoked now"))
        #expect(try findings().count == 1)
    }
}
