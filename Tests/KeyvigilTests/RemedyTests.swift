import Foundation
import Testing

/// What is proposed for a key can be done as it is written, under the rules of the same configuration.
@Suite("Remedies")
struct RemedyTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private static let policy = "[policy]\nlongest_lifetime = \"30d\"\nlongest_overlap = \"1h\"\n"

    private func flags(_ name: String) throws -> [String] {
        try #require(try work.keyvigil("show", name, "--json").objects.first?["hygiene"] as? [String])
    }

    private func run(_ arguments: [String]) throws -> Workplace.Outcome {
        try work.run(
            Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
    }

    /// Asks until a time that was given has come. The deadline only ends a test that has failed.
    private func waitForFlag(_ flag: String) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !flags("billing").contains(flag) {
            try #require(ContinuousClock.now < deadline, "\(flag) did not come")
        }
    }

    /// The commands that change a key in what is shown of it.
    private func commands(_ name: String) throws -> [[String]] {
        let shown = try work.keyvigil("show", name).output
        return shown.matches(of: #/keyvigil ((?:edit|rotate) key_\w+(?: --[a-z-]+(?: [0-9a-z][^ ,;\n]*)?)*)/#).map {
            $0.output.1.split(separator: " ").map(String.init)
        }
    }

    @Test(
        "each flag about a date ends when its remedy is run, or the secret is replaced",
        arguments: [
            (["--expires", "3d"], [], "expiring"), (["--expires", "90d"], [], "lifetime_too_long"),
            (["--expires", "never"], [], "lifetime_too_long"),
            (["--expires", "20d"], ["--overlap", "24h"], "overlap_too_long"),
            (["--expires", "20d", "--rotate-every", "1s"], [], "rotation_overdue"),
        ] as [([String], [String], String)])
    func dates(_ creation: [String], _ rotation: [String], _ flag: String) throws {
        try work.configure("[rotation]\noverdue_after = \"1s\"\n")
        _ = try run(["create", "billing", "--owner", "ana", "--permission", "read"] + creation)
        if !rotation.isEmpty { #expect(try run(["rotate", "billing"] + rotation).status == 0) }
        try work.configure("[rotation]\noverdue_after = \"1s\"\n" + Self.policy)
        if flag == "rotation_overdue" { try waitForFlag(flag) }
        #expect(try flags("billing").contains(flag))
        let commands = try commands("billing")
        #expect(!commands.isEmpty)
        for command in commands {
            let done = try run(command)
            #expect(done.status == 0, "\(command) \(done.errors)")
        }
        // A notice of an expiry may come a month before it.
        if !["rotation_overdue", "expiring"].contains(flag) {
            #expect(try !flags("billing").contains(flag), "\(commands)")
        }
    }

    @Test("a key that has expired gets a new secret with an expiry that the policy allows")
    func expired() throws {
        try work.configure(Self.policy)
        _ = try work.create("billing", "--owner", "ana", "--expires", "1s")
        try waitForFlag("expired")
        let refused = try work.keyvigil("rotate", "billing")
        #expect(refused.status == 2 && refused.errors.contains("--expires 30d"), "\(refused.errors)")
        let command = try #require(try commands("billing").first)
        #expect(try run(command).status == 0, "\(command)")
        #expect(try !flags("billing").contains("expired"))
    }

    @Test("the name of a revoked key is free when the command that is proposed has run")
    func revokedName() throws {
        let id = try #require(try work.create("billing")["id"] as? String)
        #expect(try work.keyvigil("revoke", "billing").status == 0)
        let taken = try work.keyvigil("create", "billing")
        #expect(taken.status == 2 && taken.errors.contains("keyvigil delete \(id)"), "\(taken.errors)")
        let rotated = try work.keyvigil("rotate", "billing")
        #expect(rotated.status == 2 && rotated.errors.contains("keyvigil delete \(id)"), "\(rotated.errors)")
        #expect(try work.keyvigil("delete", id, "--yes").status == 0)
        _ = try work.create("billing")
    }

    @Test("a secret of an overlap is said to be valid no longer than its key")
    func overlapOfRevoked() throws {
        _ = try work.create("billing")
        #expect(try work.keyvigil("rotate", "billing", "--overlap", "1h").status == 0)
        #expect(try work.keyvigil("show", "billing", "--json").objects.first?["old_secret_valid_until"] is String)
        let revoked = try work.keyvigil("revoke", "billing", "--json").objects.first
        #expect(revoked?["old_secret_valid_until"] is NSNull)
        #expect(try !work.keyvigil("show", "billing").output.contains("old secret"))
    }

    @Test("an old secret that has leaked has no overlap, however its key has come to be valid again")
    func leakedOverlap() throws {
        // It is found in a file that is no longer an expected place.
        let first = try #require(try work.create("billing", "--owner", "ana")["secret"] as? String)
        try work.write("k = \(first)\n", to: "srv/env")
        #expect(try work.keyvigil("expect", "billing", work.path("srv/env")).status == 0)
        #expect(try work.keyvigil("scan", work.path("srv")).status == 0)
        #expect(try work.keyvigil("rotate", "billing", "--overlap", "1h").status == 0)
        #expect(try work.keyvigil("verify", input: first).status == 0)
        #expect(try work.keyvigil("expect", "billing", work.path("srv/env"), "--remove").status == 0)
        #expect(try work.keyvigil("verify", input: first).status == 1)
        let alerts = try work.keyvigil("alerts", "--json").objects.compactMap { $0["event"] as? String }
        #expect(alerts.filter { $0.hasPrefix("leak.") } == ["leak.confirmed", "leak.resolved"], "\(alerts)")
        // It was found while the key had expired.
        let second = try #require(try work.create("shop", "--owner", "ana")["secret"] as? String)
        #expect(try work.keyvigil("rotate", "shop", "--overlap", "1h").status == 0)
        #expect(try work.keyvigil("edit", "shop", "--expires", "1s").status == 0)
        let deadline = ContinuousClock.now + .seconds(60)
        while try work.keyvigil("show", "shop", "--json").objects.first?["status"] as? String != "expired" {
            try #require(ContinuousClock.now < deadline, "it did not expire")
        }
        try work.write("k = \(second)\n", to: "other/env")
        _ = try work.keyvigil("scan", work.path("other"))
        #expect(try work.keyvigil("edit", "shop", "--expires", "30d").status == 0)
        #expect(try work.keyvigil("verify", input: second).status == 1)
        #expect(try work.keyvigil("incidents", "--open").errors.contains("no open incidents"))
    }

    @Test("a key is found by its visible prefix as it is shown, with an ellipsis")
    func ellipsis() throws {
        let prefix = try #require(try work.create("billing")["prefix"] as? String)
        for end in ["…", "...", ""] {
            let shown = try work.keyvigil("show", prefix + end)
            #expect(shown.status == 0 && shown.output.contains("billing"), "\(shown.errors)")
        }
        let unknown = try work.keyvigil("show", "kv_live_" + "ZZZZZZZZ_…")
        #expect(unknown.status == 2 && unknown.errors.contains("there is no key"), "\(unknown.errors)")
        #expect(!unknown.errors.contains("holds a secret"))
    }

    @Test("init leaves what the configuration has set, and says of another configuration that it is one")
    func initialise() throws {
        try work.configure(
            "[keys]\ndefault_expiry = \"30d\"\n[scan]\nfolders = [\"\(work.path("srv"))\"]\non_leak = \"revoke\"\n")
        try work.write("x\n", to: "srv/x")
        let folder = URL(filePath: work.configuration).deletingLastPathComponent().path
        let made = try work.keyvigil("init", "--yes", "--no-start", "--no-decoy", "--repository", "-")
        #expect(made.status == 0, "\(made.errors)")
        let site = try String(contentsOfFile: folder + "/conf.d/site.toml", encoding: .utf8)
        for name in ["folders", "on_leak", "default_expiry"] { #expect(!site.contains(name), "\(site)") }
        let key = try work.create("billing")
        #expect(try #require(key["expires_at"] as? String) < Date.now.addingTimeInterval(31 * 86400).ISO8601Format())
        let again = try work.keyvigil("init", "--yes", "--no-start", "--no-decoy")
        #expect(again.errors.contains("keyvigil init --replace --config "), "\(again.errors)")
        let replaced = try work.keyvigil(
            "init", "--yes", "--no-start", "--no-decoy", "--repository", "-", "--replace", "--on-leak", "alert")
        #expect(replaced.status == 0)
        let other = try String(contentsOfFile: folder + "/conf.d/site.toml", encoding: .utf8)
        #expect(other.contains("on_leak = \"alert\"") && !other.contains("folders"), "\(other)")
        // What is written where no configuration is can be used.
        func run(_ arguments: [String]) throws -> Workplace.Outcome {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                arguments + ["--config", work.path("missing/other.toml")])
        }
        let first = try run(["init", "--yes", "--no-start", "--no-decoy", "--repository", "-"])
        #expect(first.status == 0, "\(first.errors)")
        let checked = try run(["check-config"])
        #expect(checked.status == 0, "\(checked.errors)")
    }

    @Test("defaults are no longer than the policy allows, and a leaked key can be rotated as its alert says")
    func boundedDefaults() throws {
        try work.configure("[keys]\noverlap = \"24h\"\n" + Self.policy)
        let key = try work.create("billing", "--owner", "ana")
        #expect(try #require(key["expires_at"] as? String) < Date.now.addingTimeInterval(31 * 86400).ISO8601Format())
        let rotated = try work.keyvigil("rotate", "billing")
        #expect(rotated.status == 0 && rotated.output.contains("The old secret is valid until"), "\(rotated)")
        try work.configure("[keys]\ndefault_expiry = \"0d\"\n")
        let refused = try work.keyvigil("check-config")
        #expect(refused.status == 2 && refused.errors.contains("'keys.default_expiry'"), "\(refused.errors)")
    }

    @Test(
        "an expected file that has a secret whose overlap is cut short is named; also where it is scanned only later",
        arguments: ["leak", "command", "later"])
    func leftInPlace(_ way: String) throws {
        let secret = try #require(try work.create("billing", "--owner", "ana")["secret"] as? String)
        try work.write("k = \(secret)\n", to: "srv/env")
        #expect(try work.keyvigil("expect", "billing", work.path("srv/env")).status == 0)
        if way != "later" { #expect(try work.keyvigil("scan", work.path("srv")).status == 0) }
        #expect(try work.keyvigil("rotate", "billing", "--overlap", way == "later" ? "0s" : "1h").status == 0)
        if way == "later" {
            for _ in 0..<2 { #expect(try work.keyvigil("scan", "--full", work.path("srv")).status == 0) }
        } else if way == "leak" {
            try work.write("k = \(secret)\n", to: "other/leak")
            _ = try work.keyvigil("scan", work.path("other"))
        } else {
            #expect(try work.keyvigil("rotate", "billing", "--end-overlaps").status == 0)
        }
        let left = try work.keyvigil("alerts", "--json").objects.filter {
            $0["event"] as? String == "secret.left_in_place"
        }
        #expect(left.count == 1, "\(left)")
        #expect(
            (left.first?["message"] as? String)?.contains("was found in \(work.path("srv/env")) by the scan of 2")
                == true,
            "\(left)")
    }

    @Test("a leak of a key whose record is deleted still needs a person")
    func deletedLeak() throws {
        let line =
            #"{"name":"bank","issuer":"external","secret":"\#("acme_" + String(repeating: "q7", count: 16))","prefix":"acme_q7q7","owner":"ana"}"#
        let made = try work.keyvigil("import", input: line + "\n")
        #expect(made.status == 0, "\(made.errors)")
        try work.write("acme_" + String(repeating: "q7", count: 16) + "\n", to: "srv/leak")
        #expect(try work.keyvigil("scan", work.path("srv")).status == 1)
        func needsPerson() throws -> Bool? {
            try work.keyvigil("status", "--json").objects.first?["needs_person"] as? Bool
        }
        #expect(try needsPerson() == true)
        #expect(try work.keyvigil("delete", "bank", "--yes").status == 0)
        #expect(try needsPerson() == true)
    }

    @Test("absence is not stated of a key of which one secret is not searched for")
    func shortPrefix() throws {
        try work.configure("[scan]\nfolders = [\"\(work.path("srv"))\"]\ninterval = \"never\"\n")
        try work.write("x\n", to: "srv/x")
        let line = #"{"name":"old","issuer":"external","secret":"abc_1234567890abcdef","prefix":"abc","owner":"ana"}"#
        #expect(try work.keyvigil("import", input: line + "\n").status == 0)
        let new = try work.keyvigil(
            "rotate", "old", "--secret-stdin", "--prefix", "abcdefghij", input: "abcdefghij1234567890")
        #expect(new.status == 0, "\(new.errors)")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        let stated = try work.keyvigil("show", "old", "--absence")
        #expect(stated.status == 1 && stated.output.contains("not searched for"), "\(stated.output)")
    }
}
