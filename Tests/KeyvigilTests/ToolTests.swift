import Foundation
import Testing

@Suite("The tool")
struct ToolTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    /// The tool must fail with status 2, this error and some hint, and print nothing to standard output.
    func expectError(_ outcome: Workplace.Outcome, _ message: String, location: SourceLocation = #_sourceLocation) {
        #expect(outcome.status == 2, sourceLocation: location)
        #expect(outcome.output == "", sourceLocation: location)
        #expect(
            outcome.errors.hasPrefix("keyvigil: error: \(message)"), "\(outcome.errors)", sourceLocation: location)
        #expect(outcome.errors.contains("\nhint: "), sourceLocation: location)
    }

    @Test("create prints the fields that scripts rely on, and the secret once")
    func create() throws {
        let made = try work.create(
            "billing", "--owner", "ana", "--env", "test", "--permission", "read,mcp:write", "--resource", "b",
            "--resource",
            "a", "--expires", "2099-01-31", "--rotate-every", "90d")
        let secret = try #require(made["secret"] as? String)
        let prefix = try #require(made["prefix"] as? String)
        #expect(secret.hasPrefix(prefix) && prefix.hasPrefix("kv_test_"))
        #expect(made["name"] as? String == "billing" && made["owner"] as? String == "ana")
        #expect(
            made["permissions"] as? [String] == ["mcp:write", "read"] && made["resources"] as? [String] == ["a", "b"])
        #expect(made["expires_at"] as? String == "2099-01-31T00:00:00Z" && made["rotate_every"] as? String == "90d")
        let shown = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        let fields: Set = [
            "id", "name", "owner", "issuer", "environment", "prefix", "permissions", "resources", "role", "status",
            "created_at", "expires_at", "rotate_every", "rotation_due_at", "rotated_at", "last_used_at", "revoked_at",
            "hygiene",
        ]
        #expect(fields.isSubset(of: Set(shown.keys)))
        #expect(shown["secret"] == nil && shown["id"] as? String == made["id"] as? String)
        for arguments in [["list"], ["list", "--json"], ["show", "billing"], ["audit"], ["alerts"]] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(!outcome.output.contains(secret.dropFirst(prefix.count)) && outcome.status == 0)
        }
    }

    @Test("for a person, create shows the secret and says that it is shown once")
    func createForPeople() throws {
        let outcome = try work.keyvigil("create", "billing", "--permission", "read")
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output.contains("shown this once") && outcome.output.contains("secret       kv_live_"))
        #expect(!outcome.output.contains("\u{1B}"))
    }

    @Test("verify reads the credential from standard input and answers with code and HTTP status")
    func verify() throws {
        let made = try work.create("billing", "--permission", "read", "--resource", "a", "--expires", "never")
        let secret = try #require(made["secret"] as? String)
        func ask(_ credential: String, _ options: String...) throws -> (Int32, String?, Int?) {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["verify", "--json", "--config", work.configuration] + options, input: credential)
            #expect(!outcome.output.contains(secret) && !outcome.errors.contains(secret))
            let object = outcome.objects.first
            return (outcome.status, object?["code"] as? String, object?["http_status"] as? Int)
        }
        #expect(try ask("Bearer \(secret)\n") == (0, "VALID", 200))
        #expect(try ask(secret, "--permission", "read", "--resource", "a") == (0, "VALID", 200))
        #expect(try ask(secret, "--permission", "write") == (1, "INSUFFICIENT_PERMISSIONS", 403))
        #expect(try ask(secret, "--resource", "b") == (1, "RESOURCE_NOT_FOUND", 404))
        #expect(try ask("Bearer \(secret)x") == (1, "NOT_FOUND", 401))
        try work.keyvigil("revoke", "billing")
        #expect(try ask(secret) == (1, "REVOKED", 401))
        expectError(try work.keyvigil("verify", input: ""), "nothing came on standard input")
        expectError(
            try work.keyvigil("verify", input: String(repeating: "a", count: 5000)), "the value of an Authorization")
    }

    @Test("of several keys that are to be revoked, one that cannot be leaves out none of the others")
    func several() throws {
        for name in ["a", "b", "c"] { _ = try work.create(name) }
        try work.keyvigil("revoke", "b")
        let revoked = try work.keyvigil("revoke", "a", "b", "c")
        #expect(revoked.status == 2 && revoked.errors.contains("the key 'b' is revoked"), "\(revoked.errors)")
        let active = try work.keyvigil("list", "--status", "active", "--json").objects
        #expect(active.isEmpty, "\(active)")
    }

    @Test("no overlap outlives an expiry that comes with the rotation, nor is said to")
    func overlaps() throws {
        _ = try work.create("invoices")
        try #require(try work.keyvigil("rotate", "invoices", "--overlap", "1h").status == 0)
        let shorter = try work.keyvigil("rotate", "invoices", "--overlap", "2d", "--expires", "30m")
        let expiry = try #require(
            try work.keyvigil("show", "invoices", "--json").objects.first?["expires_at"] as? String)
        #expect(
            shorter.output.contains(
                "The old secret is valid until \(expiry). One of an earlier rotation stays valid until \(expiry), when the key expires"
            ), "\(shorter.output)")
        let recorded = try work.keyvigil("audit", "--action", "key.rotated", "--json").objects
        #expect(
            recorded.contains { ($0["details"] as? [String: Any])?["old_secret_valid_until"] as? String == expiry },
            "\(recorded)")
    }

    @Test("a key goes through its life by its name and its id")
    func life() throws {
        let made = try work.create("billing")
        let id = try #require(made["id"] as? String)
        #expect(try work.keyvigil("rename", "billing", "invoices").status == 0)
        let edited = try work.keyvigil(
            "edit", id, "--owner", "ben", "--permission", "read", "--expires", "never", "--json")
        #expect(edited.objects.first?["owner"] as? String == "ben" && edited.objects.first?["expires_at"] is NSNull)
        let rotated = try #require(try work.keyvigil("rotate", "invoices", "--overlap", "1h", "--json").objects.first)
        #expect(rotated["secret"] as? String != made["secret"] as? String && rotated["id"] as? String == id)
        #expect(rotated["old_secret_valid_until"] is String)
        #expect(try work.keyvigil("revoke", "invoices", "--reason", "left").status == 0)
        #expect(try work.keyvigil("list", "--status", "revoked", "--json").objects.count == 1)
        expectError(try work.keyvigil("delete", "invoices"), "this cannot be undone")
        #expect(try work.keyvigil("delete", "invoices", "--yes").status == 0)
        #expect(try work.keyvigil("list", "--json").objects.isEmpty)
        #expect(try work.keyvigil("list", "--all", "--json").objects.count == 1)
        let actions = try work.keyvigil("audit", "--json").objects.compactMap { $0["action"] as? String }
        #expect(
            actions == ["key.created", "key.renamed", "key.edited", "key.rotated", "key.revoked", "key.deleted"])
        #expect(try work.keyvigil("audit", "verify").status == 0)
        func count(_ arguments: String...) throws -> Int {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["audit", "--json", "--config", work.configuration] + arguments
            ).objects.count
        }
        #expect(try count("--action", "key.revoked") == 1)
        #expect(try count("--since", "1h") == 6 && count("--until", "1h") == 0)
        #expect(try count("--since", "2020-01-01", "--until", "2020-01-02") == 0)
        #expect(try count("--uid", "\(getuid())") == 6 && count("--uid", "4711") == 0)
        expectError(try work.keyvigil("audit", "--action", "key.revokd"), "'key.revokd' is not")
    }

    /// Runs the tool through a shell, for what the shell can do to its descriptors. `$0` is the tool.
    func shell(_ script: String, input: String = "") throws -> Workplace.Outcome {
        try work.run(
            "/bin/sh", ["-c", script, Workplace.binaries.appending(path: "keyvigil").path], input: input,
            environment: ["CONFIG": work.configuration])
    }

    @Test("closed and full descriptors are reported, and never become the store's")
    func descriptors() throws {
        _ = try work.create("billing")
        expectError(try shell("\"$0\" verify --config \"$CONFIG\" <&-"), "nothing came on standard input")
        expectError(try shell("\"$0\" import --config \"$CONFIG\" <&-"), "nothing came on standard input")
        expectError(try shell("\"$0\" list --config \"$CONFIG\" > /dev/full"), "the output could not be written")
        expectError(try shell("\"$0\" list --config \"$CONFIG\" >&-"), "the output could not be written")
        // The key is there, and what to do about its lost secret is printed.
        expectError(
            try shell("\"$0\" create lost --permission read --config \"$CONFIG\" > /dev/full"), "the key 'lost' (key_")
        #expect(try shell("\"$0\" rename lost found --config \"$CONFIG\" <&- >&- 2>&-").status == 2)
        #expect(try shell("\"$0\" list --config \"$CONFIG\" | true").status == 0)
        #expect(
            try work.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["billing", "found"])
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test(
        "a store that is full or cannot be written is reported, and nothing is changed",
        .enabled(if: geteuid() == 0, "only root can mount a file system"))
    func unwritable() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        // A file system of its own for the store: small, and read-only at the end.
        let script = """
            set -e
            mkdir -p "$WORK/small" && mount -t tmpfs -o size=1M,mode=700 tmpfs "$WORK/small"
            cp "$WORK/keys.sqlite" "$WORK/pepper" "$WORK/small/"
            tool() { "$0" "$@" --store "$WORK/small/keys.sqlite" --config "$CONFIG"; }
            dd if=/dev/zero of="$WORK/small/filler" bs=1k 2> /dev/null || true
            tool create other && exit 10 || true
            rm "$WORK/small/filler"
            tool rename billing renamed
            mount -o remount,ro "$WORK/small"
            tool create third && exit 11 || true
            mount -o remount,rw "$WORK/small"
            tool list --json
            printf %s "$SECRET" | tool verify
            """
        let outcome = try work.run(
            "/usr/bin/unshare",
            ["--mount", "/bin/sh", "-c", script, Workplace.binaries.appending(path: "keyvigil").path],
            environment: ["CONFIG": work.configuration, "WORK": work.directory.path, "SECRET": secret])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.objects.compactMap { $0["name"] as? String } == ["renamed"], "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("VALID"))
        #expect(outcome.errors.contains("the disk that holds \(work.path("small/keys.sqlite")) is full"))
        #expect(outcome.errors.contains("the file system of the store \(work.path("small/keys.sqlite")) is read-only"))
    }

    @Test("bad input is refused with what to do, and changes nothing")
    func badInput() throws {
        _ = try work.create("billing")
        expectError(try work.keyvigil("create", "billing"), "a key named 'billing' already exists")
        expectError(
            try work.keyvigil("create", "a\u{202E}b"), "the name 'a\\u{202E}b' contains the invisible character")
        expectError(try work.keyvigil("create", String(repeating: "n", count: 10_000)), "the name has 10000 characters")
        expectError(
            try work.keyvigil("create", "x", "--expires", "2020-01-01"), "the expiry 2020-01-01T00:00:00Z is not")
        expectError(try work.keyvigil("create", "x", "--expires", "2027-02-29"), "'2027-02-29' is not a date")
        expectError(try work.keyvigil("create", "x", "--expires", "99999999999999999999d"), "the period")
        expectError(try work.keyvigil("create", "x", "--permission", ""), "the list of permissions is empty")
        expectError(try work.keyvigil("create", "x", "--env", "prod"), "'prod' is not an environment")
        expectError(try work.keyvigil("create"), "give the key one name")
        expectError(try work.keyvigil("show", "biling"), "there is no key 'biling'")
        expectError(try work.keyvigil("show", "key_abc"), "'key_abc' is too short for an id")
        expectError(try work.keyvigil("edit", "billing"), "there is nothing to change")
        expectError(try work.keyvigil("list", "--flag", "rotation_deu"), "'rotation_deu' is not a flag")
        expectError(try work.keyvigil("creat", "x"), "there is no verb 'creat'\nhint: did you mean 'create'?")
        expectError(try work.keyvigil("help", "creat"), "there is no verb 'creat'\nhint: did you mean 'create'?")
        expectError(try work.keyvigil("list", "--issuer", "externl"), "there is no issuer 'externl'")
        expectError(try work.keyvigil("scan", ""), "the path of the place to search is empty")
        for (words, what) in [
            (["metrics", "--textfile", ""], "--textfile"), (["list", "--store", ""], "--store"),
            (["restore", ""], "the backup"), (["merge", ""], "the other store"), (["import", ""], "the file"),
            (["export-hook-list", ""], "the list"), (["report", "--html", ""], "--html"),
            (["backup", ""], "the file to make"),
        ] {
            expectError(
                try work.run(
                    Workplace.binaries.appending(path: "keyvigil").path, words + ["--config", work.configuration]),
                "the path of \(what) is empty")
        }
        expectError(
            try work.keyvigil("scan", work.path("none")),
            "\(work.path("none")) was not searched: there is nothing at \(work.path("none"))\nhint: check the path: ls -la "
                + work.directory.path)
        #expect(
            try work.keyvigil("import", "--format", "csv", input: "name,issuer,prefix\n").output == "Imported 0 keys.\n"
        )
        expectError(try work.keyvigil("list", "--jsno"), "there is no option '--jsno'")
        #expect(try work.keyvigil("list", "--json").objects.count == 1)
        #expect(try work.keyvigil("audit", "--json").objects.count == 1)
    }

    @Test("init makes the folder of its settings")
    func settings() throws {
        let tool = Workplace.binaries.appending(path: "keyvigil").path
        func initialise(_ folder: String) throws -> Workplace.Outcome {
            try work.run(
                tool,
                [
                    "init", "--repository", "-", "--no-decoy", "--no-start", "--config",
                    work.path("\(folder)/keyvigil.toml"),
                ])
        }
        let made = try initialise("new")
        #expect(made.status == 0 && made.errors.contains("is watched: give --repository"), "\(made)")
        #expect(
            try String(contentsOfFile: work.path("new/conf.d/site.toml"), encoding: .utf8).contains("repositories = []")
        )
        try work.write("", to: "file")
        let refused = try initialise("file")
        #expect(refused.status == 2 && refused.errors.lowercased().contains("not a directory"), "\(refused)")
    }

    #if DEBUG
    @Test("a debug build says where an error was made")
    func origin() throws {
        let typed = try work.keyvigil("create", "x", "--expires", "90").errors
        #expect(typed.contains(#/\nat: Keys\/Period\.swift:\d+\n/#), "\(typed)")
        let stored = try work.keyvigil("show", "nothing").errors
        #expect(stored.contains(#/\nat: KeyStore\/\w+\.swift:\d+\n/#), "\(stored)")
    }
    #endif

    @Test(
        "a command line that cannot be read is refused in plain words, with the command that prints the help",
        arguments: [
            (["list", "--jsno"], "there is no option '--jsno'", "did you mean '--json'? All of them: keyvigil list"),
            (["list", "--frobnicate"], "there is no option '--frobnicate'", "see which there are: keyvigil list"),
            (["list", "--color"], "the option '--color' needs a value", "see which: keyvigil list --help"),
            (["list", "--json=yes"], "the option '--json' takes no value", "give it alone; see: keyvigil list --help"),
            (["list", "--color", "pink"], "'pink' is no value of '--color'", "give 'auto', 'always' or 'never'"),
            (
                ["status", "now", "or later"], "there is more than is expected: 'now', 'or later'",
                "see what is expected, and quote what holds blanks: keyvigil status --help"
            ),
            (["show"], "something is missing: <keys> ...", "see what is expected: keyvigil show --help"),
            (["findings", "dismiss"], "something is missing: <finding>", "keyvigil findings dismiss --help"),
        ])
    func usage(_ words: [String], _ message: String, _ hint: String) throws {
        let outcome = try work.run(Workplace.binaries.appending(path: "keyvigil").path, words)
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("keyvigil: error: \(message)\nhint: "), "\(outcome.errors)")
        #expect(outcome.errors.contains(hint) && !outcome.errors.lowercased().contains("usage"), "\(outcome.errors)")
    }

    @Test("a store that is not there, not ours, exposed, or without its pepper is reported, and left alone")
    func stores() throws {
        expectError(try work.keyvigil("list"), "there is no store at")
        #expect(!FileManager.default.fileExists(atPath: work.path("keys.sqlite")))
        #expect(!FileManager.default.fileExists(atPath: work.path("pepper")))
        _ = try work.create("billing")
        for name in ["keys.sqlite", "pepper"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: work.path(name))
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: work.path("pepper"))
        expectError(try work.keyvigil("list"), "the pepper \(work.path("pepper")) can be read or written by others")
        try FileManager.default.moveItem(atPath: work.path("pepper"), toPath: work.path("pepper.away"))
        expectError(try work.keyvigil("list"), "the pepper \(work.path("pepper")) is missing")
        #expect(!FileManager.default.fileExists(atPath: work.path("pepper")))
        try work.write(String(repeating: "x", count: 32), to: "pepper")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: work.path("pepper"))
        expectError(try work.keyvigil("list"), "the pepper is not the one that this store was made with")
        expectError(try work.keyvigil("list", "--store", work.configuration), "\(work.configuration) can be read")
    }

    @Test("scan finds a leak, says where, and ends with 1; with nothing to find it ends with 0")
    func scan() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let clean = try work.repository("clean", ["a.txt": "nothing here\n"])
        let none = try work.keyvigil("scan", clean)
        #expect(none.status == 0 && none.output == "")
        let leaky = try work.repository("leaky", ["src/deploy.py": "import os\n\nTOKEN = \"\(secret)\"\n"])
        for attempt in 0..<2 {
            let outcome = try work.keyvigil("scan", leaky, "--json")
            #expect(outcome.status == 1 && !outcome.output.contains(secret), "attempt \(attempt)")
            let blob = try #require(outcome.objects.first { $0["source"] as? String == "blob" }, "\(outcome.output)")
            #expect(blob["grade"] as? String == "confirmed" && blob["secret_state"] as? String == "current")
            #expect(blob["path"] as? String == "src/deploy.py" && blob["line"] as? Int == 3)
            #expect(blob["author"] as? String == "Dan <dan@example.org>")
            #expect(blob["authored_at"] as? String == "2026-01-02T03:04:05+01:00")
            #expect((blob["commit"] as? String)?.count == 40 && (blob["object"] as? String)?.count == 40)
        }
        #expect(try work.keyvigil("findings", "--json").objects.count == 1)
        #expect(try work.keyvigil("scan", work.path("nowhere")).status == 2)
    }

    @Test("the report lists every key, as table, CSV and JSON; no cell is a formula")
    func report() throws {
        _ = try work.create("=cmd(), \"x\"", "--owner", "ana", "--expires", "never")
        _ = try work.create("gone")
        _ = try work.keyvigil("revoke", "gone")
        let csv = try work.keyvigil("report", "--csv").output.components(separatedBy: "\r\n")
        #expect(csv.count == 4 && csv[0].hasPrefix("user,arn,user_creation_time,"))
        #expect(csv[1].hasPrefix("\"'=cmd(), \"\"x\"\"\",key_"))
        #expect(csv[1].hasSuffix(",unbounded,0,0,N/A,N/A") && csv[2].contains(",revoked,false,"))
        #expect(try work.keyvigil("report", "--json").objects.count == 2)
        #expect(try work.keyvigil("report").output.contains("TO DO"))
        expectError(try work.keyvigil("report", "--csv", "--json"), "--csv, --html and --json exclude each other")
    }

    @Test("check-config checks without making a store")
    func checkConfig() throws {
        #expect(try work.keyvigil("check-config").status == 0)
        try work.configure("[scan]\nfoldrs = []")
        expectError(try work.keyvigil("check-config"), "\(work.configuration):4: unknown setting 'scan.foldrs'")
        #expect(!FileManager.default.fileExists(atPath: work.path("keys.sqlite")))
    }

    @Test("help and version are no errors; a closed pipe is none either")
    func help() throws {
        #expect(try work.run(Workplace.binaries.appending(path: "keyvigil").path, ["--help"]).status == 0)
        #expect(try work.run(Workplace.binaries.appending(path: "keyvigil").path, ["--version"]).output == "0.1.0\n")
        #expect(try work.run(try work.daemon(), ["--version"]).output == "0.1.0\n")
    }
}
