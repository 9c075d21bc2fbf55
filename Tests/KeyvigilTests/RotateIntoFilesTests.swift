import Foundation
import Testing

@Suite("Rotations that write the new secret into files")
struct RotateIntoFilesTests {
    let work: Workplace
    private let secret: String

    init() throws {
        work = try Workplace("[keys]\noverlap = \"1h\"")
        secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
    }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: work.path(name), encoding: .utf8) }

    private func generation() throws -> Int? {
        try work.keyvigil("show", "shop", "--json").objects.first?["generation"] as? Int
    }

    private func isValid(_ secret: String) throws -> Bool { try work.keyvigil("verify", input: secret).status == 0 }

    @Test("the secret of the key is replaced wherever a file has it, and the file keeps its owner, mode and attributes")
    func inItsPlace() throws {
        try work.write("# settings\nTOKEN=\(secret)\r\nURL=\"https://x/?key=\(secret)\"\nOTHER=1", to: "env")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640, .groupOwnerAccountID: 1], ofItemAtPath: work.path("env"))
        _ = try work.run("/bin/sh", ["-c", "setfattr -n user.note -v kept \(work.path("env"))"])
        let done = try work.keyvigil("rotate", "shop", "--to", work.path("env"), "--json")
        let line = try #require(done.objects.first)
        #expect(done.status == 0 && line["secret"] is NSNull && line["written_to"] as? [String] == [work.path("env")])
        let now = try text("env")
        let new = String(now.dropFirst("# settings\nTOKEN=".count).prefix(secret.count))
        #expect(now == "# settings\nTOKEN=\(new)\r\nURL=\"https://x/?key=\(new)\"\nOTHER=1" && new != secret)
        #expect(!done.output.contains(new) && !done.errors.contains(new))
        #expect(try isValid(new) && isValid(secret))
        let attributes = try FileManager.default.attributesOfItem(atPath: work.path("env"))
        #expect(attributes[.posixPermissions] as? Int == 0o640 && attributes[.groupOwnerAccountID] as? Int == 1)
        let note = try work.run("/bin/sh", ["-c", "getfattr --only-values -n user.note \(work.path("env"))"])
        #expect(note.status == 127 || note.output == "kept")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: work.path("")).allSatisfy { !$0.hasSuffix(".part") })
        // From now on it is known where the secret is.
        let shown = try work.keyvigil("show", "shop", "--json").objects.first?["expected"] as? [[String: Any]]
        #expect(shown?.compactMap { $0["path"] as? String } == [work.path("env")])
    }

    static let fields: [(file: String, field: String, before: String, after: String)] = [
        ("a.env", "KEY", "A=1\nexport KEY='old'\n#KEY=x\n", "A=1\nexport KEY='NEW'\n#KEY=x\n"),
        ("b.env", "KEY", "KEY=\nKEYS=2", "KEY=NEW\nKEYS=2"),
        ("c.env", "KEY", "KEY=old # note\nKEY = \"older\"\n", "KEY=NEW # note\nKEY = \"NEW\"\n"),
        ("d.ini", "api.key", "key=1\n[api]\nkey = old\n[web]\nkey=2\n", "key=1\n[api]\nkey = NEW\n[web]\nkey=2\n"),
        (
            "e.json", "api.key", #"{"key":"a", "api" : { "key":"o\"ld" ,"n":[1,{}]}}"#,
            #"{"key":"a", "api" : { "key":"NEW" ,"n":[1,{}]}}"#
        ),
        ("f.json", "/list/1/a~1b", #"{"list":[{"a/b":"x"},{"a/b":"old"}]}"#, #"{"list":[{"a/b":"x"},{"a/b":"NEW"}]}"#),
        ("g.yaml", "api.key", "key: 1\napi:\n  # c\n  key: old  # note\n", "key: 1\napi:\n  # c\n  key: NEW  # note\n"),
        (
            "h.yml", "key", "text: |\n  key: x\n'key': 'it''s'\nlist:\n- key: y\n",
            "text: |\n  key: x\n'key': 'NEW'\nlist:\n- key: y\n"
        ),
    ]

    @Test("a field of a settings file gets the secret, and nothing else of it changes", arguments: fields.indices)
    func inAField(number: Int) throws {
        let (file, field, before, after) = Self.fields[number]
        try work.write(before, to: file)
        let done = try work.keyvigil("rotate", "shop", "--to", "\(work.path(file))#\(field)")
        #expect(done.status == 0 && done.output.contains("The new secret is in \(work.path(file))."), "\(done.errors)")
        let now = try text(file)
        let (head, tail) = try #require(
            after.range(of: "NEW").map { (after[..<$0.lowerBound], after[$0.upperBound...]) })
        let new = try #require(now.dropFirst(head.count).split { !$0.isLetter && !$0.isNumber && $0 != "_" }.first)
        #expect(now == after.replacingOccurrences(of: "NEW", with: new), "\(head)…\(tail)")
        #expect(try isValid(String(new)))
    }

    static let refusals: [(file: String, field: String, content: String, reason: String)] = [
        ("a.env", "", "KEY=1\n", "it holds no secret of the key"),
        ("b.env", "#NAME", "KEY=1\n", "it has no value 'NAME'"),
        ("c.env", "#KEY", "KEY=two words\n", "the value has blanks and no quotes"),
        ("d.json", "#key", "{\"key\": 1}", "its value 'key' is no string"),
        ("e.json", "#key", "{\"a\": 1,\n \"key\" \"x\"}", "it is no JSON: see line 2"),
        ("f.json", "#key", "{\"key\": \"x\", \"key\": \"y\"}", "it has the name 'key' twice"),
        ("g.yaml", "#key", "key: |\n  text\n", "the value is no text of one line"),
        ("h.yaml", "#key", "key: a\n---\nkey: b\n", "it has that value 2 times"),
        ("missing", "", "", "there is no file"), ("link", "", "", "is a symbolic link"),
        ("names", "", "", "has 2 names"),
    ]

    @Test("where one of the files cannot be written, nothing changes", arguments: refusals.indices)
    func refused(number: Int) throws {
        let (file, field, content, reason) = Self.refusals[number]
        try work.write("TOKEN=\(secret)\n", to: "good.env")
        if !content.isEmpty { try work.write(content, to: file) }
        if file == "link" { _ = try work.run("/bin/ln", ["-s", "good.env", work.path(file)]) }
        if file == "names" {
            try work.write("TOKEN=\(secret)\n", to: "other")
            _ = try work.run("/bin/ln", [work.path("other"), work.path(file)])
        }
        let done = try work.keyvigil(
            "rotate", "shop", "--to", work.path("good.env"), "--to", work.path(file) + field)
        #expect(
            done.status == 2 && done.errors.contains(reason) && done.errors.contains(work.path(file)), "\(done.errors)")
        #expect(try generation() == 1 && text("good.env") == "TOKEN=\(secret)\n")
        if !content.isEmpty { #expect(try text(file) == content) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: work.path("")).allSatisfy { !$0.hasSuffix(".part") })
    }

    @Test(
        "another issuer's secret is written with the escapes that it needs, or nothing is recorded"
    )
    func held() throws {
        let old = "acme:" + String(repeating: "o", count: 30)
        let line = "{\"name\":\"bank\",\"issuer\":\"external\",\"secret\":\"\(old)\",\"prefix\":\"acme:ooo\"}\n"
        try work.write(line, to: "keys.jsonl")
        let imported = try work.keyvigil("import", work.path("keys.jsonl"))
        #expect(imported.status == 0, "\(imported.errors)")
        let new = "acme:" + String(repeating: "n", count: 20) + "\\$'\"x"
        try work.write("{\"key\": \"\(old)\"}", to: "a.json")
        try work.write("KEY=\"\(old)\"\n", to: "a.env")
        let refused = try work.keyvigil(
            "rotate", "bank", "--secret-stdin", "--to", work.path("a.env") + "#KEY", input: new)
        #expect(refused.status == 2 && refused.errors.contains("without a change of the quotes"), "\(refused.errors)")
        #expect(try text("a.env") == "KEY=\"\(old)\"\n" && isValid(old))
        let done = try work.keyvigil(
            "rotate", "bank", "--secret-stdin", "--to", work.path("a.json") + "#key", input: new)
        #expect(done.status == 0 && !done.output.contains("nnnn"), "\(done.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(text("a.json").utf8)) as? [String: String]
        #expect(object == ["key": new])
    }

    @Test("a systemd credential is encrypted for its name")
    func credential() throws {
        guard getuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-creds") else { return }
        try work.write("", to: "token.cred")
        let done = try work.keyvigil("rotate", "shop", "--to", work.path("token.cred"))
        #expect(done.status == 0, "\(done.errors)")
        let opened = try work.run("/usr/bin/systemd-creds", ["decrypt", "--name=token", work.path("token.cred"), "-"])
        #expect(try isValid(opened.output), "\(opened.errors)")
        #expect(try !text("token.cred").contains("kv_live"))
    }

    @Test("a unit that cannot be reloaded is named, and the secret is in its place all the same")
    func reload() throws {
        try work.write("TOKEN=\(secret)\n", to: "env")
        let done = try work.keyvigil("rotate", "shop", "--to", work.path("env"), "--reload", "keyvigil-no-such.service")
        #expect(
            done.status == 2
                && done.errors.contains("has a new secret, but the unit keyvigil-no-such.service was not reloaded"))
        #expect(done.errors.contains("hint: systemctl restart keyvigil-no-such.service"), "\(done.errors)")
        #expect(try generation() == 2 && isValid(String(text("env").dropFirst(6).dropLast())))
        #expect(try work.keyvigil("rotate", "shop", "--reload", "x").errors.contains("add --to PATH"))
    }
}
