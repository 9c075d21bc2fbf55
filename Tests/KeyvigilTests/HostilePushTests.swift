import Foundation
import Testing

/// Pushes through the hook that refuses secrets: whoever pushes chooses everything that it reads.
@Suite("Hostile pushes through the pre-receive hook")
struct HostilePushTests {
    let work: Workplace
    let secret: String
    let server: String
    let clone: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
        server = work.path("shop.git")
        try work.git(server, "init", "-q", "--bare", "-b", "main", server)
        clone = try work.repository("shop", ["a": "a"])
        try work.git(clone, "-C", clone, "push", "-q", server, "HEAD:refs/heads/main", "HEAD:refs/heads/old")
        // The hook as it is shipped, which finds the program and its configuration in its environment.
        let hook = URL(filePath: #filePath).appending(path: "../../../config/hooks/pre-receive").standardized.path
        try FileManager.default.createSymbolicLink(
            atPath: "\(server)/hooks/pre-receive", withDestinationPath: hook)
    }

    /// Runs a script in the clone, with the hook's surroundings.
    private func push(_ script: String) throws -> Workplace.Outcome {
        try work.run(
            "/bin/sh", ["-ec", "cd '\(clone)'; \(script)"],
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Dan",
                "GIT_AUTHOR_EMAIL": "dan@example.org", "GIT_COMMITTER_NAME": "Dan",
                "GIT_COMMITTER_EMAIL": "dan@example.org", "SERVER": server, "SECRET": secret,
                "KEYVIGIL_CONFIG": work.configuration,
                "PATH": "\(Workplace.binaries.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
            ])
    }

    private func refs() throws -> String {
        try work.run("/usr/bin/git", ["-C", server, "for-each-ref", "--format=%(refname)"]).output
    }

    static let commit = "git commit -q --allow-empty -m m"
    static let pushed = "git push -q \"$SERVER\" HEAD:refs/heads/new"

    @Test(
        "a secret in anything that is pushed is refused, and no line of the answer has it",
        arguments: [
            "echo \"k = $SECRET\" > b; git add b; \(commit); \(pushed)",
            "echo x > \"$SECRET\"; git add .; \(commit); \(pushed)",
            "mkdir -p \"d-$SECRET/e\"; echo \"k = $SECRET\" > \"d-$SECRET/e/f\"; git add .; \(commit); \(pushed)",
            "\(commit); git push -q \"$SERVER\" HEAD:refs/heads/x-$SECRET",
            "\(commit); git push -q \"$SERVER\" HEAD:refs/tags/$SECRET",
            "git tag -a t -m \"see $SECRET\"; git push -q \"$SERVER\" t",
            "\(commit) -m \"see $SECRET\"; \(pushed)",
            "\(commit) --author \"A $SECRET <a@example.org>\"; \(pushed)",
            "GIT_COMMITTER_NAME=\"$SECRET\" \(commit); \(pushed)",
            "ln -s \"/x/$SECRET\" l; git add l; \(commit); \(pushed)",
            "echo \"k = $SECRET\" > \"e-$SECRET\"; tar -cf a.tar \"e-$SECRET\"; rm \"e-$SECRET\"; git add a.tar; \(commit); \(pushed)",
            "printf '[submodule \"m\"]\\n\\tpath = m\\n\\turl = https://u:%s@example.org/m\\n' \"$SECRET\" > .gitmodules; "
                + "git add .; \(commit); \(pushed)",
            "printf %s \"$SECRET\" | base64 -w0 > b; git add b; \(commit); \(pushed)",
            "echo \"k = $SECRET\" | git hash-object -w --stdin | xargs -I{} git push -q \"$SERVER\" {}:refs/tags/blob",
        ])
    func refused(_ script: String) throws {
        let before = try refs()
        let outcome = try push(script)
        #expect(outcome.status != 0 && outcome.errors.contains("pre-receive hook declined"), "\(outcome.errors)")
        #expect(try refs() == before)
        let forms = [secret, Data(secret.utf8).base64EncodedString()]
        // What git itself says of the refs is not the hook's.
        let own = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("remote:") }.joined(separator: "\n")
        #expect(!own.isEmpty && !forms.contains { (own + outcome.output).contains($0) })
    }

    @Test(
        "what is odd, large or damaged elsewhere, and holds no secret, is accepted",
        arguments: [
            "git push -q \"$SERVER\" :refs/heads/old",
            "git push -q --force \"$SERVER\" \"$(git commit-tree -m other 'HEAD^{tree}')\":refs/heads/old",
            "for i in $(seq 300); do git update-ref \"refs/heads/$(printf '\\342\\200\\256')$i'\\$(id)\" HEAD; done; "
                + "git push -q \"$SERVER\" 'refs/*:refs/x/*'",
            "git push -q \"$SERVER\" \"$(echo blob | git hash-object -w --stdin)\":refs/tags/blob",
            "git push -q \"$SERVER\" 'HEAD^{tree}':refs/tags/tree",
            "git tag -a t -m t; git tag -a tt t -m tt; git push -q \"$SERVER\" tt",
            "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub; \(commit); \(pushed)",
            "ln -s l l; ln -s ../../../../etc/passwd m; git add .; \(commit); \(pushed)",
            "echo x > \"$(printf 'a\\033[2J\\nremote: ok\\377')\"; git add .; \(commit); \(pushed)",
            // Trees of trees of one blob: 10^8 files.
            "t=$(printf '100644 blob %s\\tf\\n' $(echo x | git hash-object -w --stdin) | git mktree); "
                + "for level in 1 2 3 4 5 6 7 8; do t=$(for i in 0 1 2 3 4 5 6 7 8 9; do "
                + "printf '040000 tree %s\\td%s\\n' $t $i; done | git mktree); done; "
                + "git push -q \"$SERVER\" $(git commit-tree -m bomb $t):refs/heads/bomb",
            "printf '\\037\\213\\010garbage' > a.gz; printf 'PK\\003\\004garbage' > a.zip; git add .; \(commit); \(pushed)",
            "git checkout -q --orphan other; \(commit); \(pushed)",
        ])
    func accepted(_ script: String) throws {
        let before = try refs()
        let outcome = try push(script)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try refs() != before || script.contains("--force"))
        #expect(!outcome.errors.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" }, "\(outcome.errors)")
    }

    @Test("a ref whose objects are not here, or not all of them, was not searched, and is refused")
    func missingObjects() throws {
        func hook(_ script: String) throws -> Workplace.Outcome {
            try push(
                "cd \"$SERVER\"; id=$(\(script)); printf '%040d %s refs/heads/x\\n' 0 $id | keyvigil scan --pre-receive"
            )
        }
        let blob = String(repeating: "12345678", count: 5)
        let tree = "printf '100644 blob \(blob)\\tf\\n' | git mktree --missing"
        for script in ["echo \(blob)", "git commit-tree -m m $(\(tree))", tree] {
            let outcome = try hook(script)
            #expect(
                outcome.status == 2 && outcome.errors.contains("\(blob): it belongs to the push, and is not here"),
                "\(outcome)")
        }
        // Git has this one without a file.
        let empty = try hook("git commit-tree -m m 4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        #expect(empty.status == 0, "\(empty)")
    }
}
