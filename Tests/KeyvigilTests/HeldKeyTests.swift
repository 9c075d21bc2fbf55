import Foundation
import Testing

/// Keys that another issuer made: what is recorded, what is refused, and that no word says more than is known.
@Suite("Held keys")
struct HeldKeyTests {
    let work: Workplace

    init() throws { work = try Workplace(issuersFolder) }

    static let qonto = "pied-piper-7132:62885d39f3a0ddedd3d3ee0432a43ccr"
    static let blnk = "blnk_fdb796a5" + String(repeating: "0f", count: 20)

    func record(_ fields: String) throws { try #require(try work.keyvigil("import", input: fields + "\n").status == 0) }

    func finding(_ options: String...) throws -> [String: Any] {
        try #require(
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["findings", "--json", "--all", "--config", work.configuration] + options
            ).objects.first)
    }

    @Test("an import needs an issuer; what says issued needs this store's own format and more than a prefix")
    func issuer() throws {
        func errors(_ line: String) throws -> String { try work.keyvigil("import", input: line + "\n").errors }
        #expect(try errors(#"{"name":"x","prefix":"abcd_12345678"}"#).contains("line 1: the issuer is missing"))
        #expect(
            try errors(#"{"name":"x","issuer":"blnk","origin":"issued","prefix":"blnk_fdb796a5"}"#).contains(
                "line 1: the field 'origin' says issued, but Blnk made the key"))
        #expect(
            try errors(#"{"name":"x","issuer":"keyvigil","prefix":"kv_live_abcdefgh_"}"#).contains(
                "a prefix is not enough"))
        #expect(
            try errors(#"{"name":"x","issuer":"keyvigil","prefix":"abcd_12345678","hash":"00"}"#).contains(
                "the field 'prefix'"))
        #expect(
            try errors(#"{"name":"x","issuer":"external","origin":"borrowed","prefix":"abcd"}"#).contains(
                "use one of issued, held"))
        let made = try work.create("mine")
        let other = try Workplace(issuersFolder)
        let secret = try #require(made["secret"] as? String)
        #expect(
            try other.keyvigil("import", input: #"{"name":"moved","issuer":"keyvigil","secret":"\#(secret)"}"# + "\n")
                .status
                == 0)
        #expect(try other.keyvigil("list", "--json").objects.first?["origin"] as? String == "issued")
        try record(#"{"name":"other","issuer":"external","prefix":"acme_12345678"}"#)
        let origins = try work.keyvigil("list", "--json").objects.map { $0["origin"] as? String }
        #expect(origins == ["issued", "held"])
        #expect(try work.keyvigil("list", "--origin", "held", "--json").objects.count == 1)
    }

    @Test(
        "a prefix is taken as the issuer's list prints it, and refused where no secret of the issuer begins with it",
        arguments: [
            ("blnk", "blnk_fdb796a5...", "blnk_fdb796a5"), ("blnk", "blnk_fdb796a5…", "blnk_fdb796a5"),
            ("blnk", "blnk_fdb7****", "blnk_fdb7"), ("qonto", "pied-piper-7132", "pied-piper-7132:"),
            ("finta", " finta_Ab3dE6gH... ", "finta_Ab3dE6gH"), ("external", "sk-live-AB...", "sk-live-AB"),
        ])
    func prefixes(_ issuer: String, _ given: String, _ kept: String) throws {
        try record(#"{"name":"k","issuer":"\#(issuer)","prefix":"\#(given)"}"#)
        #expect(try work.keyvigil("show", "k", "--json").objects.first?["prefix"] as? String == kept)
    }

    @Test(
        "a prefix that cannot be one, or shows a secret, is refused and not repeated",
        arguments: [
            ("blnk", "acme_12345678"), ("blnk", "blnk_xyz"), ("blnk", blnk), ("qonto", "a b"), ("qonto", qonto),
            ("qonto", "pied-piper-7132:6288"), ("external", "..."), ("keyvigil", "kv_prod_abcdefgh_"),
        ])
    func wrongPrefixes(_ issuer: String, _ given: String) throws {
        let outcome = try work.keyvigil(
            "import", input: #"{"name":"k","issuer":"\#(issuer)","origin":"held","prefix":"\#(given)"}"# + "\n")
        #expect(outcome.status == 2 && outcome.errors.contains("line 1: the field 'prefix':"), "\(outcome.errors)")
        #expect(!outcome.errors.contains(given.suffix(20)) || given.utf8.count < 20)
        #expect(try work.keyvigil("list", "--json").objects.isEmpty)
    }

    @Test("a mistake is refused before the secret is asked for")
    func order() throws {
        let unknown = try work.keyvigil("create", "k", "--held", "--issuer", "nope", "--secret-stdin", input: "")
        #expect(unknown.status == 2 && unknown.errors.contains("there is no issuer 'nope'"), "\(unknown.errors)")
        #expect(try work.keyvigil("list", "--origin", "helt").errors.contains("'helt' is not an origin"))
    }

    @Test("a rotation of a held key is never made up: the issuer's steps are shown, and the new secret is asked for")
    func rotation() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)","owner":"ana"}"#)
        let alone = try work.keyvigil("rotate", "bank", "--json")
        #expect(alone.status == 2 && alone.output.isEmpty && alone.errors.contains("press Regenerate"))
        #expect(alone.errors.contains("keyvigil rotate key_") && alone.errors.contains("--secret-stdin"))
        #expect(try work.keyvigil("show", "bank", "--json").objects.first?["generation"] as? Int == 1)
        let new = "pied-piper-7132:00005d39f3a0ddedd3d3ee0432a43ccr"
        let done = try work.keyvigil("rotate", "bank", "--secret-stdin", input: new)
        #expect(
            done.status == 0 && !done.output.contains("refused from now on") && !done.output.contains(new.suffix(32)))
        #expect(done.output.contains("said to be replaced there; whether it is refused was not checked"))
        let overlap = try work.keyvigil("rotate", "bank", "--secret-stdin", "--overlap", "1h", input: new)
        #expect(overlap.status == 2 && overlap.errors.contains("Qonto allows no overlap"))
        try record(#"{"name":"ledger","issuer":"blnk","prefix":"blnk_fdb796a5..."}"#)
        let byPrefix = try work.keyvigil("rotate", "ledger", "--prefix", "blnk_00112233...", "--json")
        #expect(
            byPrefix.objects.first?["prefix"] as? String == "blnk_00112233" && byPrefix.objects.first?["secret"] == nil)
    }

    @Test("a held key is revoked by its issuer: the tool asks, records who said so, and says that it was not checked")
    func revocation() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        let asked = try work.keyvigil("revoke", "bank")
        #expect(asked.status == 2 && asked.errors.contains("only Qonto can revoke") && asked.errors.contains("--done"))
        #expect(try work.keyvigil("show", "bank", "--json").objects.first?["status"] as? String == "active")
        let done = try work.keyvigil("revoke", "bank", "--done", environment: ["SUDO_USER": "cleo"])
        #expect(done.status == 0 && done.output.contains("was not checked: keyvigil check key_"))
        let shown = try #require(try work.keyvigil("show", "bank", "--json").objects.first)
        let day = try #require(shown["revoked_at"] as? String).prefix(10)
        let words = "revoked at Qonto, as cleo said on \(day)"
        #expect(shown["status_words"] as? String == words && shown["recorded_by"] as? String == "cleo")
        #expect(try work.keyvigil("list").output.contains(words))
        #expect(try work.keyvigil("status").output.contains("held from other issuers: 1 said to be revoked"))
        let deleted = try work.keyvigil("delete", "bank", "--yes")
        #expect(deleted.output.contains("from the inventory. This revokes nothing at Qonto"))
    }

    @Test(
        "a dead held secret never opens nothing by the record alone: it is an error, and open, until its issuer refuses it"
    )
    func leaksByRecord() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)","owner":"ana"}"#)
        #expect(try work.keyvigil("revoke", "bank", "--done").status == 0)
        let repository = try work.repository("shop", ["a.txt": Self.qonto])
        #expect(try work.keyvigil("scan", repository).status == 1)
        let found = try finding()
        #expect(found["status"] as? String == "open" && found["danger"] as? String == "unconfirmed")
        let alert = try #require(try work.keyvigil("alerts", "--kind", "leak.confirmed", "--json").objects.first)
        #expect(alert["priority"] as? Int == 3)
        let message = try #require(alert["message"] as? String)
        #expect(message.contains("said to be revoked at Qonto on ") && message.contains("; not checked"))
        for word in ["no longer works", "refused"] { #expect(!message.contains(word), "\(message)") }
        #expect((alert["remedy"] as? String)?.contains("keyvigil check key_") == true)
        #expect(try work.keyvigil("show", "bank").output.contains("leaked"))
    }

    @Test("an expired held key is past a recorded date, not refused; its remedy is the issuer's")
    func expiry() throws {
        try record(#"{"name":"bank","issuer":"blnk","secret":"\#(Self.blnk)","expires_at":"2026-01-01"}"#)
        let shown = try #require(try work.keyvigil("show", "bank", "--json").objects.first)
        #expect(
            shown["status"] as? String == "expired" && shown["status_words"] as? String == "past its recorded expiry")
        let text = try work.keyvigil("show", "bank").output
        #expect(text.contains("whether Blnk refuses it is not known") && text.contains("in Blnk Cloud, Settings"))
        let repository = try work.repository("shop", ["a.txt": Self.blnk])
        #expect(try work.keyvigil("scan", repository).status == 1)
        #expect(try finding()["status"] as? String == "open")
    }

    @Test(
        "a whole body after a known prefix of which no hash is known is probable: a warning; anything else is a mention"
    )
    func probable() throws {
        try record(#"{"name":"ledger","issuer":"blnk","prefix":"blnk_fdb796a5...","owner":"ben"}"#)
        let repository = try work.repository(
            "shop",
            [
                "whole.env": "BLNK=\(Self.blnk)\n", "quoted.json": "{\"k\": \"\(Self.blnk.dropLast())a\"}\n",
                "cut.txt": String(Self.blnk.dropLast()) + "\n", "long.txt": Self.blnk + "0\n",
                "prefix.md": "our key blnk_fdb796a5... is in the list\n",
                "packed.txt": Data("key=\(Self.blnk)".utf8).base64EncodedString() + "\n",
            ])
        let seen = try work.keyvigil("scan", repository, "--json").objects
        let grades = Dictionary(grouping: seen) { ($0["path"] as? String) ?? "" }.mapValues {
            $0[0]["grade"] as? String
        }
        #expect(
            grades == [
                "whole.env": "probable", "quoted.json": "probable", "packed.txt": "probable", "cut.txt": "mention",
                "long.txt": "mention", "prefix.md": "mention",
            ])
        let alerts = try work.keyvigil("alerts", "--kind", "leak.probable", "--json").objects
        #expect(alerts.count == 3 && alerts.allSatisfy { $0["priority"] as? Int == 4 })
        #expect(try work.keyvigil("scan", repository, "--json").objects.count == seen.count)
        #expect(try work.keyvigil("alerts", "--kind", "leak.probable", "--json").objects.count == 3)
        let sarif = try work.keyvigil("scan", repository, "--sarif").output
        #expect(sarif.contains("\"ruleId\":\"leak.probable\"") && !sarif.contains(Self.blnk.suffix(20)))
    }

    @Test("a key whose hash is known is not probable: what follows its prefix is it, or is not")
    func knownIsNotProbable() throws {
        try record(#"{"name":"ledger","issuer":"blnk","secret":"\#(Self.blnk)"}"#)
        let repository = try work.repository(
            "shop", ["a.txt": Self.blnk.dropLast() + "a\n", "b.txt": Self.blnk + "\n"])
        let grades = try work.keyvigil("scan", repository, "--json").objects.map { $0["grade"] as? String }
        #expect(Set(grades) == ["mention", "confirmed"])
    }

    @Test("the pre-receive hook's question refuses what is probable, too")
    func stagedProbable() throws {
        try record(#"{"name":"ledger","issuer":"blnk","prefix":"blnk_fdb796a5"}"#)
        let repository = try work.repository("shop", ["a.txt": "x\n"])
        try work.write("k = \(Self.blnk)\n", to: "shop/b.txt")
        try work.git(repository, "-C", repository, "add", "b.txt")
        let outcome = try work.keyvigil("scan", "--staged", repository)
        #expect(outcome.status == 1 && outcome.errors.contains("or what looks like them"), "\(outcome.errors)")
    }

    @Test(
        "login and secret in two variables of one file are confirmed, wherever in it they are",
        arguments: [
            (".env", "QONTO_LOGIN=pied-piper-7132\nQONTO_SECRET_KEY=62885d39f3a0ddedd3d3ee0432a43ccr\n"),
            ("a.yml", "qonto:\n  secret: '62885d39f3a0ddedd3d3ee0432a43ccr'\n  login: pied-piper-7132\n"),
            ("a.json", #"{"login": "pied-piper-7132", "n": 1, "secret_key": "62885d39f3a0ddedd3d3ee0432a43ccr"}"#),
            ("main.tf", "variable \"q\" {\n  default = \"62885d39f3a0ddedd3d3ee0432a43ccr\"\n}\n# pied-piper-7132\n"),
            ("joined.sh", "curl -H 'Authorization: \(qonto)'\n"),
        ])
    func pairs(_ file: String, _ text: String) throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        let repository = try work.repository("shop", [file: text])
        let found = try work.keyvigil("scan", repository, "--json").objects
        #expect(found.map { $0["grade"] as? String } == ["confirmed"], "\(found)")
        // The place is that of the secret.
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("62885d39") }
        #expect(found.first?["line"] as? Int == line.map { $0 + 1 })
        try work.write(text, to: "folder/\(file)")
        #expect(
            try work.keyvigil("scan", work.path("folder"), "--json").objects.first?["grade"] as? String == "confirmed")
    }

    /// Login and secret in two values, each written in a form.
    static let apart: [(String, String, String)] = {
        let (login, secret) = ("pied-piper-7132", "62885d39f3a0ddedd3d3ee0432a43ccr")
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        return [
            ("a Secret of Kubernetes", "data:\n  login: \(base64(login))\n  key: \(base64(secret))\n", "base64"),
            (
                "values with their line ends in base64",
                "data:\n  login: \(base64(login + "\n"))\n  key: \(base64(secret + "\n"))\n", "base64"
            ),
            ("a login as it is", "login: \(login)\nkey: \(base64(secret))\n", "base64"),
            ("a secret as it is", "login: \(base64(login))\nkey: \(secret)\n", "-"),
            (
                "percent escapes", "?id=pied%2Dpiper%2D7132&key=%362885d39f3a0ddedd3d3ee0432a43cc%72&n=1\n",
                "url-encoded"
            ),
            ("two lines", "login: \(login)\nkey: \"\(secret.prefix(11))\\\n  \(secret.dropFirst(11))\"\n", "split"),
            ("a line break that is written down", #"{"env": "A=\#(login)\n\#(secret)\n"}"#, "split"),
        ]
    }()

    @Test("login and secret apart are confirmed in other forms", arguments: apart)
    func pairsInForms(_ name: String, _ text: String, _ form: String) throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        try work.write(text, to: "folder/a.txt")
        let found = try work.keyvigil("scan", work.path("folder"), "--json").objects
        #expect(
            found.map { "\($0["grade"] ?? "") \($0["form"] as? String ?? "-")" } == ["confirmed \(form)"],
            "\(name): \(found)")
        #expect(found.first?["line"] as? Int == text.split(separator: "\n").count - (name == "two lines" ? 1 : 0))
    }

    @Test("login and secret apart are confirmed in UTF-16, and one whose secret is another is a mention")
    func pairInUTF16() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        for (number, secret) in ["62885d39f3a0ddedd3d3ee0432a43ccr", "00005d39f3a0ddedd3d3ee0432a43ccr"].enumerated() {
            let text = "\u{feff}LOGIN=pied-piper-7132\r\nKEY=\(secret)\r\n"
            let url = URL(filePath: work.path("utf16/\(number).txt"))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try #require(text.data(using: .utf16LittleEndian)).write(to: url)
        }
        let found = try work.keyvigil("scan", work.path("utf16"), "--json").objects
        let grades = found.map { "\($0["path"] ?? "") \($0["grade"] ?? "") \($0["form"] ?? "") \($0["line"] ?? 0)" }
        #expect(grades.sorted() == ["0.txt confirmed utf-16 2", "1.txt mention utf-16 1"], "\(found)")
    }

    @Test("a login beside another secret is a mention; a login alone, or as a part of a longer name, is nothing")
    func halves() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        let repository = try work.repository(
            "shop",
            [
                "other.env": "LOGIN=pied-piper-7132\nSECRET=00000000f3a0ddedd3d3ee0432a43ccr\n",
                "alone.txt": "see pied-piper-7132\n",
                "longer.txt": "pied-piper-71320 62885d39f3a0ddedd3d3ee0432a43ccr\nx-pied-piper-7132\n",
            ])
        let found = try work.keyvigil("scan", repository, "--json").objects
        #expect(found.map { "\($0["path"] ?? "") \($0["grade"] ?? "")" } == ["other.env mention"])
    }

    @Test("a pair is found in a later version of a file, as git packs it: a delta of the one before")
    func pairInDelta() throws {
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        let filler = (0..<2_000).map { "line \($0) of a file that git stores as a delta\n" }.joined()
        let repository = try work.repository("shop", ["a.env": "LOGIN=pied-piper-7132\n" + filler])
        try work.commit(
            repository, ["a.env": "LOGIN=pied-piper-7132\n" + filler + "KEY=62885d39f3a0ddedd3d3ee0432a43ccr\n"])
        try work.git(repository, "-C", repository, "gc", "-q")
        let found = try work.keyvigil("scan", repository + "/.git", "--json").objects
        #expect(found.contains { $0["grade"] as? String == "confirmed" && $0["line"] as? Int == 2002 }, "\(found)")
    }

    @Test("a sign-in has one active key in each environment; a mention of it names all keys that it may be")
    func signIns() throws {
        try record(#"{"name":"live","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        try record(#"{"name":"sand","issuer":"qonto","prefix":"pied-piper-7132","environment":"sandbox"}"#)
        let second = try work.keyvigil(
            "import", input: #"{"name":"more","issuer":"qonto","prefix":"pied-piper-7132"}"# + "\n")
        #expect(second.status == 2 && second.errors.contains("has an active key in live already: 'live'"))
        #expect(second.errors.contains("keyvigil rotate key_"))
        let repository = try work.repository("shop", ["a.md": "we are pied-piper-7132: the company\n"])
        let found = try #require(try work.keyvigil("scan", repository, "--json").objects.first)
        #expect(found["grade"] as? String == "mention" && (found["other_key_ids"] as? [String])?.count == 1)
        let alert = try #require(try work.keyvigil("alerts", "--kind", "leak.mention", "--json").objects.first)
        #expect((alert["message"] as? String)?.contains("key 'live' or 'sand' (key_") == true, "\(alert)")
        #expect(try work.keyvigil("revoke", "live", "--done").status == 0)
        try record(#"{"name":"more","issuer":"qonto","secret":"pied-piper-7132:00005d39f3a0ddedd3d3ee0432a43ccr"}"#)
        // An expired one does not come back beside it.
        try record(
            #"{"name":"late","issuer":"qonto","secret":"pied-piper-7132:00006d39f3a0ddedd3d3ee0432a43ccr","expires_at":"2026-01-01"}"#
        )
        let revived = try work.keyvigil("edit", "late", "--expires", "30d")
        #expect(revived.status == 2 && revived.errors.contains("has an active key in live already: 'more'"))
    }

    @Test(
        "what the inventory knows by itself can be edited for every key; what the issuer decides cannot where it allows none"
    )
    func edits() throws {
        try record(#"{"name":"iot","issuer":"qubitro","prefix":"QB_aB3aB3aB"}"#)
        let edited = try work.keyvigil(
            "edit", "iot", "--owner", "ben", "--rotate-every", "30d", "--notes", "for the gateways", "--json")
        let key = try #require(edited.objects.first, "\(edited.errors)")
        #expect(key["owner"] as? String == "ben" && key["rotate_every"] as? String == "30d")
        #expect(key["notes"] as? String == "for the gateways")
        for option in [["--permission", "Read"], ["--expires", "30d"], ["--resource", "p"]] {
            let refused = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["edit", "iot", "--config", work.configuration] + option)
            #expect(refused.status == 2 && refused.errors.contains("the issuer allows no change"), "\(option)")
        }
        try record(#"{"name":"book","issuer":"finta","prefix":"finta_Ab3dE6gH"}"#)
        #expect(try work.keyvigil("edit", "book", "--resource", "a1").output.contains("it changes nothing at Finta"))
    }

    @Test("the profile's rotation period, lifetimes and environments hold at import, and the policy for every key")
    func rules() throws {
        try record(#"{"name":"a","issuer":"blnk","prefix":"blnk_00000001","expires_at":"2099-01-01"}"#)
        try record(#"{"name":"b","issuer":"finta","prefix":"finta_Ab3dE6gH"}"#)
        try record(#"{"name":"c","issuer":"external","prefix":"acme_1234","rotate_every":"never"}"#)
        let periods = try work.keyvigil("list", "--json").objects.map { $0["rotate_every"] as? String }
        #expect(periods == ["90d", "90d", nil])
        let wrong = try work.keyvigil(
            "import", input: #"{"name":"d","issuer":"qubitro","environment":"test","prefix":"QB_aB3aB3aB"}"# + "\n")
        #expect(
            wrong.status == 2 && wrong.errors.contains("the field 'environment': Qubitro has no environment 'test'"))
        try work.configure(
            "\(issuersFolder)\n[policy]\nrequire_owner = true\nlongest_lifetime = \"30d\"\nlongest_overlap = \"1h\"\n")
        func errors(_ line: String) throws -> String { try work.keyvigil("import", input: line + "\n").errors }
        #expect(
            try errors(#"{"name":"e","issuer":"blnk","prefix":"blnk_00000002"}"#).contains(
                "the field 'owner': the policy requires an owner"))
        #expect(
            try errors(#"{"name":"e","issuer":"blnk","prefix":"blnk_00000002","owner":"ana"}"#).contains(
                "the field 'expires_at': the policy allows a lifetime of at most 30d"))
        for arguments in [
            ["create", "f"], ["create", "f", "--owner", "ana", "--expires", "31d"], ["edit", "a", "--no-owner"],
        ] {
            let refused = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(refused.status == 2 && refused.errors.contains("the policy"), "\(arguments) \(refused.errors)")
        }
        for (option, text) in [("owner", "ana"), ("notes", "the bank's")] {
            let both = try work.keyvigil("edit", "a", "--\(option)", text, "--no-\(option)")
            #expect(both.status == 2 && both.errors.contains("--\(option) and --no-\(option) exclude each other"))
        }
        _ = try work.create("g", "--owner", "ana", "--expires", "30d")
        let rotated = try work.keyvigil("rotate", "g", "--overlap", "2h")
        #expect(rotated.status == 2 && rotated.errors.contains("an overlap of at most 1h"))
        let flags = try work.keyvigil("list", "--json").objects.map { $0["hygiene"] as? [String] ?? [] }
        #expect(flags[0].contains("lifetime_too_long") && flags[0].contains("no_owner"))
        #expect(flags[1].contains("lifetime_too_long") && !flags[3].contains("lifetime_too_long"))
    }

    @Test("a brand alone is the prefix of no key, and dates that cannot be are refused")
    func impossible() throws {
        for (fields, reason) in [
            (#""issuer":"stripe","prefix":"sk_live_""#, "names no key"),
            (#""issuer":"github","prefix":"ghp_""#, "names no key"),
            (#""issuer":"finta","prefix":"fin""#, "names no key"),
            (
                #""issuer":"blnk","prefix":"blnk_12345678","created_at":"2062-01-15""#,
                "the field 'created_at': it is in the future"
            ),
            (
                #""issuer":"blnk","prefix":"blnk_12345678","created_at":"2026-06-01","expires_at":"2026-01-01""#,
                "the field 'expires_at': it is not after the creation"
            ),
        ] {
            let refused = try work.keyvigil("import", input: #"{"name":"x","owner":"ana",\#(fields)}"# + "\n")
            #expect(refused.status == 2 && refused.errors.contains(reason), "\(refused.errors)")
        }
        let today = String(Date.now.ISO8601Format().prefix(10))
        try record(#"{"name":"x","issuer":"stripe","prefix":"sk_live_a1b","owner":"ana","created_at":"\#(today)"}"#)
    }

    @Test("a key that never expires is due for rotation by the configuration's period, unless it says never")
    func defaultRotation() throws {
        #expect(try work.create("a", "--expires", "never")["rotate_every"] as? String == "90d")
        #expect(try work.create("b", "--expires", "never", "--rotate-every", "never")["rotate_every"] is NSNull)
        #expect(try work.create("c")["rotate_every"] is NSNull)
        try work.configure("\(issuersFolder)\n[rotation]\nevery = \"never\"\n")
        #expect(try work.create("d", "--expires", "never")["rotate_every"] is NSNull)
    }

    @Test("never_used speaks of issued keys alone")
    func neverUsed() throws {
        try work.configure("\(issuersFolder)\n[hygiene]\nnever_used_after = \"0s\"\n")
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)"}"#)
        _ = try work.create("mine")
        let flags = try work.keyvigil("list", "--json").objects.map { $0["hygiene"] as? [String] ?? [] }
        #expect(!flags[0].contains("never_used") && flags[1].contains("never_used"))
    }

    @Test("verify enforces the issuer's form and the environment, and says by whose word it answers")
    func verification() throws {
        func ask(_ credential: String, _ options: String...) throws -> [String: Any] {
            try #require(
                try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path,
                    ["verify", "--json", "--config", work.configuration] + options, input: credential
                ).objects.first)
        }
        try record(#"{"name":"bank","issuer":"qonto","secret":"\#(Self.qonto)","owner":"ana","environment":"sandbox"}"#)
        #expect(try ask("Bearer " + Self.qonto)["code"] as? String == "WRONG_FORM")
        #expect(try ask("Bearer " + Self.qonto)["http_status"] as? Int == 401)
        let answer = try ask(Self.qonto)
        #expect(answer["code"] as? String == "VALID" && answer["origin"] as? String == "held")
        #expect(answer["environment"] as? String == "sandbox" && answer["permissions"] as? [String] == ["*"])
        #expect(answer["resources"] as? String == "all" && answer["checked_at"] is NSNull)
        #expect((answer["recorded_by"] as? String)?.isEmpty == false && answer["recorded_at"] is String)
        let live = try ask(Self.qonto, "--environment", "live")
        #expect(live["code"] as? String == "WRONG_ENVIRONMENT" && live["http_status"] as? Int == 401)
        #expect(try ask(Self.qonto, "--env", "sandbox")["valid"] as? Bool == true)
        #expect(try ask("nothing-of-the-kind")["origin"] is NSNull)
    }

    @Test("a single key is recorded without a file: by its secret, or by its prefix; the secret is never shown")
    func recordOne() throws {
        let made = try work.keyvigil(
            "create", "bank", "--held", "--issuer", "qonto", "--owner", "ana", "--secret-stdin", "--json",
            input: Self.qonto)
        let key = try #require(made.objects.first, "\(made.errors)")
        #expect(
            key["origin"] as? String == "held" && key["secret"] == nil && !made.output.contains(Self.qonto.suffix(32)))
        #expect(
            try work.keyvigil("create", "ledger", "--held", "--issuer", "blnk", "--prefix", "blnk_fdb796a5...").status
                == 0)
        #expect(
            try work.keyvigil("create", "x", "--held", "--prefix", "abcdefgh").errors.contains("the issuer is missing"))
        #expect(try work.keyvigil("create", "x", "--prefix", "abcdefgh").errors.contains("give --held too"))
        let note = try work.keyvigil("create", "y", "--issuer", "blnk")
        #expect(note.status == 0 && note.errors.contains("Blnk does not know it"))
    }
}
