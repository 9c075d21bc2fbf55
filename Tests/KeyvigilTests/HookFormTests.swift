import Foundation
import Testing

/// Hooks refuse secrets of known forms that belong to no key, through git. Every secret is put together while the test runs.
@Suite("Unregistered secrets in hooks")
struct HookFormTests {
    /// What a hook knows the keys by.
    enum Source: String, CaseIterable {
        case store, list
    }

    let work: Workplace
    let shop: String
    let server: String
    let secret = UnregisteredTests.github.secret

    init() throws {
        work = try Workplace(issuersFolder)
        _ = try work.create("billing")
        shop = try work.repository("shop", ["a.txt": "a"])
        server = work.path("shop.git")
        try work.git(server, "init", "-q", "--bare", "-b", "main", server)
        for (name, repository) in [("pre-commit", "\(shop)/.git"), ("pre-receive", server)] {
            let hook = URL(filePath: #filePath).appending(path: "../../../config/hooks/\(name)").standardized.path
            try? FileManager.default.removeItem(atPath: "\(repository)/hooks/\(name)")
            try FileManager.default.createSymbolicLink(
                atPath: "\(repository)/hooks/\(name)", withDestinationPath: hook)
        }
    }

    /// Runs git in the clone, with hooks that know the keys by `source`.
    private func git(_ arguments: String..., by source: Source) throws -> Workplace.Outcome {
        let list = work.path("hooks.list")
        if source == .list {
            // Who commits has another configuration, in which no store can be read.
            try work.write("[store]\npath = \"\(work.path("nowhere/keys.sqlite"))\"\n", to: "developer.toml")
            #expect(try work.keyvigil("export-hook-list", list).status == 0)
            let text = try String(contentsOfFile: list, encoding: .utf8)
            #expect(text.hasPrefix("keyvigil-hook-list ") && !text.contains(secret.suffix(12)))
            for (hook, repository) in [("staged", "\(shop)/.git"), ("pre-receive", server)] {
                let file = "\(repository)/hooks/\(hook == "staged" ? "pre-commit" : hook)"
                try? FileManager.default.removeItem(atPath: file)
                try "#!/bin/sh\nexec keyvigil scan --\(hook) --hook-list '\(list)'\n"
                    .write(toFile: file, atomically: false, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            }
        }
        return try work.run(
            "/usr/bin/git", ["-C", shop] + arguments,
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Dan",
                "GIT_AUTHOR_EMAIL": "dan@example.org", "GIT_COMMITTER_NAME": "Dan",
                "GIT_COMMITTER_EMAIL": "dan@example.org",
                "KEYVIGIL_CONFIG": source == .store ? work.configuration : work.path("developer.toml"),
                "PATH": "\(Workplace.binaries.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
            ])
    }

    private func stage(_ text: String) throws {
        try work.write(text, to: "shop/new.txt")
        try work.git(shop, "-C", shop, "add", "-A")
    }

    @Test("a commit and a push that hold one are refused, and the answer names the issuer", arguments: Source.allCases)
    func refused(_ source: Source) throws {
        try stage("token = \(secret)\n")
        let commit = try git("commit", "-q", "-m", "new", by: source)
        #expect(commit.status == 1)
        let said = commit.output + commit.errors
        #expect(said.contains("unregistered secret \(UnregisteredTests.github.prefix)… (GitHub)"), "\(said)")
        // A list that was exported does not know what was made since.
        let whose =
            source == .store
            ? "that belong to no key" : "that are not in the list of the store's secrets: of no key, or newer"
        #expect(said.contains("the commit holds 1 secret(s) of known forms \(whose)"), "\(said)")
        #expect(said.contains("unregistered = false in a [[scan.place]]"), "\(said)")
        #expect(!said.contains(secret.suffix(12)))
        #expect(try git("commit", "-q", "--no-verify", "-m", "new", by: source).status == 0)
        let push = try git("push", "-q", server, "HEAD:refs/heads/main", by: source)
        #expect(push.status == 1, "\(push)")
        #expect(push.errors.contains("the push holds 1 secret(s) of known forms \(whose)"), "\(push.errors)")
        #expect(!push.errors.contains(secret.suffix(12)))
        #expect(try work.keyvigil("findings", "--json").objects.isEmpty)
    }

    @Test("one whose key is recorded is refused as the key's", arguments: Source.allCases)
    func registered(_ source: Source) throws {
        let line = #"{"name":"deploy","issuer":"github","secret":"\#(secret)","owner":"ana"}"#
        #expect(try work.keyvigil("import", input: line + "\n").status == 0)
        try stage("token = \(secret)\n")
        let commit = try git("commit", "-q", "-m", "new", by: source)
        let said = commit.output + commit.errors
        #expect(
            commit.status == 1 && said.contains("secret(s) of known keys") && !said.contains("known forms"), "\(said)")
    }

    @Test("what only looks like one, and one that was dismissed, are accepted", arguments: Source.allCases)
    func accepted(_ source: Source) throws {
        try stage("token = \(UnregisteredTests.github.wrong)\n")
        #expect(try git("commit", "-q", "-m", "wrong", by: source).status == 0)
        let other = try work.repository("other", ["a.txt": "t=\(secret)\n"])
        _ = try work.keyvigil("scan", other)
        #expect(try work.keyvigil("findings", "dismiss", "U1", "--reason", "an example").status == 0)
        try stage("token = \(secret)\n")
        let commit = try git("commit", "-q", "-m", "new", by: source)
        #expect(commit.status == 0, "\(commit)")
        #expect(try git("push", "-q", server, "HEAD:refs/heads/main", by: source).status == 0)
    }

    @Test("the configuration says where they are refused", arguments: Source.allCases)
    func configured(_ source: Source) throws {
        for (settings, status) in [
            ("[scan]\nunregistered = false", Int32(0)),
            ("[scan]\nunregistered = false\n[hooks]\nunregistered = true", 1),
            ("[hooks]\nunregistered = false", 0),
            ("[[scan.place]]\npath = \"\(shop)\"\nunregistered = false", 0),
            ("[[scan.place]]\npath = \"\(server)\"\nunregistered = false", 1),
            ("[scan]\nunregistered = false\n[[scan.place]]\npath = \"\(work.path("sh*"))\"\nunregistered = true", 1),
        ] {
            try work.configure("\(issuersFolder)\n\(settings)")
            try stage("token = \(secret)\n")
            let commit = try git("commit", "-q", "-m", "new", by: source)
            #expect(commit.status == status, "\(settings): \(commit)")
            if commit.status == 0 { try work.git(shop, "-C", shop, "reset", "-q", "--hard", "HEAD^") }
        }
    }

    @Test("lists of earlier versions are read; one that is damaged is refused, with the line")
    func versions() throws {
        try stage("token = \(secret)\n")
        let list = work.path("hooks.list")
        #expect(try work.keyvigil("export-hook-list", list).status == 0)
        let lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
        func staged(_ lines: [String]) throws -> Workplace.Outcome {
            try work.write(lines.joined(separator: "\n") + "\n", to: "hooks.list")
            try work.write("[store]\npath = \"\(work.path("nowhere/keys.sqlite"))\"\n", to: "developer.toml")
            return try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["scan", "--staged", shop, "--config", work.path("developer.toml"), "--hook-list", list])
        }
        #expect(try staged(lines).status == 1)
        let first = lines.filter { line in ["key ", "start ", "secret "].contains { line.hasPrefix($0) } }
        for version in 1...2 { #expect(try staged(["keyvigil-hook-list \(version)"] + first).status == 0) }
        #expect(try staged(["keyvigil-hook-list 2"] + lines.dropFirst()).status == 2)
        let form = try #require(lines.firstIndex { $0.hasPrefix("form ") })
        for damaged in ["form 6b 6b 9,1 8 none", "form - 6b 1,9 8 crc64", "place 2f maybe", "issuer zz 6b"] {
            var text = lines
            text[form] = damaged
            let outcome = try staged(text)
            #expect(outcome.status == 2 && outcome.errors.contains("line \(form + 1) is not understood"), "\(damaged)")
        }
    }
}
