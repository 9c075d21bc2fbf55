import Foundation
import Testing

extension EndToEnd {
    /// The service as an operator has it: the shipped unit, the shipped configuration with a file in conf.d, the journal.
    @Suite("The service", .timeLimit(.minutes(30)))
    struct DaemonTests {
        private let system: BootedSystem
        private let repository = "/srv/git/shop.git"

        init() throws {
            system = try Booted.system
            try system.install()
            try system.run(["systemctl", "stop", "keyvigil"])
            try system.check("sh", "-c", "rm -rf /var/lib/keyvigil /srv/git /etc/keyvigil/conf.d/*")
            try system.check("journalctl", "--rotate", "--vacuum-time=1us", "-q")
            try system.write("[scan]\nrepositories = [\"/srv/git/*.git\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            try system.check("git", "init", "-q", "--bare", "-b", "main", repository)
        }

        private func start() throws {
            // Only a unit that has run can be reset; the limit on starts must not count those of an earlier test.
            try system.run(["systemctl", "reset-failed", "keyvigil"])
            let outcome = try system.run(["systemctl", "start", "keyvigil"])
            let said = try system.run(["journalctl", "-u", "keyvigil", "-n", "20", "--no-pager"]).output
            try #require(outcome.status == 0, "\(said)")
        }

        /// Makes a key with the tool, as root, and returns its JSON.
        private func create(_ name: String, _ options: String...) throws -> [String: Any] {
            let outcome = try system.run(["keyvigil", "create", name, "--json"] + options)
            let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            return try #require(object, "\(outcome.errors)")
        }

        /// Commits a file to the repository, as a push would.
        private func push(_ file: String, _ text: String) throws {
            try system.check(
                "sh", "-ec",
                """
                export GIT_AUTHOR_NAME=Dan GIT_AUTHOR_EMAIL=dan@example.org GIT_CONFIG_GLOBAL=/dev/null
                export GIT_COMMITTER_NAME=Dan GIT_COMMITTER_EMAIL=dan@example.org
                rm -rf /tmp/work && git clone -q "$1" /tmp/work 2> /tmp/clone.log && cd /tmp/work
                git checkout -q -B main
                mkdir -p "$(dirname "$2")"
                case "$2" in *.gz) gzip ;; *) cat ;; esac > "$2"
                git add -A && git commit -q -m change && git push -q origin main
                """, "push", repository, file, input: text)
        }

        private func events(_ kind: String) throws -> [JournalFields] { try system.journal("KEYVIGIL_EVENT=\(kind)") }

        private func mainProcess() throws -> String {
            try system.check("systemctl", "show", "-P", "MainPID", "keyvigil").trimmingCharacters(
                in: .whitespacesAndNewlines)
        }

        @Test("it expires a key, flags a rotation, finds a leak, and each is one whole entry in the journal")
        func allKinds() throws {
            try start()
            #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
            let started = try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            #expect(started.first?["MESSAGE"]?.contains("/var/lib/keyvigil/keys.sqlite") == true)
            #expect(started.first?["_SYSTEMD_UNIT"] == "keyvigil.service")

            let billing = try create("billing", "--owner", "ana", "--expires", "2s")
            let metrics = try create("metrics", "--rotate-every", "1s", "--expires", "never")
            let webshop = try create("webshop", "--owner", "ben")
            let secret = try #require(webshop["secret"] as? String)
            try push("src/deploy.py", "import os\n\nTOKEN = \"\(secret)\"\n")
            try push("README.md", "keys of metrics begin with \(try #require(metrics["prefix"] as? String)) here\n")
            try system.check("systemctl", "kill", "--kill-whom=main", "-s", "USR1", "keyvigil")

            let expired = try #require(try system.waitForJournal("KEYVIGIL_EVENT=key.expired").first)
            #expect(expired["KEYVIGIL_KEY_ID"] == billing["id"] as? String && expired["KEYVIGIL_KEY_NAME"] == "billing")
            #expect(expired["KEYVIGIL_OWNER"] == "ana" && expired["PRIORITY"] == "4")
            #expect(expired["KEYVIGIL_EXPIRES_AT"] == billing["expires_at"] as? String)
            #expect(expired["SYSLOG_IDENTIFIER"] == "keyvigild")
            #expect(expired["MESSAGE_ID"] == (try Catalogue.messageID("key.expired")))

            let due = try #require(try system.waitForJournal("KEYVIGIL_EVENT=rotation.due").first)
            #expect(due["KEYVIGIL_KEY_NAME"] == "metrics")

            let leak = try #require(try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed").first)
            #expect(leak["PRIORITY"] == "2" && leak["KEYVIGIL_REPOSITORY"] == repository)
            #expect(leak["KEYVIGIL_PATH"] == "src/deploy.py" && leak["KEYVIGIL_LINE"] == "3")
            #expect(leak["KEYVIGIL_PREFIX"] == webshop["prefix"] as? String)
            #expect(leak["KEYVIGIL_COMMIT"]?.count == 40 && leak["KEYVIGIL_OBJECT"]?.count == 40)
            #expect(leak["KEYVIGIL_SECRET_STATE"] == "current" && leak["KEYVIGIL_OWNER"] == "ben")
            let mention = try #require(try system.waitForJournal("KEYVIGIL_EVENT=leak.mention").first)
            #expect(mention["KEYVIGIL_PATH"] == "README.md" && mention["PRIORITY"] == "5")

            let ids = try ["key.expired", "rotation.due", "leak.confirmed", "leak.mention"].flatMap(events)
                .compactMap { $0["KEYVIGIL_ALERT_ID"] }
            #expect(ids.count == 4 && Set(ids).count == 4)
            let everything = try system.check("journalctl", "-o", "export", "--no-pager", "-q")
            #expect(!everything.contains(secret))
            let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_EVENT=leak.confirmed")
            #expect(explained.contains("keyvigil rotate \(try #require(webshop["id"] as? String))"))
            // The service is well; the leak of a live key needs a person.
            let status = try system.run(["keyvigil", "status", "--json"])
            #expect(status.status == 1 && status.output.contains("\"troubles\":[]"), "\(status.output)")
        }

        @Test("in its sandbox it sees a push at once, and looks into an archive that came with it")
        func pushed() throws {
            try system.write(
                "[scan]\nrepositories = [\"/srv/git/*.git\"]\ninterval = \"never\"\n",
                to: "/etc/keyvigil/conf.d/here.toml")
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let secret = try #require(try create("webshop")["secret"] as? String)
            try push("dump.sql.gz", "one\n\(secret)\n")
            let leak = try #require(try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed").first)
            #expect(leak["KEYVIGIL_PATH"] == "dump.sql.gz!/data" && leak["KEYVIGIL_LINE"] == "2")
            #expect(try events("scan.finished").count == 1 && events("scan.failed").isEmpty)
        }

        @Test("SIGUSR1 makes a new scan, which repeats nothing; a rotation resolves the leak")
        func scanOnDemand() throws {
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let secret = try #require(try create("webshop")["secret"] as? String)
            try push("a.txt", secret)
            for count in 2...4 {
                try system.check("systemctl", "kill", "--kill-whom=main", "-s", "USR1", "keyvigil")
                try system.waitForJournal("KEYVIGIL_EVENT=scan.finished") { $0.count >= count }
            }
            #expect(try events("leak.confirmed").count == 1)
            try system.check("keyvigil", "rotate", "webshop", "--json")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.resolved")
        }

        @Test("a reload takes a new configuration, and refuses a broken one")
        func reload() throws {
            try start()
            try system.check("systemctl", "reload", "keyvigil")
            try system.waitForJournal("KEYVIGIL_EVENT=config.reloaded")
            try system.write("[scan]\nrepositoris = []\n", to: "/etc/keyvigil/conf.d/here.toml")
            #expect(try system.run(["systemctl", "reload", "keyvigil"]).status != 0)
            let refused = try #require(try system.waitForJournal("KEYVIGIL_EVENT=config.rejected").first)
            #expect(refused["MESSAGE"]?.contains("here.toml:2: unknown setting 'scan.repositoris'") == true)
            #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
        }

        @Test("killed at any moment it loses nothing and repeats nothing")
        func exactlyOnce() throws {
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            // Expiries spread over the time of the kills, made at once.
            try system.check(
                "sh", "-ec",
                "for i in $(seq 60); do keyvigil create key-$i --expires $((1000 + i * 60))ms > /dev/null; done")
            for count in 2...9 {
                try system.check("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "keyvigil")
                try start()
                try system.waitForJournal("KEYVIGIL_EVENT=daemon.started") { $0.count >= count }
            }
            let seen = try system.waitForJournal("KEYVIGIL_EVENT=key.expired", seconds: 60) { $0.count >= 60 }
            #expect(Set(seen.compactMap { $0["KEYVIGIL_KEY_NAME"] }).count == 60)
            // Whatever came twice would be there by the time a later entry is.
            try system.check("systemctl", "stop", "keyvigil")
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.stopped")
            #expect(try events("key.expired").count == 60)
            #expect(try system.check("keyvigil", "audit", "verify").contains("intact"))
        }

        @Test("while journald is stopped nothing is lost, and nothing comes twice afterwards")
        func journaldStopped() throws {
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            let journald = try system.check("systemctl", "show", "-P", "MainPID", "systemd-journald")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try system.check("kill", "-STOP", journald)
            try system.check(
                "sh", "-ec", "for i in $(seq 20); do keyvigil create k-$i --expires 200ms > /dev/null; done")
            // The store says when all are recorded; the journal cannot.
            try system.check(
                "sh", "-ec",
                "until [ $(keyvigil list --status expired --json | wc -l) = 20 ] && "
                    + "[ $(keyvigil alerts --from store --kind key.expired --json | wc -l) = 20 ]; do :; done")
            try system.check("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "keyvigil")
            try system.check("kill", "-CONT", journald)
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired", seconds: 60) { $0.count >= 20 }
            try system.check(
                "sh", "-ec", "until keyvigil status --json | grep -q '\"undelivered_alerts\":0'; do :; done")
            #expect(try events("key.expired").count == 20)
        }

        @Test("it runs as its own user, without privileges, and its files are its own")
        func sandbox() throws {
            try start()
            _ = try create("billing")
            let status = try system.check("cat", "/proc/\(try mainProcess())/status")
            #expect(status.contains("CapEff:\t0000000000000000") && status.contains("NoNewPrivs:\t1"))
            let files = try system.check(
                "stat", "-c", "%U %a %n", "/var/lib/keyvigil", "/var/lib/keyvigil/keys.sqlite",
                "/var/lib/keyvigil/pepper")
            #expect(
                files == """
                    keyvigil 700 /var/lib/keyvigil
                    keyvigil 600 /var/lib/keyvigil/keys.sqlite
                    keyvigil 600 /var/lib/keyvigil/pepper

                    """)
            #expect(try system.run(["systemctl", "stop", "keyvigil"]).status == 0)
            #expect(try system.check("systemctl", "show", "-P", "Result", "keyvigil") == "success\n")
        }

        @Test("root may make the first key before the service has ever run")
        func toolFirst() throws {
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            _ = try create("billing", "--expires", "1s")
            try start()
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
        }
    }
}
