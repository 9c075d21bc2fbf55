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

    /// With a byte order mark, where the file has one.
    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: work.path(name))), as: UTF8.self)
    }

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
        // A quote of a comment opens nothing, and what a backslash joins or quotes enclose is elsewhere.
        (
            "i.env", "KEY", "# it's\nA='x\n y'\nB=\"it's\"\nC=it\\'s\nKEY=\"old\" # 'note\n",
            "# it's\nA='x\n y'\nB=\"it's\"\nC=it\\'s\nKEY=\"NEW\" # 'note\n"
        ),
        (
            "j.sh", "KEY", "cat <<EOF\nA=1\nEOF\nif true; then\n  export KEY=old\nfi\n",
            "cat <<EOF\nA=1\nEOF\nif true; then\n  export KEY=NEW\nfi\n"
        ),
        ("k.json", "a", "\u{FEFF}{\"\\u0061\": \"\\u0062\"}\n", "\u{FEFF}{\"\\u0061\": \"NEW\"}\n"),
        (
            "l.toml", "api.key", "note = \"\"\"\nkey = \"x\"\n\"\"\"\n[api]\nkey = \"o\\\"ld\" # c\n[b]\nkey='y'\n",
            "note = \"\"\"\nkey = \"x\"\n\"\"\"\n[api]\nkey = \"NEW\" # c\n[b]\nkey='y'\n"
        ),
        (
            "m.toml", "a.\u{FC}.1.key", "a = {\"\u{FC}\" = [1, {key = 'old', n = \"\"}]}\r\n",
            "a = {\"\u{FC}\" = [1, {key = 'NEW', n = \"\"}]}\r\n"
        ),
        (
            "n.toml", "server.1.key", "[[server]]\nkey = \"\"\n[[server]]\nkey = \"\"\n",
            "[[server]]\nkey = \"\"\n[[server]]\nkey = \"NEW\"\n"
        ),
        ("o.properties", "a:b.key", "a\\:b.key : old = x y\n#key=1\n", "a\\:b.key : NEW\n#key=1\n"),
        (
            "p.yaml", "list.1.key", "x: &x {key: a}\nlist:\n- *x\n- name: n\n  key: \"old\"\n  t: >-\n    key: y\n",
            "x: &x {key: a}\nlist:\n- *x\n- name: n\n  key: \"NEW\"\n  t: >-\n    key: y\n"
        ),
        (
            "q.yaml", "data.key",
            "%YAML 1.2\n---\nkind: a\n--- # c\ndata:\n  text: a\n    b\n  key: old\n\n  # d\n...\n",
            "%YAML 1.2\n---\nkind: a\n--- # c\ndata:\n  text: a\n    b\n  key: NEW\n\n  # d\n...\n"
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
        ("c.env", "#KEY", "KEY=two words\n", "line 1: the value has blanks and no quotes"),
        ("d.json", "#key", "{\"key\": 1}", "line 1: the value is a number and not a text"),
        ("e.json", "#key", "{\"a\": 1,\n \"key\" \"x\"}", "it is no JSON: see line 2"),
        ("f.json", "#key", "{\"key\": \"x\", \"key\": \"y\"}", "it has 'key' 2 times: lines 1, 1"),
        ("g.yaml", "#key", "a: 1\nkey: |\n  text\n", "line 2: the value is several lines long"),
        ("h.yaml", "#key", "key: a\n---\nkey: b\n", "it has 'key' 2 times: lines 1, 3"),
        // Which text a quote ends, readers differ in.
        ("i.env", "#KEY", "KEY=\"a\"b\"c\"\n", "line 1: something follows the quotes"),
        ("j.env", "#KEY", "KEY='a'\"b\"\n", "line 1: something follows the quotes"),
        ("k.env", "#KEY", "KEY='a' \"b\"\n", "line 1: something follows the quotes"),
        ("l.env", "#KEY", "KEY=\"\"\"a\nb\"\"\"\n", "line 1: something follows the quotes"),
        ("m.env", "#KEY", "A=1\nKEY=\"a\nb\"\n", "line 2: the quotes of the value do not end"),
        ("n.env", "#KEY", "KEY=a\\\nb\n", "line 1: the value has a character that means something else"),
        ("o.env", "#KEY", "A=a \\\nKEY=b\n", "line 2: a backslash joins the line"),
        ("p.env", "#KEY", "A='\nKEY=b\n'\n", "line 2: it is within a text that begins in line 1"),
        ("q.env", "#KEY", "A=it's\nKEY=b\n", "line 2: it is within a text that begins in line 1"),
        ("r.env", "#KEY", "A=it's\nB='x\nKEY=y\n'\n", "line 3: it is within a text that begins in line 2"),
        ("s.sh", "#KEY", "cat <<-'E'\nKEY=a\n\tE\nKEY=b\n", "line 2: it is within a text that begins in line 1"),
        ("t.env", "#KEY", "KEY=$(pass)\n", "line 1: the value has a character that means something else"),
        ("u.env", "#KEY", "KEY=a;b\n", "line 1: the value has a character that means something else"),
        ("v.env", "#KEY", "KEY=#a\n", "line 1: it begins with #"),
        ("w.ini", "#key", "key = a\n  b\n", "line 1: the next line is indented"),
        ("x.ini", "#key", "a = a\n  key = b\n", "line 2: the line is indented"),
        ("y.ini", "#key", "[a]\nkey=1\n[b]\nkey=2\n", "it has 'key' 2 times: lines 2, 4"),
        ("z.tf", "#key", "a {\n  key = \"x\"\n}\nb {\n  key = \"y\"\n}\n", "it has 'key' 2 times: lines 2, 5"),
        ("aa.env", "#KEY", "KEY=a\u{0}", "line 1: it has a byte that is zero"),
        ("ab.toml", "#key", "a = 1\nkey = \"\"\"\nabc\"\"\"\n", "line 2: the value is in three quotes"),
        ("ac.toml", "#key", "key = '''abc'''\n", "line 1: the value is in three quotes"),
        ("ad.toml", "#port", "port = 5\n", "line 1: the value is a number"),
        ("ae.toml", "#a", "a = 2020-01-01\n", "line 1: the value is a date or time"),
        ("af.toml", "#a", "a = [\"x\"]\n", "line 1: the value is a list"),
        ("ag.toml", "#a", "[a]\nb = \"x\"\n", "line 1: the value is a table"),
        ("ah.toml", "#key", "key = x\n", "line 1: it is no TOML: expected a value"),
        ("ai.toml", "#key", "key = \"a\"\nkey = \"b\"\n", "line 2: it is no TOML: key is already defined"),
        ("aj.yaml", "#key", "key: foo\n  bar\n", "line 1: the value is several lines long"),
        ("ak.yaml", "#key", "key: \"foo\n  bar\"\n", "line 1: the value is several lines long"),
        ("al.yaml", "#key", "key:\n  foo\n", "line 1: the value is empty or in the lines below"),
        ("am.yaml", "#key", "key: &a foo\n", "line 1: the value has an anchor"),
        ("an.yaml", "#key", "a: &a foo\nkey: *a\n", "line 2: the value is another name (*)"),
        ("ao.yaml", "#a.key", "a: {key: b}\n", "line 1: its value 'a.key' would be within"),
        ("ap.yaml", "#key", "key: 'a' b\n", "line 1: something follows the value"),
        ("aq.yaml", "#key", "a:\n\tb: c\nkey: d\n", "line 2: a tab indents it"),
        ("ar.yaml", "#a.key", "a:\n    b: 1\n  key: c\n", "line 3: it is indented unlike"),
        ("as.yaml", "#a.key", "a:\n  key: c\nb: 1\na:\n  d: 1\n", "it has 'a' 2 times: lines 1, 4"),
        ("at.yaml", "#key", "key: a: b\n", "line 1: the value has a colon and no quotes"),
        (
            "au.json", "#key", "{\"key\": \"a\"}\n{\"key\": \"b\"}\n",
            "line 2: something follows the first JSON document"
        ),
        ("av.json", "#a.key", "{\"a\": {\"key\": \"a\"}, \"a\": {}}", "it has 'a' 2 times: lines 1, 1"),
        ("aw.json", "#key", "{\"key\": \"a\" /* c */}", "it is no JSON: see line 1"),
        ("ax.jsonl", "#key", "{\"key\": \"a\"}\n{\"key\": \"b\"}\n", "line 2: something follows"),
        ("ay.properties", "#key", "key=a\\\n  b\n", "line 1: the value is several lines long"),
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

    @Test("a file of settings that is empty gets no secret alone, which would be no file of its kind")
    func empty() throws {
        for name in ["a.json", "a.toml", "a.yaml", "a.env"] {
            try work.write("", to: name)
            let done = try work.keyvigil("rotate", "shop", "--to", work.path(name))
            #expect(
                done.status == 2 && done.errors.contains("a secret alone is no file of that kind"), "\(done.errors)")
        }
        #expect(try generation() == 1)
        try work.write("", to: "token")
        #expect(try work.keyvigil("rotate", "shop", "--to", work.path("token")).status == 0)
        #expect(try isValid(text("token")))
    }

    @Test("a file that is named twice is refused, whatever its fields are")
    func twice() throws {
        try work.write("A=1\nB=2\n", to: "env")
        let path = work.path("env")
        let done = try work.keyvigil("rotate", "shop", "--to", "\(path)#A", "--to", "\(path)#B")
        #expect(done.status == 2 && done.errors.contains("--to names a file twice"), "\(done.errors)")
        #expect(try generation() == 1 && text("env") == "A=1\nB=2\n")
    }

    /// What lets a file be read and written, and yet not replaced. The mounts are those of a namespace that ends with the shell.
    static let fixtures: [(command: String, reason: String, hint: String)] = [
        (
            "mount --bind \"$1\" \"$1\"", "is mounted there by itself",
            "findmnt --noheadings --output SOURCE --mountpoint "
        ),
        ("chattr +i \"$1\"", "it is immutable", "chattr -i "),
        ("chattr +a \"$1\"", "it can only be added to", "chattr -a "),
        ("chattr +i \"${1%/*}\"", "its folder is immutable", "chattr -i "),
        ("chattr +a \"${1%/*}\"", "its folder can only be added to", "chattr -a "),
    ]

    @Test(
        "a file that can be written and not replaced is refused before the key has another secret",
        .enabled(if: getuid() == 0), arguments: fixtures.indices)
    func fixed(number: Int) throws {
        let (command, reason, hint) = Self.fixtures[number]
        try work.write("KEY=\(secret)\n", to: "a folder/env")
        let path = work.path("a folder/env")
        let script = """
            \(command) || exit 77
            "$2" rotate shop --to "$1" --config "$3"; status=$?
            chattr -i -a "$1" "${1%/*}" 2> /dev/null
            exit $status
            """
        let done = try work.run(
            "/usr/bin/unshare",
            [
                "--mount", "/bin/sh", "-c", script, "sh", path, Workplace.binaries.appending(path: "keyvigil").path,
                work.configuration,
            ])
        // Not every file system has such attributes.
        guard done.status != 77 else { return }
        let object = command.contains("%") ? work.path("a folder") : path
        #expect(done.status == 2 && done.errors.contains(reason), "\(done.errors)")
        #expect(done.errors.contains("\(hint)'\(object)'"), "\(done.errors)")
        #expect(try generation() == 1 && text("a folder/env") == "KEY=\(secret)\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path("a folder")) == ["env"])
    }

    @Test("what a scan saw before a rotation is not said of the file as it is now")
    func seenBefore() throws {
        try work.write("KEY=\(secret)\n", to: "folder/env")
        #expect(try work.keyvigil("expect", "shop", work.path("folder/env")).status == 0)
        #expect(try work.keyvigil("scan", work.path("folder")).status == 0)
        #expect(try work.keyvigil("show", "shop").output.contains("folder/env  holds the current secret, as of"))
        #expect(try work.keyvigil("rotate", "shop", "--to", work.path("folder/env")).status == 0)
        let shown = try work.keyvigil("show", "shop").output
        #expect(shown.contains(", before the key was rotated") && !shown.contains("still holds"), "\(shown)")
        #expect(try work.keyvigil("scan", work.path("folder")).status == 0)
        #expect(try work.keyvigil("show", "shop").output.contains("folder/env  holds the current secret, as of"))
        let empty = try work.keyvigil("expect", "shop", "")
        #expect(empty.status == 2 && empty.errors.contains("a path is empty"), "\(empty.errors)")
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
        // Which secret it holds is known only to who can decrypt it.
        let target = ["shop", "--to", work.path("token.cred")]
        #expect(try work.keyvigil("rotate", target[0], target[1], target[2], "--idempotency-key", "r").status == 0)
        #expect(try work.keyvigil("rotate", target[0], target[1], target[2], "--idempotency-key", "r").status == 0)
        #expect(try generation() == 3)
    }

    @Test("a rotation that is asked for again says which files have its secret, and fails where one has not")
    func again() throws {
        for name in ["a", "b"] { try work.write("KEY=1\n", to: name) }
        func rotate(_ name: String) throws -> Workplace.Outcome {
            try work.keyvigil("rotate", "shop", "--to", work.path(name) + "#KEY", "--idempotency-key", "r7", "--json")
        }
        let first = try rotate("a")
        #expect(first.status == 0, "\(first.errors)")
        let second = try rotate("a")
        let line = try #require(second.objects.first)
        #expect(second.status == 0 && line["repeated"] as? Bool == true)
        #expect(line["written_to"] as? [String] == [work.path("a")] && line["reloaded"] as? [String] == [])
        let other = try rotate("b")
        #expect(other.status == 2 && other.output.isEmpty, "\(other.output)")
        #expect(
            other.errors.contains("its secret is not in \(work.path("b"))")
                && other.errors.contains("rotate again under another --idempotency-key"), "\(other.errors)")
        #expect(try generation() == 2 && text("b") == "KEY=1\n")
        // Nor has a file that was given another one since.
        #expect(try work.keyvigil("rotate", "shop", "--to", work.path("a")).status == 0)
        #expect(try rotate("a").status == 2 && generation() == 3)
    }

    @Test("a unit that cannot be reloaded, and a pattern of units, change nothing")
    func reload() throws {
        try work.write("TOKEN=\(secret)\n", to: "env")
        let refusals = [
            (
                "keyvigil-no-such.service",
                ["systemd does not run here", "systemd has no unit keyvigil-no-such.service"]
            ),
            ("*.service", ["*.service is a pattern", "'*.service' is a pattern"]),
        ]
        for (unit, refusal) in refusals {
            let refused = try work.keyvigil("rotate", "shop", "--to", work.path("env"), "--reload", unit)
            #expect(refused.status == 2 && refusal.contains { refused.errors.contains($0) }, "\(refused.errors)")
        }
        #expect(try generation() == 1 && text("env") == "TOKEN=\(secret)\n" && isValid(secret))
        #expect(try work.keyvigil("rotate", "shop", "--reload", "x").errors.contains("add --to PATH"))
    }
}
