import Foundation
import Testing

@testable import KeyStore

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

    @Test("a line that is refused is reported with its number and reason, and nothing is imported")
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
        let reported = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("line ") }.map {
            $0.split(separator: ":")[0]
        }
        #expect(reported == (2...12).map { "line \($0)" }, "\(outcome.errors)")
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

    @Test("quotes, commas, missing fields and broken headers of a CSV are reported")
    func csvMistakes() throws {
        func errors(_ text: String) throws -> String {
            try work.keyvigil("import", "--format", "csv", "--issuer", "external", input: text).errors
        }
        #expect(try errors("name,prefxi\n").contains("line 1: there is no field 'prefxi' (did you mean 'prefix'?)"))
        #expect(try errors("prefix\nx\n").contains("line 1: the column 'name' is missing"))
        #expect(try errors("name,name\n").contains("line 1: the column 'name' is there twice"))
        #expect(try errors("name,prefix\na\n").contains("line 2: the line has 1 fields, not 2"))
        #expect(try errors("name,prefix\na,b,c\n").contains("line 2: the line has more fields"))
        #expect(try errors("name,prefix\n\"a,b\n").contains("line 2: a quote is not closed"))
        #expect(try errors("name,prefix\n\"a\"b,c\n").contains("line 2: something follows a closing quote"))
        #expect(try errors("name,prefix\r\n\"a \"\"b\"\"\",abcd_12345678\r\n") == "")
        #expect(try names() == ["a \"b\""])
    }

    /// Runs an import of bytes as they are.
    func importing(_ bytes: [UInt8], named name: String = "keys.csv") throws -> Workplace.Outcome {
        try Data(bytes).write(to: work.directory.appending(path: name))
        return try work.keyvigil("import", "--issuer", "external", work.path(name))
    }

    private static let plain = "name,owner,prefix\nbilling,ana,acme_12345678\n"

    private static func utf16(_ text: String, bigEndian: Bool, mark: Bool) -> [UInt8] {
        ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
            let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
            return bigEndian ? bytes.reversed() : bytes
        }
    }

    @Test(
        "what spreadsheets and shells write is read as it is meant",
        arguments: [
            ("mark", [0xEF, 0xBB, 0xBF] + Array(plain.utf8)),
            (
                "mark, quoted header",
                [0xEF, 0xBB, 0xBF]
                    + Array("\"name\",\"owner\",\"prefix\"\r\n\"billing\",\"ana\",\"acme_12345678\"\r\n".utf8)
            ),
            ("semicolons", Array("name;owner;prefix\r\nbilling;ana;acme_12345678\r\n".utf8)),
            ("tabs", Array("name\towner\tprefix\nbilling\tana\tacme_12345678\n".utf8)),
            ("sep=;", Array("sep=;\r\nname;owner;prefix\r\nbilling;ana;acme_12345678\r\n".utf8)),
            ("returns alone", Array("name,owner,prefix\rbilling,ana,acme_12345678\r".utf8)),
            ("no end of the last line", Array("name,owner,prefix\nbilling,ana,acme_12345678".utf8)),
            ("empty columns", Array("name,owner,prefix,,\r\nbilling,ana,acme_12345678,,\r\n".utf8)),
            ("empty rows", Array("name,owner,prefix\n\nbilling,ana,acme_12345678\n,,\n,,\n".utf8)),
            ("blanks", Array("name, owner, prefix\nbilling , \"ana\" , acme_12345678 \n".utf8)),
            ("UTF-16", utf16(plain, bigEndian: false, mark: true)),
            ("UTF-16, big endian", utf16(plain, bigEndian: true, mark: true)),
            ("UTF-16 without a mark", utf16(plain, bigEndian: false, mark: false)),
        ] as [(String, [UInt8])])
    func dialects(_ dialect: String, _ bytes: [UInt8]) throws {
        let outcome = try importing(bytes)
        #expect(outcome.status == 0 && outcome.output.hasPrefix("Imported 1 key."), "\(dialect): \(outcome.errors)")
        let key = try #require(try work.keyvigil("list", "--json").objects.first)
        #expect(key["name"] as? String == "billing" && key["owner"] as? String == "ana")
        #expect(key["prefix"] as? String == "acme_12345678")
    }

    @Test("characters beyond the first 65,536 come through UTF-16, and line numbers stay right")
    func wideCharacters() throws {
        let outcome = try importing(
            Self.utf16(
                "name,prefix\r\n🔑 Größe,acme_12345678\r\nbad\u{202E},acme_22345678\r\n", bigEndian: false, mark: true))
        #expect(outcome.errors.contains("line 3: ") && !outcome.errors.contains("line 2"), "\(outcome.errors)")
        #expect(
            try importing(Self.utf16("name,prefix\n🔑 Größe,acme_12345678\n", bigEndian: true, mark: true)).status == 0)
        #expect(try names() == ["🔑 Größe"])
    }

    @Test(
        "what cannot be read as it is meant is refused with line and reason",
        arguments: [
            (
                "line 2: byte 2 of the line is no UTF-8",
                Array("name,prefix\nM".utf8) + [0xFC] + Array("ller,acme_12345678\n".utf8)
            ),
            ("line 2: byte 4 of the line is zero", Array("name,prefix\nbil\0ling,acme_12345678\n".utf8)),
            ("line 1: the text is UTF-32", [0xFF, 0xFE, 0, 0, 0x6E, 0, 0, 0]),
            ("line 2: a quote is within a value", Array("name,prefix\nthe \"big\" one,acme_12345678\n".utf8)),
            ("line 2: a quote is not closed", Array("name,prefix\n\"billing\nnightly\",acme_12345678\n".utf8)),
            ("line 2: the line has more fields", Array("name,prefix,,\nbilling,acme_12345678,,note\n".utf8)),
            ("line 1: a column has no name", Array("name,,prefix\nbilling,,acme_12345678\n".utf8)),
            ("line 2: the line has 1 fields, not 2", Array("name;prefix\nbilling,acme_12345678\n".utf8)),
            (
                "line 2: the field 'expires_at': '31/01/2027' is not a date",
                Array("name,prefix,expires_at\nbilling,acme_12345678,31/01/2027\n".utf8)
            ),
            (
                "line 2: the secret holds characters",
                Array("name,prefix,secret\nb,acme_12345678,\"acme_12345678 two words\"\n".utf8)
            ),
        ] as [(String, [UInt8])])
    func refusedDialects(_ reason: String, _ bytes: [UInt8]) throws {
        let outcome = try importing(bytes)
        #expect(outcome.status == 2 && outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(try names() == [])
    }

    @Test("a field with two values in one JSON line is refused")
    func twoValues() throws {
        let outcome = try work.keyvigil(
            "import", "--issuer", "external", input: "{\"name\":\"a\",\"name\":\"b\",\"prefix\":\"acme_12345678\"}\n")
        #expect(outcome.status == 2 && outcome.errors.contains("the field 'name' has two values"))
    }

    @Test(
        "what is there twice in one line is refused, whatever the values are",
        arguments: [
            #"{"name":"a","name":"b","issuer":"external","prefix":"abcdefghi"}"#,
            #"{"name":"a","issuer":"external","Name":"a","prefix":"abcdefghi"}"#,
            #"{"name":null,"name":"b","issuer":"external","prefix":"abcdefghi"}"#,
            #"{"name":"a","issuer":"external","prefix":"abcdefghi","resources":"x","resources":["y"]}"#,
            #"{"name":"a","issuer":"external","prefix":"abcdefghi","permissions":"x","scopes":"y"}"#,
            #"{"name":"a","issuer":"external","prefix":"abcdefghi","env":"live","environment":""}"#,
        ])
    func twice(_ line: String) throws {
        let outcome = try work.keyvigil("import", input: line)
        #expect(outcome.status == 2 && outcome.errors.contains("line 1: the field"), "\(outcome.errors)")
        #expect(outcome.errors.contains("has two values"), "\(outcome.errors)")
        #expect(try names().isEmpty)
    }

    @Test(
        "a value that the store does not take is refused with its field, and what to write",
        arguments: [
            (#""rotate_every":"0s""#, "rotate_every"), (#""rotate_every":"-1d""#, "rotate_every"),
            (#""rotate_every":"+1d""#, "rotate_every"), (#""expires_at":"+999-01-01""#, "expires_at"),
            (#""created_at":"1969-12-31""#, "created_at"), (#""kind":"none""#, "kind"),
            (#""environment":"staging""#, "environment"), (#""origin":"found""#, "origin"),
            (#""hash":"+f\#(String(repeating: "ab", count: 31))""#, "hash"),
            (#""hash":"\#(String(repeating: "ab", count: 31))-1""#, "hash"),
        ])
    func fieldValues(_ field: String, _ name: String) throws {
        let outcome = try work.keyvigil(
            "import", input: #"{"name":"a","issuer":"external","prefix":"abcdefghi",\#(field)}"#)
        #expect(outcome.status == 2 && outcome.errors.contains("line 1: "), "\(outcome.errors)")
        #expect(outcome.errors.contains("'\(name)'") && outcome.errors.contains(" ("), "\(outcome.errors)")
        #expect(!outcome.errors.contains("disk"))
        #expect(try names().isEmpty)
    }

    @Test("while the input is slow, others change the store")
    func slowInput() throws {
        _ = try work.create("other")
        for option in ["--dry-run", "--format=jsonl"] {
            let process = Process()
            process.executableURL = Workplace.binaries.appending(path: "keyvigil")
            process.arguments = ["import", "--issuer", "external", option, "--config", work.configuration]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            // More than a pipe holds: once this is written, the import has begun to read.
            let line = #"{"name":"NUMBER","prefix":"abcdefgh-NUMBER"}"#
            for number in 0..<4_000 {
                try input.fileHandleForWriting.write(
                    contentsOf: Data((line.replacing("NUMBER", with: "k\(number)") + "\n").utf8))
            }
            #expect(try work.keyvigil("edit", "other", "--owner", "ana").status == 0)
            #expect(process.isRunning)
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        #expect(try names().count == 4_001)
    }

    /// Begins the import of a file by another process, and waits until the store has the first of its keys.
    private func begin(_ count: Int) throws -> Process {
        let line = #"{"name":"kNUMBER","prefix":"abcdefgh-NUMBER","secret":"abcdefgh-NUMBER-5aX81kQz"}"#
        let lines = (0..<count).map { line.replacing("NUMBER", with: "\($0)") }
        try work.write(lines.joined(separator: "\n"), to: "keys.jsonl")
        let process = Process()
        process.executableURL = Workplace.binaries.appending(path: "keyvigil")
        process.arguments = [
            "import", "--issuer", "external", work.path("keys.jsonl"), "--config", work.configuration,
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let db = try Connection(work.path("keys.sqlite"), .readOnly, patience: LockPatience(5))
        while process.isRunning, try !db.isTrue("SELECT EXISTS (SELECT 1 FROM imports)") { usleep(1_000) }
        return process
    }

    @Test("an import that is killed leaves nothing, and the same import works then; or all, if it was accepted")
    func killed() throws {
        _ = try work.create("other")
        let process = try begin(2_000)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let left = try names()
        #expect(left.count == 1 || left.count == 2_001)
        #expect(try verify("abcdefgh-7-5aX81kQz") == (left.count == 1 ? "NOT_FOUND" : "VALID"))
        let again = try work.keyvigil("import", "--issuer", "external", work.path("keys.jsonl"))
        #expect(again.status == (left.count == 1 ? 0 : 2), "\(again.errors)")
        #expect(try names().count == 2_001)
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("status says that an import is under way, and the next command what became of one that was cut off")
    func underWay() throws {
        _ = try work.create("other")
        #expect(try work.keyvigil("status").output.contains("import ") == false)
        let process = try begin(3_000)
        // It cannot go on, and has the lock still.
        kill(process.processIdentifier, SIGSTOP)
        let status = try work.keyvigil("status")
        #expect(status.output.contains("import       by ") && status.output.contains(", begun "), "\(status)")
        #expect(
            status.output.contains("none is valid before all are") || status.output.contains("not in use yet"),
            "\(status)")
        let object = try #require(try work.keyvigil("status", "--json").objects.first)
        #expect(object["import_began_at"] is String && object["import_keys_left"] is Int)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let next = try work.keyvigil("list")
        let isAccepted = try names().count > 1
        #expect(
            next.errors.contains(isAccepted ? "is completed now: 3000 keys" : "is undone, so none of its keys"),
            "\(next.errors)")
        #expect(try work.keyvigil("status").output.contains("import ") == false)
    }

    @Test("while keys are imported, others change the store")
    func beside() throws {
        for number in 0..<3 { _ = try work.create("other \(number)") }
        let process = try begin(3_000)
        for number in 0..<3 {
            let revoked = try work.keyvigil("revoke", "other \(number)")
            #expect(revoked.status == 0, "\(revoked.errors)")
        }
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try names().count == 3_003)
    }

    @Test("on a terminal an import says how far it is")
    func progress() throws {
        let (input, shown) = (work.path("input"), work.path("shown"))
        let command =
            "\(Workplace.binaries.appending(path: "keyvigil").path) import --issuer external --format jsonl \(input)"
        // Nothing but empty lines come until the terminal shows that they are read.
        let feed =
            "while ! grep -q reading \(shown); do echo; sleep 0.02; done; echo '{\"name\":\"a\",\"prefix\":\"abcd_12345678\"}'"
        let outcome = try work.run(
            "/bin/bash",
            [
                "-c",
                """
                mkfifo \(input); : > \(shown); (\(feed)) > \(input) &
                script -q -e -f -c '\(command) --config \(work.configuration)' \(shown)
                """,
            ], environment: ["TERM": "xterm"])
        #expect(outcome.status == 0 && outcome.output.contains("reading, "), "\(outcome.output)")
        #expect(outcome.output.contains("Imported 1 key."), "\(outcome.output)")
    }

    @Test("one secret is one key, with or without blanks around it, whole or by its hash, in whatever order")
    func oneSecret() throws {
        let secret = "blnk_0123abcd" + String(repeating: "c0", count: 20)
        let digest = String(
            try #require(try work.run("/usr/bin/sha256sum", [], input: secret).output.split(separator: " ").first))
        func refused(_ lines: String) throws -> Bool {
            let outcome = try work.keyvigil(
                "import", "--dry-run", "--format", "csv", input: "name,issuer,secret,hash,prefix\n" + lines)
            return outcome.status == 2 && outcome.errors.contains("line 3: line 2 has this very secret already")
        }
        let whole = "b,blnk,\"\(secret) \",,\n"
        let hashed = "c,blnk,,\(digest),blnk_0123abcd\n"
        #expect(try refused(whole + "c,blnk,\(secret),,\n"))
        #expect(try refused(whole + hashed))
        #expect(try refused(hashed + whole))
        #expect(try refused(hashed + "d,blnk,,\(digest.uppercased()),blnk_0123abcd\n"))
        // One that was made here is recognised by its hash too.
        let made = try #require(try work.create("made")["secret"] as? String)
        let madeDigest = try #require(
            try work.run("/usr/bin/sha256sum", [], input: made).output.split(separator: " ").first)
        let outcome = try work.keyvigil(
            "import", "--issuer", "keyvigil",
            input: "{\"name\":\"copy\",\"hash\":\"\(madeDigest)\",\"prefix\":\"\(made.prefix(17))\"}\n")
        #expect(outcome.status == 2 && outcome.errors.contains("as one of the key 'made'"), "\(outcome.errors)")
        #expect(
            try work.keyvigil("import", "--format", "csv", input: "name,issuer,secret\n" + "b,blnk,\"\(secret) \"\n")
                .status == 0)
        #expect(try verify(secret) == "VALID" && verify(secret + " ") == "VALID")
        #expect(try work.keyvigil("revoke", "b", "--done").status == 0)
        #expect(try verify(secret) == "REVOKED")
    }

    @Test("two keys with one prefix are both named, where it selects and where it is mentioned")
    func onePrefix() throws {
        let lines = "name,prefix\nb,acme_12345678\nc,acme_12345678\n"
        #expect(try work.keyvigil("import", "--issuer", "external", "--format", "csv", input: lines).status == 0)
        let refused = try work.keyvigil("revoke", "acme_12345678")
        #expect(refused.status == 2 && refused.errors.contains("'b' (key_") && refused.errors.contains("'c' (key_"))
        try work.write("token acme_12345678 here\n", to: "notes/a.txt")
        let scanned = try work.keyvigil("scan", work.path("notes"))
        #expect(scanned.output.contains("of 'b' or 'c' (key_"), "\(scanned.output)")
        let object = try #require(try work.keyvigil("scan", work.path("notes"), "--json").objects.first)
        #expect((object["other_key_ids"] as? [String])?.count == 1)
        let daemon = try {
            try work.configure("[scan]\nfolders = [\"\(work.path("notes"))\"]")
            return try DaemonProcess(work)
        }()
        let mention = try daemon.wait(for: "leak.mention")
        #expect(mention.contains("'b' or 'c' (key_"), "\(mention)")
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

    @Test(
        "a secret in a column where none belongs is refused, and no line that is printed has it",
        arguments: [
            "name,issuer,secret\n$S,blnk,$S",
            "name,issuer,secret,notes\nn,blnk,$S,made from $S",
            "name,issuer,secret,owner\nn,blnk,$S,$S",
            "name,issuer,prefix,notes\nn,blnk,blnk_fdb796a5,$S",
            "name,issuer,prefix,expected\nn,blnk,blnk_fdb796a5,/srv/$S/env",
            "name,issuer,prefix,resources\nn,qubitro,QB_aB3aB3aB,$S",
            "name,issuer,hash,prefix,owner\nn,external,$H,$P,$S",
            "name,issuer,prefix,notes\nn,external,ours_of_the_store,$K",
            "name,issuer,secret\nn,$S,blnk", "name,issuer,expires_at,secret\nn,blnk,$S,x",
            "name,issuer,environment,secret\nn,blnk,$S,x", "name,issuer,kind,secret\nn,blnk,$S,x",
            "name,issuer,origin,secret\nn,blnk,$S,x", "name,issuer,hash,prefix\nn,external,$S,blnk_fdb796a5",
            "name,issuer,role,secret\nn,blnk,$S,x", "name,issuer,rotate_every,secret\nn,blnk,$S,x",
            "$S,blnk,n", "n,blnk,$S\nm,blnk,$S", "name,issuer,$S\na,blnk,b",
        ])
    func misplaced(_ lines: String) throws {
        let own = try #require(try work.create("ours")["secret"] as? String)
        let secret = "blnk_fdb796a5" + String(repeating: "0f1", count: 13) + "0"
        let sum = try work.run("/usr/bin/sha256sum", [], input: secret).output.prefix(64)
        let text = lines.replacing("$S", with: secret).replacing("$K", with: own).replacing("$H", with: sum)
            .replacing("$P", with: secret.prefix(13))
        let before = try names()
        let outcome = try work.keyvigil("import", "--format", "csv", input: text + "\n")
        #expect(outcome.status == 2, "\(outcome)")
        for printed in [outcome.output, outcome.errors] {
            #expect(!printed.contains(secret.suffix(30)) && !printed.contains(own.suffix(20)), "\(printed)")
        }
        #expect(try names() == before)
        for name in try FileManager.default.contentsOfDirectory(atPath: work.directory.path)
        where name.hasPrefix("keys.sqlite") {
            let data = try Data(contentsOf: work.directory.appending(path: name))
            #expect(data.range(of: Data(secret.suffix(30).utf8)) == nil, "\(name)")
        }
    }

    @Test("names with digits and capitals are no secrets, and errors quote them")
    func ordinaryNames() throws {
        let lines = """
            name,issuer,prefix,owner,notes
            Billing-Prod-2026-11,external,oldkey_12345678,Team A1B2,"ticket OPS-123456, node ip-10-0-12-34"
            3f2b6c1e-7d43-4a57-9d0e-1c2b3a4d5e6f,external,oldkey_22345678,ops@example.org,
            """
        let outcome = try work.keyvigil("import", "--format", "csv", input: lines)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let again = try work.keyvigil("import", "--format", "csv", input: lines)
        #expect(again.status == 2 && again.errors.contains("'Billing-Prod-2026-11'"), "\(again.errors)")
        let date = try work.keyvigil(
            "import", "--format", "csv",
            input: "name,issuer,prefix,expires_at\nn,external,oldkey_3,2026-13-01T00:00:00Z")
        #expect(date.errors.contains("'2026-13-01T00:00:00Z'"), "\(date.errors)")
    }
}

/// The shipped profiles, wherever the tests run.
let issuersFolder: String = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return "[issuers]\nfolders = [\"\(root.appending(path: "config/issuers").path)\"]"
}()
