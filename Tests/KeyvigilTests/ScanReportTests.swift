import Foundation
import Testing

/// What a scan says of each place: each thing once, with the right person, and in words that can be used.
@Suite("What a scan reports")
struct ScanReportTests {
    let work: Workplace
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
    }

    private func git(_ root: String, author: String = "Dan", _ arguments: String...) throws {
        let outcome = try work.run(
            "/usr/bin/git", ["-C", root] + arguments,
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "a@example.org",
                "GIT_COMMITTER_NAME": author, "GIT_COMMITTER_EMAIL": "a@example.org",
            ])
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("one line of a file is reported once, whatever git converts")
    func once() throws {
        for attributes in ["# none", "* text=auto", "*.txt filter=x", "* ident"] {
            let name = "shop\(attributes.utf8.reduce(0) { $0 &+ Int($1) })"
            let root = try work.repository(name, [".gitattributes": attributes, "a.txt": "\n\(secret)\n"])
            for _ in 0..<2 {
                let found = try work.keyvigil("scan", root, "--json").objects
                #expect(found.map { $0["source"] as? String } == ["blob"], "\(attributes)")
                #expect(found.first?["author"] as? String == "Dan <dan@example.org>")
            }
            // Another line of the changed file is another occurrence.
            try work.write("x\n\n\n\(secret)\n", to: "\(name)/a.txt")
            #expect(try work.keyvigil("scan", root, "--json").objects.count == 2, "\(attributes)")
        }
    }

    @Test("a path and a commit that are reported together belong together, each time")
    func pairs() throws {
        let root = try work.repository("shop", ["a.txt": "k = \(secret)"])
        try git(root, "mv", "a.txt", "z.txt")
        try git(root, author: "Bob", "commit", "-q", "-m", "moved")
        func reported() throws -> [String] {
            try work.keyvigil("scan", root, "--json").objects.map { object in
                "\(object["path"] as? String ?? "-") \((object["author"] as? String ?? "-").prefix(3))"
            }.sorted()
        }
        #expect(try reported() == ["a.txt Dan", "z.txt Bob"])
        #expect(try reported() == ["a.txt Dan", "z.txt Bob"])
        try git(root, "mv", "z.txt", "y.txt")
        try git(root, author: "Cat", "commit", "-q", "-m", "moved again")
        for _ in 0..<2 {
            let all = try reported()
            #expect(Set(all).isSubset(of: ["a.txt Dan", "z.txt Bob", "y.txt Cat"]) && all.contains("y.txt Cat"))
        }
        let finding = try #require(try work.keyvigil("findings", "--json").objects.first)
        #expect(finding["first_path"] as? String == "a.txt" && finding["path"] as? String == "y.txt")
        #expect((finding["first_author"] as? String)?.hasPrefix("Dan") == true)
    }

    /// Starts the history of a repository again, without what is in it, as those do who purge a secret.
    private func purge(_ root: String) throws {
        try git(root, "checkout", "-q", "--orphan", "purged")
        try git(root, "rm", "-q", "-f", "a.txt")
        try git(root, "commit", "-q", "--allow-empty", "-m", "purged")
        try git(root, "branch", "-q", "-D", "main")
        try git(root, "reflog", "expire", "--expire=now", "--all")
        try git(root, "gc", "-q", "--prune=now")
    }

    @Test("what was purged from a history is shown by no scan, and has leaked all the same")
    func purged() throws {
        try work.configure(issuersFolder)
        let token = UnregisteredTests.github.secret
        let root = try work.repository("shop", ["a.txt": "k = \(secret)\nt = \(token)\n"])
        #expect(try work.keyvigil("scan", root, "--json").objects.count == 2)
        try purge(root)
        for arguments in [["scan", root, "--json"], ["scan", "--full", root, "--json"]] {
            let again = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(again.status == 0 && again.output.isEmpty, "\(again)")
            #expect(
                again.errors.contains("1 earlier finding in objects that were purged") == !arguments.contains("--full"))
        }
        let findings = try work.keyvigil("findings", "--json").objects
        #expect(findings.map { $0["status"] as? String } == ["open"])
    }

    @Test("names that are no UTF-8 stay apart, and can be used")
    func bytes() throws {
        let folder = work.path("files")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["caf\\351", "caf\\350", "caf\\\\xE9"] {
            let outcome = try work.run(
                "/bin/sh", ["-c", "printf '%s' \"$2\" > \"$1/$(printf '\(name)')\"", "sh", folder, secret])
            #expect(outcome.status == 0)
        }
        for _ in 0..<2 {
            let found = try work.keyvigil("scan", folder, "--json").objects
            #expect(found.count == 3 && Set(found.compactMap { $0["path"] as? String }).count == 3)
            for object in found {
                let encoded = try #require(object["path_base64"] as? String)
                // As a program would open it.
                let opened = try work.run(
                    "/bin/sh", ["-c", "cat \"$1/$(printf '%s' \"$2\" | base64 -d)\"", "sh", folder, encoded])
                #expect(opened.output == secret)
            }
        }
    }

    @Test("of a folder of repositories each finding names its own")
    func nested() throws {
        for name in ["one", "two"] {
            try FileManager.default.createDirectory(
                atPath: work.path("all/\(name)"), withIntermediateDirectories: true)
            try git(work.path("all/\(name)"), "init", "-q", "-b", "main")
            try work.write("k = \(secret)", to: "all/\(name)/same.txt")
            try git(work.path("all/\(name)"), "add", "-A")
            try git(work.path("all/\(name)"), "commit", "-q", "-m", "leak")
        }
        for _ in 0..<2 {
            let found = try work.keyvigil("scan", work.path("all"), "--json").objects
            #expect(
                Set(found.map { "\($0["repository"] as? String ?? "") \($0["path"] as? String ?? "")" })
                    == Set(["one", "two"].map { "\(work.path("all"))/\($0) same.txt" }))
            #expect(found.count == 2)
        }
        #expect(try work.keyvigil("findings", "--json").objects.count == 2)
    }

    @Test("a path is resolved as the kernel does")
    func dots() throws {
        let made = try work.repository("shop", ["a.txt": "k = \(secret)"])
        try FileManager.default.createDirectory(atPath: work.path("deep"), withIntermediateDirectories: true)
        let root = work.path("deep/shop")
        try FileManager.default.moveItem(atPath: made, toPath: root)
        try FileManager.default.createSymbolicLink(
            atPath: work.path("link"), withDestinationPath: work.path("deep/shop"))
        let found = try work.keyvigil("scan", work.path("link") + "/../shop/.", "--json")
        #expect(found.status == 1 && found.objects.first?["repository"] as? String == root)
    }

    @Test("places that are missing, empty or match nothing are said, in check-config and in status")
    func places() throws {
        try FileManager.default.createDirectory(atPath: work.path("mount"), withIntermediateDirectories: true)
        try work.write("x", to: "file")
        let clean = try work.repository("clean.git", ["a": "a"])
        try work.configure(
            """
            [scan]
            repositories = ["\(work.path("none/*.git"))", "\(work.path("mount"))", "\(work.path("gone"))", "\(clean)"]
            """)
        let words = [
            "nothing matches the pattern \(work.path("none/*.git"))", "mount is empty",
            "there is nothing at \(work.path("gone"))",
        ]
        let check = try work.keyvigil("check-config")
        #expect(check.status == 0)
        for word in words { #expect(check.errors.contains(word), "\(word)") }
        let json = try #require(try work.keyvigil("check-config", "--json").objects.first)
        #expect((json["place_problems"] as? [Any])?.count == 3)
        let status = try work.keyvigil("status")
        // Nor does the service run.
        #expect(status.status == 2)
        for word in words { #expect(status.output.contains(word), "\(word)") }
        let scan = try work.keyvigil("scan")
        #expect(scan.status == 2)
        for word in words { #expect(scan.errors.contains(word), "\(word)") }
        try work.configure("[scan]\nrepositories = [\"\(clean)\"]")
        #expect(try work.keyvigil("scan").status == 0)
    }

    @Test("a hook that may not read the store goes by the list that was exported for hooks")
    func hookList() throws {
        let root = try work.repository("shop", ["a.txt": "a"])
        let list = work.path("hooks.list")
        let exported = try work.keyvigil("export-hook-list", list, "--json")
        #expect(exported.status == 0 && exported.objects.first?["secrets"] as? Int == 1)
        let text = try String(contentsOfFile: list, encoding: .utf8)
        #expect(!text.contains(secret) && !text.contains(secret.prefix(17)))
        // A developer's configuration names a store that is not there.
        try work.write("[store]\npath = \"\(work.path("nowhere/keys.sqlite"))\"\n", to: "developer.toml")
        func staged(_ options: String...) throws -> Workplace.Outcome {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["scan", "--staged", root, "--config", work.path("developer.toml")] + options)
        }
        let none = try staged()
        #expect(none.status == 2 && none.errors.contains("keyvigil export-hook-list"))
        #expect(try staged("--hook-list", list).status == 0)
        let encoded = Data(secret.utf8).base64EncodedString()
        for (content, status) in [
            ("k = \(secret)", Int32(1)), ("auth: \(encoded)", 1), (String(secret.dropLast()) + "?", 0),
            (String(secret.prefix(17)), 0),
        ] {
            try work.write(content, to: "shop/new-\(status).txt")
            try work.git(root, "-C", root, "add", "-A")
            let outcome = try staged("--hook-list", list, "--json")
            #expect(outcome.status == status, "\(outcome.errors)")
            #expect(!outcome.output.contains(secret))
            if status == 1 { #expect(outcome.objects.first?["path"] as? String == "new-1.txt") }
            try work.git(root, "-C", root, "rm", "-q", "-f", "new-\(status).txt")
        }
        try work.write("no list", to: "hooks.list")
        #expect(try staged("--hook-list", list).status == 2)
    }
}
