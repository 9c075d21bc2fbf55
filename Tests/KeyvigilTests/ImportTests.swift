import Foundation
import Testing

@Suite("Import")
struct ImportTests {
    let work: Workplace

    init() throws { work = try Workplace(issuersFolder) }

    func verify(_ credential: String) throws -> String? {
        try work.keyvigil("verify", "--json", input: credential).objects.first?["code"] as? String
    }

    func names() throws -> [String] {
        try work.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String }
    }

    @Test("a CSV with secrets, hashes and prefixes becomes keys; the secrets work and stand nowhere")
    func csv() throws {
        let blnk = "blnk_fdb796a5" + String(repeating: "0f", count: 20)
        let secret = "QB_" + String(repeating: "aB3", count: 16)
        let digest = try #require(
            try work.run("/usr/bin/sha256sum", [], input: "legacy-secret-0123456789").output.split(separator: " ").first
        )
        try work.write(
            """
            name,issuer,secret,hash,prefix,owner,permissions,resources,expires_at
            "Blnk, main",blnk,\(blnk),,,ana,mcp:read mcp:write,,2099-01-01
            devices,qubitro,"\(secret)",,,ben,Read Write,p1;p2,
            legacy,external,,\(digest),legacy-secret-,cleo,,,never
            old,external,,,oldkey_12345678,,,,2020-01-01

            """, to: "keys.csv")
        let outcome = try work.keyvigil("import", work.path("keys.csv"))
        #expect(outcome.status == 0 && outcome.output.hasPrefix("Imported 4 keys."), "\(outcome.errors)")
        #expect(try verify("Bearer \(blnk)") == "VALID")
        #expect(try verify("Bearer \(secret)") == "VALID")
        #expect(try verify("legacy-secret-0123456789") == "VALID")
        #expect(try verify("legacy-secret-0123456788") == "NOT_FOUND")
        let keys = try work.keyvigil("list", "--json").objects
        #expect(
            keys.map { $0["prefix"] as? String } == [
                "blnk_fdb796a5", "QB_aB3aB3aB", "legacy-secret-", "oldkey_12345678",
            ])
        #expect(keys.map { $0["status"] as? String } == ["active", "active", "active", "expired"])
        #expect(keys[0]["role"] as? String == "Member" && keys[1]["resources"] as? [String] == ["p1", "p2"])
        let files = try FileManager.default.contentsOfDirectory(atPath: work.directory.path).filter {
            $0.hasPrefix("keys.sqlite")
        }
        #expect(files.contains("keys.sqlite"))
        for name in files {
            let data = try Data(contentsOf: work.directory.appending(path: name))
            for text in [blnk.dropFirst(13), secret.dropFirst(11)] { #expect(data.range(of: Data(text.utf8)) == nil) }
        }
    }

    @Test("JSON lines are read too, from standard input, escapes and lists included")
    func jsonLines() throws {
        let outcome = try work.keyvigil(
            "import", "--json", "--issuer", "external",
            input: """
                {"name":"caf\\u00e9 \\ud83d\\udd11","prefix":"abcd_12345678","permissions":["read","mcp:write"],"owner":null}
                 { "name" : "consent" , "kind":"oauth_consent","issuer":"qonto","prefix":"client_0123abcd","expires_at":"2099-01-01" }

                """)
        #expect(outcome.objects.first?["imported"] as? Int == 2, "\(outcome.errors)")
        let keys = try work.keyvigil("list", "--json").objects
        #expect(keys[0]["name"] as? String == "café 🔑" && keys[0]["permissions"] as? [String] == ["mcp:write", "read"])
        #expect(
            keys[1]["kind"] as? String == "oauth_consent" && keys[1]["expires_at"] as? String == "2099-01-01T00:00:00Z")
    }

    @Test("a line that is refused is told with its number and reason, and nothing is imported")
    func refusals() throws {
        _ = try work.create("taken")
        let outcome = try work.keyvigil(
            "import", "--issuer", "external",
            input: """
                {"name":"good","prefix":"abcd_12345678"}
                {"name":"taken","prefix":"abcd_22345678"}
                {"name":"bad\\u202ename","prefix":"abcd_32345678"}
                {"name":"x","prefix":"abcd_42345678","expires_at":"2027-02-29"}
                {"name":"x","secret":"kv_live_notreally"}
                {"name":"x"}
                {"name":"x","nmae":"y","prefix":"abcd_52345678"}
                not json
                {"name":"x","issuer":"blnkk","prefix":"abcd_62345678"}
                {"name":"x","hash":"12","prefix":"abcd_72345678"}
                {"name":5}
                {"name":"good","prefix":"abcd_82345678"}

                """)
        #expect(outcome.status == 2 && outcome.output == "")
        let told = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("line ") }.map {
            $0.split(separator: ":")[0]
        }
        #expect(told == (2...12).map { "line \($0)" }, "\(outcome.errors)")
        #expect(outcome.errors.contains("11 lines were refused, so nothing was imported"))
        #expect(!outcome.errors.contains("notreally"))
        #expect(try names() == ["taken"])
    }

    @Test("a dry run checks everything and changes nothing")
    func dryRun() throws {
        let line = "{\"name\":\"a\",\"prefix\":\"abcd_12345678\"}\n"
        #expect(
            try work.keyvigil("import", "--issuer", "external", "--dry-run", input: line).output.hasPrefix(
                "1 key could be imported"))
        #expect(try names() == [])
        #expect(try work.keyvigil("audit", "--json").objects.isEmpty)
        #expect(try work.keyvigil("import", "--issuer", "external", input: line).status == 0)
        let again = try work.keyvigil("import", "--issuer", "external", "--dry-run", input: line)
        #expect(again.status == 2 && again.errors.contains("line 1: a key named 'a' already exists"))
    }

    @Test("the same secret cannot be two keys")
    func sameSecret() throws {
        let secret = try #require(try work.create("made")["secret"] as? String)
        let outcome = try work.keyvigil(
            "import", "--issuer", "keyvigil", input: "{\"name\":\"copy\",\"secret\":\"\(secret)\"}\n")
        #expect(
            outcome.status == 2 && outcome.errors.contains("as one of the key 'made'")
                && !outcome.errors.contains(secret))
    }

    @Test("quotes, commas, missing fields and broken headers of a CSV are told")
    func csvMistakes() throws {
        func errors(_ text: String) throws -> String {
            try work.keyvigil("import", "--format", "csv", "--issuer", "external", input: text).errors
        }
        #expect(try errors("name,prefxi\n").contains("line 1: there is no field 'prefxi' (did you mean prefix?)"))
        #expect(try errors("prefix\nx\n").contains("line 1: the column 'name' is missing"))
        #expect(try errors("name,name\n").contains("line 1: the column 'name' stands twice"))
        #expect(try errors("name,prefix\na\n").contains("line 2: the line has 1 fields, not 2"))
        #expect(try errors("name,prefix\na,b,c\n").contains("line 2: the line has more fields"))
        #expect(try errors("name,prefix\n\"a,b\n").contains("line 2: a quote is not closed"))
        #expect(try errors("name,prefix\n\"a\"b,c\n").contains("line 2: something follows a closing quote"))
        #expect(try errors("name,prefix\r\n\"a \"\"b\"\"\",abcd_12345678\r\n") == "")
        #expect(try names() == ["a \"b\""])
    }

    @Test("an import makes everything that was scanned due for one full scan, which finds the imported key")
    func fullScan() throws {
        let repository = try work.repository("shop", ["a.txt": "token abcd_12345678XYZ\n"])
        _ = try work.create("other")
        #expect(try work.keyvigil("scan", repository).status == 0)
        _ = try work.keyvigil(
            "import", "--issuer", "external", input: "{\"name\":\"found\",\"prefix\":\"abcd_12345678\"}\n")
        let outcome = try work.keyvigil("scan", repository, "--json")
        #expect(
            outcome.status == 1 && outcome.objects.contains { $0["source"] as? String == "blob" }, "\(outcome.output)")
    }
}

/// The shipped profiles, wherever the tests run.
let issuersFolder: String = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return "[issuers]\nfolders = [\"\(root.appending(path: "config/issuers").path)\"]"
}()
