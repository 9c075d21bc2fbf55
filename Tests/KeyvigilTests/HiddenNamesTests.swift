import Foundation
import Testing

@testable import Keyvigil

/// A name may hold a secret: of a file, a folder, a branch, a tag, a remote, an author, a worktree, an entry of an archive, a
/// place. It is shown and stored without it, and found again as the same.
@Suite("Secrets in names")
struct HiddenNamesTests {
    let work: Workplace
    let secret: String
    let prefix: String

    init() throws {
        work = try Workplace()
        let made = try work.create("billing")
        secret = try #require(made["secret"] as? String)
        prefix = try #require(made["prefix"] as? String)
    }

    /// The secret as names hold it.
    var forms: [String] {
        [
            secret, Data(secret.utf8).base64EncodedString(),
            secret.utf8.map { String(format: "%02x", $0) }.joined(),
            prefix + secret.utf8.dropFirst(prefix.utf8.count).map { String(format: "%%%02X", $0) }.joined(),
            Data(secret.utf8.flatMap { [$0, 0] }).base64EncodedString(),
            secret.utf8.map { String($0) }.joined(separator: ","),
        ]
    }

    /// A repository with the secret in every name that there is.
    private func repository(_ name: String, in form: String) throws -> String {
        let root = try work.repository(
            name, ["token=\(form)": "x", "dir-\(form)/inner.txt": "k = \(secret)", "plain.txt": "k = \(secret)"])
        let archive = try work.run("/bin/tar", ["-C", root, "-cf", "\(root)/a.tar", "dir-\(form)", "token=\(form)"])
        try #require(archive.status == 0)
        try work.git(root, "-C", root, "add", "-A")
        for arguments in [
            ["branch", "b-\(form)"], ["tag", "t-\(form)"], ["remote", "add", "r-\(form)", "https://example.org"],
            ["update-ref", "refs/remotes/r-\(form)/main", "HEAD"],
            ["commit", "-q", "--allow-empty", "-m", "m \(secret)", "--author", "A \(form) <a@\(form).org>"],
            ["worktree", "add", "-q", "../wt-\(name)-\(form)"],
            ["notes", "--ref", "n-\(form)", "add", "-m", "n \(form)"],
            ["config", "remote.origin.url", "https://u:\(form)@example.org/x"],
            ["update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "1", count: 40)),sub-\(form)"],
            ["commit", "-q", "-m", "s"], ["stash", "push", "-q", "-m", "stash \(form)"],
        ] {
            let outcome = try work.run(
                "/usr/bin/git", ["-C", root] + arguments,
                environment: [
                    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
                    "GIT_COMMITTER_NAME": "C \(form)", "GIT_COMMITTER_EMAIL": "c@example.org",
                ])
            try #require(outcome.status == 0, "\(arguments[0])")
        }
        return root
    }

    private func expectNone(_ text: String, _ what: String) {
        for form in forms { #expect(!text.contains(form), "\(what)") }
    }

    private func storeFiles() -> String {
        ["keys.sqlite", "keys.sqlite-wal", "witness-of-keys.sqlite"].map { name in
            String(decoding: FileManager.default.contents(atPath: work.path(name)) ?? Data(), as: UTF8.self)
        }.joined()
    }

    @Test("nothing that is printed or stored holds it, and each finding is found again as the same", arguments: 0..<6)
    func names(_ number: Int) throws {
        let root = try repository("shop\(number)", in: forms[number])
        let first = try work.keyvigil("scan", root, "--json")
        #expect(first.status == 1 && first.objects.count > 5)
        expectNone(first.output + first.errors, "first scan")
        #expect(first.output.contains("\(prefix){hidden:"))
        for arguments in [["scan", root], ["scan", root, "--full", "--sarif"], ["scan", root, "--all-occurrences"]] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(outcome.status == 1)
            expectNone(outcome.output + outcome.errors, "\(arguments)")
        }
        let findings = try work.keyvigil("findings", "--all", "--json")
        expectNone(findings.output, "findings")
        let numbers = findings.objects.compactMap { $0["finding"] as? Int }
        let shown = try work.keyvigil("findings", "show", "\(try #require(numbers.first))")
        expectNone(shown.output, "findings show")
        for arguments in [
            ["alerts", "--from", "store", "--json"], ["alerts", "--from", "store"], ["incidents", "show", "1"],
            ["incidents", "show", "1", "--json"], ["report"], ["report", "--csv"], ["report", "--html", "-"],
            ["status"], ["doctor"],
            ["show", "billing"], ["audit"],
        ] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            expectNone(outcome.output + outcome.errors, "\(arguments)")
        }
        expectNone(storeFiles(), "the store")
        // No finding is new, and none is gone.
        #expect(try work.keyvigil("scan", root, "--full").errors.contains(", 0 new"))
        #expect(
            try work.keyvigil("findings", "--all", "--json").objects.compactMap { $0["finding"] as? Int } == numbers)
    }

    @Test("a place that is named by it is scanned, remembered and reported without it")
    func places() throws {
        let root = try work.repository("srv-\(secret)", ["a.txt": "k = \(secret)"])
        for _ in 0..<2 {
            let outcome = try work.keyvigil("scan", root, "--json")
            #expect(outcome.status == 1 && outcome.objects.count == 1)
            expectNone(outcome.output + outcome.errors, "scan")
        }
        let missing = try work.keyvigil("scan", root + "/gone-\(secret)")
        #expect(missing.status == 2)
        expectNone(missing.errors, "an error")
        try work.configure("[scan]\nrepositories = [\"\(work.path("srv-*"))\"]")
        let status = try work.keyvigil("status")
        expectNone(status.output + status.errors, "status")
        expectNone(storeFiles(), "the store")
        #expect(try work.keyvigil("findings", "--json").objects.count == 1)
    }

    /// A configuration that names it, and what is printed of that.
    @Test(
        "what is said of a configuration, right or wrong, holds no secret",
        arguments: [
            "repositories = [\"PATH/gone-SECRET\", \"PATH/none-SECRET/*.git\"]", "repositories = [\"gone/SECRET\"]",
            "SECRET = 1", "repositories = [\"\(String(repeating: "x", count: 70))/SECRET\"]",
            "on_leak = \"SECRET\"", "interval = \"SECRET\"", "[keys]\nbrand = \"SECRET\"",
            "[keys]\ndefault_expiry = \"\(String(repeating: "x", count: 30))SECRET\"",
        ])
    func configuration(_ settings: String) throws {
        for form in [secret, forms[2]] {
            try work.configure(
                "[scan]\n"
                    + settings.replacing("SECRET", with: form).replacing("PATH", with: work.path("")))
            for arguments in [
                ["check-config"], ["check-config", "--json"], ["status"], ["doctor"], ["scan"], ["list"],
            ] {
                let outcome = try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
                expectNone(outcome.output + outcome.errors, "\(arguments)")
                // Nor a part of it, where a long word was cut.
                let hidden = secret.dropFirst(prefix.count + 1).prefix(6)
                #expect(!(outcome.output + outcome.errors).contains(hidden), "\(arguments)")
            }
        }
    }

    @Test("a daemon that starts with such a configuration, or reads one again, says nothing of it in its entries")
    func daemon() throws {
        try work.configure("[scan]\nrepositories = [\"\(work.path("gone-\(secret)"))\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.failed")
        try work.configure("[scan]\nrepositories = [\"gone/\(secret)\"]")
        daemon.signal(SIGHUP)
        try daemon.wait(for: "config.rejected")
        daemon.signal(SIGUSR2)
        try daemon.wait(for: "daemon.status")
        #expect(daemon.stop() == 0)
        expectNone(daemon.output.joined(), "the entries")
        let refused = try work.run(try work.daemon(), ["--config", work.configuration, "--log", "terminal"])
        expectNone(refused.output + refused.errors, "a refused start")
        expectNone(storeFiles(), "the store")
    }

    /// What makes the store unreadable, and whether the service's entries are looked at, too.
    enum Unreadable: CaseIterable { case noPepper, otherPepper, damaged, otherStore }

    @Test(
        "nor does it where the store cannot be read, and it still says where the mistake is",
        arguments: Unreadable.allCases)
    func unreadable(_ kind: Unreadable) throws {
        let pepper = work.path("pepper")
        switch kind {
        case .noPepper: try FileManager.default.removeItem(atPath: pepper)
        case .otherPepper: try Data(repeating: 7, count: 32).write(to: URL(filePath: pepper))
        case .damaged: try Data("no store".utf8).write(to: URL(filePath: work.path("keys.sqlite")))
        case .otherStore: break
        }
        for (form, mistake) in [(secret, "setting"), (forms[1], "setting"), (forms[2], "place"), (forms[3], "setting")]
        {
            switch (kind, mistake) {
            // No one can tell which store this is about.
            case (.otherStore, _):
                try work.write("[store]\npath = \"/x\"\n\"\(form)\" = 1\n\"\(form)\" = 2\n", to: "keyvigil.toml")
            case (_, "setting"): try work.configure("[scan]\n\"\(form)\" = 1")
            default: try work.configure("[scan]\nrepositories = [\"\(work.path("gone-\(form)/x.git"))\"]")
            }
            for arguments in [["check-config"], ["check-config", "--json"], ["status"], ["doctor"], ["scan"]] {
                let outcome = try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
                expectNone(outcome.output + outcome.errors, "\(arguments)")
                guard arguments == ["check-config"] else { continue }
                // A long name of a setting is not quoted at all.
                if mistake == "place" || kind == .otherStore {
                    #expect((outcome.output + outcome.errors).contains(UncheckedText.mark), "\(outcome.errors)")
                }
                if mistake == "setting" || kind == .otherStore { #expect(outcome.errors.contains(".toml:4: ")) }
            }
            let refused = try work.run(try work.daemon(), ["--config", work.configuration, "--log", "terminal"])
            #expect(refused.status != 0)
            expectNone(refused.output + refused.errors, "a refused start")
        }
    }

    @Test("nor does a daemon whose store cannot be read any more, when it reads a configuration again")
    func unreadableMeanwhile() throws {
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        let outcome = try work.run(
            "/usr/bin/sqlite3",
            ["-cmd", ".timeout 60000", work.path("keys.sqlite"), "ALTER TABLE secrets RENAME TO gone"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        try work.configure("[scan]\nrepositories = [\"gone/\(secret)\"]")
        daemon.signal(SIGHUP)
        let line = try daemon.wait(for: "config.rejected")
        #expect(line.contains("scan.repositories") && line.contains(UncheckedText.mark), "\(line)")
        _ = daemon.stop()
        expectNone(daemon.output.joined(), "the entries")
    }

    @Test("a secret that is pasted where a name is meant is not recorded, and no error quotes it")
    func arguments() throws {
        let finding = try work.repository("shop", ["a": secret])
        _ = try work.keyvigil("scan", finding)
        for form in forms {
            for arguments in [
                ["show", form], ["revoke", form], ["rotate", form], ["delete", form], ["show", "x\(form)"], [form],
                ["create", form], ["create", "a", "--owner", form], ["create", "a", "--notes", "it is \(form)"],
                ["create", form, "--held", "--issuer", "external", "--prefix", "acme_1234"],
                ["rename", "billing", form], ["edit", "billing", "--owner", form],
                ["edit", "billing", "--notes", form],
                ["edit", "billing", "--expires", form], ["revoke", "billing", "--reason", form],
                ["incidents", "assign", "1", form], ["incidents", "note", "1", form], ["incidents", "show", form],
                ["incidents", "close", "1", "--reason", form], ["findings", "dismiss", "1", "--reason", form],
                ["findings", form], ["scan", "--\(form)"], ["alerts", "--since", form], ["import", "no-\(form)"],
                ["backup", work.path("no/\(form)")], ["restore", work.path("no/\(form)")],
            ] {
                let outcome = try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
                #expect(outcome.status == 2, "\(arguments[0])")
                expectNone(outcome.output + outcome.errors, "\(arguments[0]) \(arguments.count)")
            }
        }
        let pasted = try work.keyvigil("revoke", secret)
        #expect(pasted.errors.contains("holds a secret") && pasted.errors.contains("visible prefix"))
        expectNone(try work.keyvigil("audit", "--json").output, "the audit")
        expectNone(storeFiles(), "the store")
        #expect(try work.keyvigil("list", "--json").objects.count == 1)
    }

    @Test("a file that was moved out of such a name is followed, and one that is gone is reported as gone")
    func moves() throws {
        let root = try work.repository("shop", ["in-\(secret)/f.txt": "k = \(secret)"])
        _ = try work.keyvigil("scan", root)
        try work.git(root, "-C", root, "mv", "in-\(secret)/f.txt", "plain.txt")
        try work.git(root, "-C", root, "commit", "-q", "-m", "moved")
        let scan = try work.keyvigil("scan", root, "--json")
        expectNone(scan.output, "scan")
        let findings = try work.keyvigil("findings", "--json").objects.filter { $0["source"] as? String == "blob" }
        #expect(findings.map { $0["path"] as? String } == ["plain.txt"])
        #expect((findings.first?["first_path"] as? String)?.hasPrefix("in-\(prefix){hidden:") == true)
        try work.write("k = \(secret)", to: "files/x-\(secret)")
        _ = try work.keyvigil("scan", work.path("files"))
        try FileManager.default.removeItem(atPath: work.path("files/x-\(secret)"))
        try work.write("clean", to: "files/y")
        #expect(try work.keyvigil("scan", work.path("files"), "--json").status == 0)
    }
}
