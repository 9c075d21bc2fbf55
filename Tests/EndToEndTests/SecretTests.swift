import Foundation
import Testing

extension EndToEnd {
    /// No secret stays anywhere but with whom it was given to.
    @Suite("Secrets", .timeLimit(.minutes(30)))
    struct SecretTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// Collects what looks like a secret of ours in the arguments and environments of all processes.
        private static let sampler = """
            rm -f /run/sampler.stop; echo sampling
            until [ -e /run/sampler.stop ]; do
                cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n' |
                    grep -ao 'kv_live_[A-Za-z0-9]*_[A-Za-z0-9]*'
            done
            """

        /// Looks for the lines of standard input in the memory of a process, whole or without their visible start. The
        /// first line is known to be there, and shows that the search works.
        private static let memorySearch = """
            chomp(my @needles = <STDIN>);
            my ($control, %found) = (shift @needles);
            open my $maps, '<', "/proc/$ARGV[0]/maps" or die;
            open my $memory, '<:raw', "/proc/$ARGV[0]/mem" or die;
            while (<$maps>) {
                my ($from, $to, $rights, $name) = /^(\\w+)-(\\w+) (\\S+) \\S+ \\S+ \\S+ *(.*)/ or next;
                next if $rights !~ /^r/ or $name =~ /^\\[v/;
                my ($at, $end, $rest) = (hex $from, hex $to, '');
                while ($at < $end) {
                    my $size = $end - $at > 1 << 22 ? 1 << 22 : $end - $at;
                    sysseek $memory, $at, 0;
                    sysread($memory, my $bytes, $size) or last;
                    my $text = $rest . $bytes;
                    $seen++ if index($text, $control) >= 0;
                    for my $needle (@needles) {
                        my $where = index $text, substr($needle, -20);
                        $found{"a secret in " . ($name || 'anonymous memory')}++ if $where >= 0;
                    }
                    $rest = substr $text, -100;
                    $at += length $bytes;
                }
            }
            print $seen ? "searched\\n" : "the control was not found\\n";
            print "$_: $found{$_}\\n" for sort keys %found;
            """

        private func memory(_ secrets: [String]) throws -> String {
            let pid = try system.check("systemctl", "show", "-P", "MainPID", "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            return try system.check(
                "perl", "-e", Self.memorySearch, pid, input: (["keys.sqlite"] + secrets).joined(separator: "\n"))
        }

        @Test("the whole life of keys and a scan of leaks leave no secret behind, wherever one looks")
        func nowhere() throws {
            let sampler = try system.start(["sh", "-c", Self.sampler], seconds: 120)
            #expect(sampler.line() == "sampling")
            try scene.start()
            var secrets: [String] = []
            var outputs = ""
            func make(_ arguments: String...) throws -> String {
                let result = try system.run(["keyvigil"] + arguments + ["--json"])
                let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
                let secret = try #require(object?["secret"] as? String, "\(result.errors)")
                // Reported once, and nothing else of it.
                #expect(result.output.components(separatedBy: secret).count == 2)
                outputs += result.output.replacingOccurrences(of: secret, with: "") + result.errors
                secrets.append(secret)
                return secret
            }
            func run(_ arguments: String..., input: String = "") throws {
                let result = try system.run(["keyvigil"] + arguments, input: input)
                outputs += result.output + result.errors
            }
            let billing = try make("create", "billing", "--owner", "ana")
            try run("verify", input: "Bearer \(billing)")
            let second = try make("rotate", "billing", "--overlap", "1h")
            try run("verify", "--json", input: billing)
            try scene.push("deploy.py", "TOKEN = '\(second)'\n")
            try scene.push("old.py", "TOKEN = '\(billing)'\n")
            let shop = try make("create", "shop", "--expires", "1s")
            try scene.push("long.txt", String(repeating: "filler \(shop) ", count: 3000))
            try system.write("x = \(shop)\n", to: "/srv/git/folder/config.ini")
            try scene.signal("USR1")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed") { $0.count >= 3 }
            try run("scan", "--all-occurrences", "--full", Scene.repository)
            try run("scan", "--json", "/srv/git/folder")
            try run("verify", input: "Bearer \(shop)x")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            // Keys held elsewhere: as a line on standard input, as a file of the caller's, and in one that is refused.
            let held = ["kv_live_imported_Zq3xW8vB5nM2kL7jH4gF", "kv_live_inafile_Pp9oO8iI7uU6yY5tT4rR3"]
            secrets += held
            try run(
                "import", "--issuer", "external",
                input: "{\"name\":\"held\",\"secret\":\"\(held[0])\",\"prefix\":\"kv_live_imported_\"}\n")
            try system.write("name,secret,prefix\nfiled,\(held[1]),kv_live_inafile_\n", to: "/root/keys.csv")
            try run("import", "/root/keys.csv", "--issuer", "external")
            try run("import", "--issuer", "external", input: "{\"name\":\"held\",\"secret\":\"\(held[1])\"}\n")
            try run(
                "import", "--issuer", "external", input: "{\"name\":\"x\",\"secret\":\"\(held[0])\",\"colour\":1}\n")
            try run("verify", "--json", input: held[0])
            try run("revoke", "billing")
            try run("delete", "shop", "--yes")
            for verb in ["list", "findings", "alerts", "status", "audit"] { try run(verb, "--json") }
            try system.waitForJournal("KEYVIGIL_EVENT=leak.resolved")

            #expect(secrets.count == 5 && outputs.contains("Imported 1 key"))
            let inMemory = try memory(secrets)
            #expect(inMemory == "searched\n", "\(inMemory)")

            try system.check("touch", "/run/sampler.stop")
            var sampled = ""
            while let line = sampler.line() { sampled += line }
            let journal = try system.check("journalctl", "-o", "export", "--no-pager", "-q")
            for secret in secrets {
                let body = String(secret.suffix(20))
                #expect(!outputs.contains(body) && !journal.contains(body) && !sampled.contains(body))
            }
            // The files of the store, its log, and whatever was left in folders for what is temporary.
            let files = try system.run(
                [
                    "grep", "-rlaF", "-f", "/dev/stdin", "/var/lib/keyvigil", "/tmp", "/var/tmp", "/dev/shm", "/run",
                    "/etc/keyvigil", "/var/log", "--exclude-dir=work",
                ], input: secrets.map { String($0.suffix(20)) }.joined(separator: "\n") + "\n")
            #expect(files.output == "")
        }

        @Test("a crash leaves no core file, and others can read neither the daemon's memory nor its files")
        func crash() throws {
            try scene.start()
            _ = try scene.create("billing")
            let pid = try system.check("systemctl", "show", "-P", "MainPID", "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try system.run(["runuser", "-u", "keyvigil", "--", "cat", "/proc/\(pid)/environ"]).status != 0)
            #expect(try system.run(["runuser", "-u", "nobody", "--", "ls", "/var/lib/keyvigil"]).status != 0)
            try system.check("sh", "-c", "echo '/run/core.%p' > /dev/null; kill -ABRT \(pid)")
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started") { $0.count == 2 }
            let cores = try system.check(
                "sh", "-c", "find /var/lib/keyvigil / -maxdepth 1 -name 'core*'; ls /run | grep core || true")
            #expect(cores == "")
            #expect(try system.journal("COREDUMP_UNIT=keyvigil.service").isEmpty)
        }

        @Test(
            "files that others may read are refused, with the command that repairs it",
            arguments: ["keys.sqlite", "pepper"])
        func exposed(_ name: String) throws {
            try scene.start()
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("chmod", "640", "/var/lib/keyvigil/\(name)")
            try scene.dropIn("once", "[Service]\nRestart=no\n")
            #expect(try system.run(["systemctl", "start", "keyvigil"]).status != 0)
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["KEYVIGIL_REMEDY"]?.contains("chmod 600 /var/lib/keyvigil/\(name)") == true)
        }
    }
}
