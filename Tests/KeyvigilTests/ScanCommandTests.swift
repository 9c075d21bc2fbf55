import Foundation
import Glibc
import Testing

@Suite("The tool's scan as a person uses it")
struct ScanCommandTests {
    let work: Workplace
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
    }

    /// Runs the tool in a folder.
    func run(in folder: String, _ arguments: String...) throws -> Workplace.Outcome {
        try work.run(
            "/bin/sh",
            [
                "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder,
                Workplace.binaries.appending(path: "keyvigil").path,
            ] + arguments + ["--config", work.configuration])
    }

    @Test("a secret in the name of a staged submodule is found")
    func stagedSubmodule() throws {
        let repository = try work.repository("shop", ["a.txt": "nothing\n"])
        let commit = String(repeating: "ab", count: 20)
        try work.git(repository, "-C", repository, "update-index", "--add", "--cacheinfo", "160000,\(commit),lib/plain")
        #expect(try work.keyvigil("scan", "--staged", repository).status == 0)
        try work.git(
            repository, "-C", repository, "update-index", "--add", "--cacheinfo", "160000,\(commit),lib/\(secret)")
        #expect(try work.keyvigil("scan", "--staged", repository).status == 1)
        // What is committed was looked at then.
        try work.git(repository, "-C", repository, "commit", "-q", "-m", "a module")
        #expect(try work.keyvigil("scan", "--staged", repository).status == 0)
    }

    @Test("where the working directory no longer exists, nothing else is searched for it")
    func goneFolder() throws {
        let outcome = try work.run(
            "/bin/sh",
            [
                "-c", "mkdir \"$1\" && cd \"$1\" && rmdir \"$1\" && exec \"$2\" scan nothing --config \"$3\"", "sh",
                work.path("gone"), Workplace.binaries.appending(path: "keyvigil").path, work.configuration,
            ])
        #expect(outcome.status == 2 && outcome.errors.contains("the current directory, which no longer exists"))
    }

    @Test("what is staged is found from any folder of the working tree, and reported by the tree's own path")
    func staged() throws {
        let repository = try work.repository("shop", ["deep/er/a.txt": "a"])
        try work.write("TOKEN=\(secret)", to: "shop/deep/b.env")
        try work.git(repository, "-C", repository, "add", ".")
        for folder in ["", "/deep", "/deep/er"] {
            let outcome = try run(in: repository + folder, "scan", "--staged", "--json")
            #expect(outcome.status == 1)
            #expect(outcome.objects.map { $0["path"] as? String } == ["deep/b.env"])
            #expect(outcome.objects.first?["repository"] as? String == repository)
        }
        let given = try run(in: "/", "scan", "--staged", repository, "--json")
        #expect(given.objects.map { $0["repository"] as? String } == [repository])
    }

    @Test("an error of a hook's scan says what to do")
    func hints() throws {
        let nowhere = try run(in: "/proc", "scan", "--staged")
        #expect(nowhere.status == 2)
        #expect(nowhere.errors.hasPrefix("keyvigil: error: there is no git repository at /proc\nhint: run it in a"))
        #if DEBUG
        #expect(nowhere.errors.contains("\nat: LeakScan/LeakScanError.swift:"))
        #endif
        let repository = try work.repository("shop", ["a.txt": "a"])
        try work.write("no index", to: "shop/.git/index")
        let damaged = try run(in: repository, "scan", "--staged")
        #expect(damaged.status == 2 && damaged.errors.contains("hint: write it again: git update-index"))
    }

    @Test("notes name what they are about, and say the same of several things once")
    func notes() throws {
        let repository = try work.repository("shop", ["a.txt": "a"])
        try work.commit(repository, ["b.txt": "b"])
        try work.git(repository, "clone", "-q", "--depth=1", "file://\(repository)", work.path("place/inner"))
        let pipes = ["one", "two", "three"].map { work.path("place/\($0)") }
        try #require(try work.run("/usr/bin/mkfifo", pipes).status == 0)
        let scan = try work.keyvigil("scan", work.path("place"))
        let notes = scan.errors.split(separator: "\n").filter { $0.hasPrefix("keyvigil: note: ") }
        #expect(scan.status == 0 && notes.count == 2, "\(scan.errors)")
        #expect(
            notes.contains(
                "keyvigil: note: \(work.path("place/inner")): it is a shallow clone: older history is not here"))
        #expect(notes.contains { $0.contains("place/") && $0.contains(" and 2 more: it is a device") }, "\(notes)")
    }

    @Test("a scan that ends a secret says so: an overlap, or a key by on_leak", arguments: ["alert", "revoke"])
    func ended(_ answer: String) throws {
        if answer == "revoke" {
            try work.configure("[scan]\non_leak = \"revoke\"")
        } else {
            try #require(try work.keyvigil("rotate", "billing", "--overlap", "1d").status == 0)
        }
        #expect(try work.keyvigil("verify", input: secret).status == 0)
        try work.write("TOKEN=\(secret)\n", to: "place/env")
        for count in 0..<2 {
            let scan = try work.keyvigil("scan", work.path("place"))
            #expect(scan.status == 1, "\(scan.errors)")
            let notes = scan.errors.split(separator: "\n").filter { $0.contains("of 'billing' is refused from now on") }
            #expect(notes.count == (count == 0 ? 1 : 0), "\(scan.errors)")
            #expect(
                notes.allSatisfy {
                    $0.contains(answer == "alert" ? "the overlap of its rotation was ended" : "the key was revoked")
                })
        }
        #expect(try work.keyvigil("verify", input: secret).status == 1)
    }

    @Test("a place that is given twice is searched once; what is no place is said, and not counted")
    func places() throws {
        let repository = try work.repository("shop", ["a.txt": secret])
        let twice = try work.keyvigil("scan", repository, repository + "/", "--json")
        #expect(twice.status == 1 && twice.objects.count == 1)
        let missing = try work.keyvigil("scan", work.path("nothing"))
        #expect(missing.status == 2)
        #expect(
            missing.errors.hasPrefix("keyvigil: error: \(work.path("nothing")) was not searched: there is nothing at"))
        #expect(!missing.errors.contains("0 objects"))
        let pipe = work.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        let special = try work.keyvigil("scan", pipe)
        #expect(special.status == 2 && special.errors.contains("hint: devices, pipes and sockets are not read"))
    }

    @Test("what comes through a pipe is read to its end, and not remembered")
    func pipes() throws {
        let text = String(repeating: "a line\n", count: 400_000) + "token=\(secret)"
        let scan = try work.keyvigil("scan", "-", input: text)
        #expect(scan.status == 1 && scan.output.contains("stdin:400001:7"), "\(scan.output) \(scan.errors)")
        #expect(scan.errors.contains("2.8 MB searched"), "\(scan.errors)")
        let shell = try work.run(
            "/bin/sh",
            [
                "-c", "gzip | base64 | \"$0\" scan /dev/stdin --json --config \"$1\"",
                Workplace.binaries.appending(path: "keyvigil").path, work.configuration,
            ], input: text)
        #expect(shell.status == 1 && shell.output.contains("confirmed"), "\(shell.errors)")
        #expect(try work.keyvigil("scan", "-", input: "nothing").status == 0)
        #expect(try work.keyvigil("findings", "--json").output.isEmpty)
        let two = try work.keyvigil("scan", "-", work.path("a"), input: "nothing")
        #expect(two.status == 2 && two.errors.contains("is scanned alone"))
    }

    @Test("each thing that could not be read is named, up to a number")
    func problems() throws {
        let repository = try work.repository("shop", ["a.txt": secret])
        for number in 0..<25 {
            // No zlib stream, so it is damaged for root as well.
            try work.write("damaged", to: "shop/.git/objects/ab/\(String(repeating: "0", count: 36))\(number + 10)")
        }
        let scan = try work.keyvigil("scan", repository)
        #expect(scan.status == 2)
        #expect(scan.errors.contains("(and 24 more)") && scan.errors.contains("\n  and 4 more\n"))
        #expect(scan.errors.split(separator: "\n").filter { $0.hasPrefix("  ab000") }.count == 20)
    }

    @Test(
        "what another version has searched in another way is searched once more, for forms of secrets and without them")
    func otherSearch() throws {
        let repository = try work.repository("shop", ["a.txt": "a"])
        func isReadAgain() throws -> Bool {
            let scan = try work.keyvigil("scan", repository)
            #expect(scan.status == 0 && scan.errors.contains(" objects, "))
            return !scan.errors.contains(" 0 objects, ")
        }
        #expect(try isReadAgain() && !isReadAgain())
        for forms in [true, false] {
            // Without forms there is less to search for.
            try work.configure("[scan]\nunregistered = \(forms)")
            #expect(try !isReadAgain())
            let changed = try work.run(
                "/usr/bin/sqlite3",
                [work.path("keys.sqlite"), "UPDATE secret_forms SET forms = 'before ' || number || forms"])
            #expect(changed.status == 0)
            #expect(try isReadAgain() && !isReadAgain())
        }
    }
}
