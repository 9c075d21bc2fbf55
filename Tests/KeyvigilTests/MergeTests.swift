import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

/// A store that is merged into another one, and the secrets of its keys.
struct MergedStore {
    let work: Workplace
    private(set) var secrets: [String: String] = [:]

    var store: String { work.path("keys.sqlite") }
    var pepper: String { work.path("pepper") }

    /// Keys in each state, and held ones that are known by their secret and by its SHA-256.
    init() throws {
        work = try Workplace()
        for name in ["billing", "left", "gone", "dated"] {
            let options = name == "dated" ? ["--expires", "2099-01-31", "--permission", "read"] : []
            let made = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["create", name, "--json", "--config", work.configuration] + options)
            secrets[name] = try #require(made.objects.first?["secret"] as? String, "\(made)")
        }
        secrets["billing, before"] = secrets["billing"]
        let rotated = try work.keyvigil("rotate", "billing", "--overlap", "7d", "--json")
        secrets["billing"] = try #require(rotated.objects.first?["secret"] as? String, "\(rotated)")
        try expectDone(work.keyvigil("revoke", "left", "--reason", "ana has left"))
        try expectDone(work.keyvigil("delete", "gone", "--yes"))
        let (secret, digested) = ("held_0123456789abcdefghijklmnopqrstuv", "acme_live_zyxwvutsrqponmlkjihgfedcba")
        (secrets["held"], secrets["digest"]) = (secret, digested)
        let digest = try work.run("/usr/bin/sha256sum", [], input: digested).output.prefix(64)
        try work.write(
            """
            {"name":"held","issuer":"external","prefix":"held_01234","secret":"\(secret)"}
            {"name":"digest","issuer":"external","prefix":"acme_live_","hash":"\(digest)"}
            """, to: "held.jsonl")
        try expectDone(work.keyvigil("import", work.path("held.jsonl")))
        try expectDone(work.keyvigil("expect", "billing", work.path("billing.env")))
    }

    private func expectDone(_ outcome: Workplace.Outcome) throws { try #require(outcome.status == 0, "\(outcome)") }

    /// What a host says of each secret.
    func codes(on host: Workplace) throws -> [String: String] {
        try secrets.mapValues { secret in
            let outcome = try host.keyvigil("verify", "--json", input: "Bearer \(secret)")
            return outcome.objects.first?["code"] as? String ?? outcome.errors
        }
    }

    /// What is known of the keys, but for the dates that a sweep computes.
    func keys(on host: Workplace) throws -> [String: String] {
        let fields = [
            "id", "name", "status", "prefix", "created_at", "expires_at", "permissions", "revoked_at", "generation",
            "issuer",
        ]
        let listed = try host.keyvigil("list", "--all", "--json").objects
        return Dictionary(
            listed.map { key in
                ("\(key["id"] ?? "")", fields.map { "\($0)=\(key[$0] ?? "")" }.joined(separator: " "))
            }, uniquingKeysWith: { $1 })
    }
}

@Suite("A store that is merged into another one")
struct MergeTests {
    let work: Workplace
    let other: MergedStore

    init() throws {
        (work, other) = (try Workplace(), try MergedStore())
        _ = try work.create("own")
    }

    func merge() throws -> Workplace.Outcome { try work.keyvigil("merge", other.store) }

    @Test("all keys come along with their secrets, whatever their state, and the audit says where they are from")
    func whole() throws {
        let (codes, keys) = (try other.codes(on: other.work), try other.keys(on: other.work))
        #expect(
            codes == [
                "billing": "VALID", "billing, before": "VALID", "left": "REVOKED", "gone": "NOT_FOUND",
                "dated": "VALID",
                "held": "VALID", "digest": "VALID",
            ], "\(codes)")
        let merged = try merge()
        #expect(merged.status == 0 && merged.output.hasPrefix("merged 6 keys of \(other.store)"), "\(merged)")
        #expect(try other.codes(on: work) == codes)
        let here = try other.keys(on: work)
        #expect(keys.allSatisfy { here[$0.key] == $0.value } && here.count == keys.count + 1, "\(here)")
        #expect(try work.keyvigil("audit", "verify").status == 0)
        let events = try work.keyvigil("audit", "--action", "key.merged", "--json").objects
        #expect(events.count == 6, "\(events)")
        let shown = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        let description = String(describing: shown)
        #expect(description.contains(other.work.path("billing.env")), "\(shown)")

        // Run again, it adds nothing; and the keys live on.
        let again = try merge()
        #expect(
            again.status == 0 && again.output.hasPrefix("merged 0 keys")
                && again.output.contains("6 were there already"))
        let rotated = try #require(try work.keyvigil("rotate", "dated", "--json").objects.first)
        let secret = try #require(rotated["secret"] as? String)
        #expect(try work.keyvigil("verify", input: "Bearer \(secret)").status == 0)
        #expect(try work.keyvigil("revoke", "billing").status == 0)
        #expect(try other.codes(on: work)["billing"] == "REVOKED")
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("their secrets are found where they leak, by scans and hooks, and are not imported twice")
    func recognised() throws {
        #expect(try merge().status == 0)
        let secret = try #require(other.secrets["billing"])
        let root = try work.repository(
            "leaky", ["notes": "it is \(secret)\n", "old": "\(other.secrets["gone"] ?? "")\n"])
        let scan = try work.keyvigil("scan", root, "--json")
        let grades = scan.objects.compactMap { $0["grade"] as? String }
        #expect(scan.status == 1 && grades.filter { $0 == "confirmed" }.count == 2, "\(scan)")

        let list = work.path("hook-list")
        #expect(try work.keyvigil("export-hook-list", list).status == 0)
        let text = try String(contentsOfFile: list, encoding: .utf8)
        #expect(text.hasPrefix("keyvigil-hook-list 3\nkey ") && text.split(separator: "\n")[2].hasPrefix("key "))

        try work.write(
            "{\"name\":\"twice\",\"issuer\":\"external\",\"prefix\":\"held_01234\",\"secret\":\"\(other.secrets["held"] ?? "")\"}\n",
            to: "twice.jsonl")
        let twice = try work.keyvigil("import", work.path("twice.jsonl"))
        #expect(twice.status == 2 && twice.errors.contains("this very secret already"), "\(twice)")
    }

    @Test(
        "without its pepper a secret that is not found is never said to be unknown, and the command that is printed helps"
    )
    func missingPepper() throws {
        let own = try #require(try work.create("more")["secret"] as? String)
        #expect(try merge().status == 0)
        let folder = work.path("pepper.d")
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        try FileManager.default.moveItem(atPath: "\(folder)/\(file)", toPath: work.path("COPY"))
        #expect(try work.keyvigil("verify", input: "Bearer \(own)").status == 0)
        for secret in [try #require(other.secrets["billing"]), own + "x"] {
            let outcome = try work.keyvigil("verify", input: "Bearer \(secret)")
            #expect(
                outcome.status == 2 && outcome.errors.contains("the pepper of the store \(other.store)"), "\(outcome)")
        }
        let root = try work.repository("leaky", ["notes": "it is \(other.secrets["billing"] ?? "")\n"])
        let scan = try work.keyvigil("scan", root)
        #expect(scan.status == 2 && scan.errors.contains("pepper"), "\(scan)")
        let checks = try work.keyvigil("doctor", "--json").objects.filter { $0["check"] as? String == "pepper" }
        #expect(checks.compactMap { $0["result"] as? String }.contains("problem"), "\(checks)")

        let daemon = try DaemonProcess(work)
        let alert = try daemon.wait(for: " store.pepper_missing ")
        #expect(alert.contains(other.store), "\(alert)")
        let status = try work.keyvigil("status", "--json")
        let troubles = try #require(status.objects.first?["troubles"] as? [String])
        #expect(troubles.joined().contains(other.store), "\(status)")

        let remedy = try #require(checks.first { $0["result"] as? String == "problem" }?["remedy"] as? String)
        let command = String(try #require(remedy.split(separator: ": ", maxSplits: 1).last))
            .replacing("-o keyvigil -g keyvigil", with: "").replacing("COPY", with: work.path("COPY"))
        let copied = try work.run("/bin/sh", ["-c", command])
        #expect(copied.status == 0, "\(command): \(copied)")
        #expect(try work.keyvigil("verify", input: "Bearer \(other.secrets["billing"] ?? "")").status == 0)
        #expect(try work.keyvigil("verify", input: "Bearer \(own)x").status == 1)
        #expect(daemon.stop() == 0 && daemon.events("store.pepper_missing").count == 1)
        // Without the pepper again, and started again: it was reported.
        let second = try DaemonProcess(work)
        try second.wait(for: " daemon.started ")
        #expect(second.stop() == 0 && second.events("store.pepper_missing").isEmpty)
    }

    @Test("stores of one pepper merge without a further one; a secret that both have is one key's")
    func onePepper() throws {
        let twin = try Workplace()
        try FileManager.default.removeItem(atPath: twin.directory.path)
        try FileManager.default.copyItem(atPath: work.directory.path, toPath: twin.directory.path)
        try twin.configure("")
        let made = try twin.create("twin")
        for host in [work, twin] {
            try host.write(
                "name,prefix,secret\nheld \(host === work),held_01234,\(other.secrets["held"] ?? "")\n", to: "held.csv")
            #expect(try host.keyvigil("import", "--issuer", "external", host.path("held.csv")).status == 0)
        }
        let refused = try work.keyvigil("merge", twin.path("keys.sqlite"))
        #expect(refused.status == 2 && refused.errors.contains("this very secret already"), "\(refused)")
        #expect(try twin.keyvigil("delete", "held false", "--yes").status == 0)
        let merged = try work.keyvigil("merge", twin.path("keys.sqlite"), "--json")
        #expect(merged.objects.first?["merged"] as? Int == 1, "\(merged)")
        #expect(
            merged.objects.first?["already_there"] as? Int == 2 && merged.objects.first?["peppers"] as? [String] == [])
        let secret = try #require(made["secret"] as? String)
        #expect(try work.keyvigil("verify", input: "Bearer \(secret)").status == 0)
        #expect(!FileManager.default.fileExists(atPath: work.path("pepper.d")))
    }

    @Test("a name that is taken, another pepper and a changed record are refused, and nothing is merged")
    func refused() throws {
        _ = try work.create("billing")
        let taken = try merge()
        #expect(taken.status == 2 && taken.errors.contains("nothing was merged: 1 key"), "\(taken)")
        #expect(taken.errors.contains("'billing'") && taken.errors.contains("keyvigil rename --store \(other.store)"))
        #expect(try work.keyvigil("list", "--json").objects.count == 2)
        #expect(!FileManager.default.fileExists(atPath: work.path("pepper.d")))

        let wrong = try work.keyvigil("merge", other.store, "--pepper", work.path("pepper"))
        #expect(wrong.status == 2 && wrong.errors.contains("pepper"), "\(wrong)")
        let none = try work.keyvigil("merge", other.store, "--pepper", work.path("nothing"))
        #expect(none.status == 2 && none.errors.contains("there is no pepper at"), "\(none)")
        let itself = try work.keyvigil("merge", work.path("keys.sqlite"))
        #expect(itself.status == 2 && itself.errors.contains("itself"), "\(itself)")

        #expect(try work.keyvigil("rename", "--store", other.store, "billing", "invoices").status == 0)
        #expect(try merge().status == 0)
        #expect(try work.keyvigil("list", "--all", "--json").objects.count == 8)
    }
}

@Suite(
    "A store that is merged into a fleet",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetMergeTests {
    @Test("nothing is merged before all hosts have the pepper; then all verify the secrets")
    func merged() throws {
        let other = try MergedStore()
        let fleet = try FleetWorkplace(hosts: 3)
        for number in 1...2 { try fleet.join(number) }
        let daemons = try (1...2).map { try DaemonProcess(fleet[$0]) }
        for daemon in daemons { try daemon.wait(for: " daemon.started ") }
        let codes = try other.codes(on: other.work)

        let early = try fleet[1].keyvigil("merge", other.store, "--wait", "100ms")
        #expect(
            early.status == 2 && early.errors.contains("nothing was merged: web2 does not have the pepper"), "\(early)")
        // It is not in use yet: what is unknown is unknown.
        #expect(Set(try other.codes(on: fleet[2]).values) == ["NOT_FOUND"])

        let folder = fleet[1].path("pepper.d")
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        // Web2's daemon hears of it and says what it has; so does the command with the positions that it asks for.
        func missing() throws -> [String: [String]] {
            let hosts = try fleet[1].keyvigil("fleet", "hosts", "--json").objects
            return Dictionary(
                uniqueKeysWithValues: hosts.map {
                    ($0["host"] as? String ?? "", $0["missing_peppers"] as? [String] ?? ["no list"])
                })
        }
        #expect(try missing() == ["web1": [], "web2": [file]])
        let shown = try fleet[1].keyvigil("fleet", "hosts")
        #expect(
            shown.errors.contains(
                #/web2 does not have the pepper of \S+:\S+, which is not merged before: keyvigil merge says how to copy it there/#
            ), "\(shown)")
        func copy(to host: Workplace) throws {
            let made = try host.run(
                "/bin/sh",
                [
                    "-c",
                    "install -d -m 0700 \(host.path("pepper.d")) && install -m 0600 \(folder)/\(file) \(host.path("pepper.d"))/",
                ])
            try #require(made.status == 0, "\(made)")
        }
        try copy(to: fleet[2])
        let merged = try fleet[1].keyvigil("merge", other.store, "--json")
        #expect(merged.objects.first?["merged"] as? Int == 6, "\(merged)")
        for number in 1...2 { #expect(try other.codes(on: fleet[number]) == codes) }
        #expect(try missing() == ["web1": [], "web2": []])
        #expect(try !fleet[1].keyvigil("fleet", "hosts").errors.contains("pepper"))
        #expect(try fleet[2].keyvigil("revoke", "billing", "--wait=30s").status == 0)
        for number in 1...2 {
            #expect(try other.codes(on: fleet[number])["billing"] == "REVOKED")
            #expect(try fleet[number].keyvigil("audit", "verify").status == 0)
        }

        try fleet.configure(3)
        try FileManager.default.copyItem(atPath: fleet[1].path("pepper"), toPath: fleet[3].path("pepper"))
        let refused = try fleet[3].keyvigil("fleet", "join")
        #expect(refused.status == 2 && refused.errors.contains("whose pepper is not here"), "\(refused)")
        try copy(to: fleet[3])
        try fleet.join(3)
        #expect(try other.codes(on: fleet[3])["dated"] == "VALID")

        for daemon in daemons { #expect(daemon.stop() == 0) }
        let left = try fleet[2].keyvigil("migrate", "--from-fleet")
        #expect(left.status == 0, "\(left)")
        try fleet[2].configure("")
        #expect(try other.codes(on: fleet[2])["dated"] == "VALID")
    }
}
