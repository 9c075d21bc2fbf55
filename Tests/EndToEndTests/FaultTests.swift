import Foundation
import Testing

extension EndToEnd {
    /// What befalls the daemon's surroundings: places, limits, signals. The table is in docs/RELIABILITY.md.
    @Suite("Faults around the daemon", .timeLimit(.minutes(30)))
    struct FaultTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        private func main(_ property: String) throws -> String {
            try system.check("systemctl", "show", "-P", property, "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// The service still records dates: the proof that it lives.
        private func expectExpiry(_ name: String) throws {
            _ = try scene.create(name, "--expires", "100ms")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired", "KEYVIGIL_KEY_NAME=\(name)")
        }

        @Test(
            "a place on a hung mount: dates go on, the stall is named, and after the restart it holds up no other place",
            .enabled(if: BootedSystem.hasFuse, "needs a kernel with FUSE"))
        func hungMount() throws {
            // A file system in user space whose server never answers: every look at it waits.
            let server = try system.start(
                [
                    "sh", "-ec",
                    """
                    mkdir -p /srv/hung; [ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229
                    exec 3<> /dev/fuse
                    mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other hung /srv/hung
                    echo mounted
                    read -r end
                    """,
                ], seconds: 120)
            try #require(server.line() == "mounted")
            try system.write(
                "[scan]\nrepositories = [\"/srv/hung\", \"/srv/git/*.git\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            try scene.dropIn("watchdog", "[Service]\nWatchdogSec=1s\nRestartSec=0\n")
            try scene.start()
            let secret = try #require(try scene.create("shop")["secret"] as? String)
            try scene.push("a.txt", secret)
            try expectExpiry("during")
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=daemon.stalled").first)
            #expect(entry["MESSAGE"]?.contains("scan of /srv/hung") == true && entry["PRIORITY"] == "3")
            try expectExpiry("stalled")
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started") { $0.count == 2 }
            try expectExpiry("restarted")
            // The other place is scanned although this one still hangs.
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed")
            #expect(try system.journal("KEYVIGIL_EVENT=scan.failed").isEmpty)
            // The look that waits ends with the server, and then the empty folder beneath the mount is in its place.
            try system.run(["umount", "-l", "/srv/hung"])
            server.finish()
            // It answers again, so it is looked at again.
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished") { entries in
                entries.contains { $0["MESSAGE"]?.hasPrefix("scanned 2 places") == true }
            }
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("rm", "-rf", "/srv/hung")
        }

        @Test("a repository that vanishes in the middle of a scan: reported, and the next scan is whole again")
        func vanishing() throws {
            try scene.start()
            let secret = try #require(try scene.create("shop")["secret"] as? String)
            try system.check(
                "sh", "-ec",
                """
                mkdir -p /srv/files; cd /srv/files; for i in $(seq 2000); do echo "text $i" > $i.txt; done
                git init -q -b main /srv/many; cd /srv/many; cp /srv/files/* .
                git -c user.name=a -c user.email=a@b add -A
                git -c user.name=a -c user.email=a@b commit -q -m many
                """)
            try system.write(
                "[scan]\nrepositories = [\"/srv/many*\", \"/srv/git/*.git\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            for round in 1...4 {
                try system.check("cp", "-r", "/srv/many", "/srv/many-\(round)")
                try scene.signal(round == 1 ? "HUP" : "USR1")
                try system.check("rm", "-rf", "/srv/many-\(round)")
            }
            try expectExpiry("during")
            try scene.push("a.txt", secret)
            try scene.signal("USR1")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed")
            #expect(try main("NRestarts") == "0" && main("ActiveState") == "active")
            try system.check("sh", "-c", "rm -rf /srv/many* /srv/files")
        }

        @Test("nothing of it runs while time passes, as in a suspend: what fell due is done at the wake-up, once")
        func suspended() throws {
            try system.write(
                "[scan]\nrepositories = [\"/srv/git/*.git\"]\ninterval = \"5s\"\n", to: "/etc/keyvigil/conf.d/here.toml"
            )
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let leaked = try #require(try scene.create("shop")["secret"] as? String)
            let key = try scene.create("billing", "--expires", "4s")
            try system.check("systemctl", "freeze", "keyvigil")
            try scene.push("a.txt", leaked)
            // Two scans and the date fall due.
            try system.check("sleep", "11")
            #expect(try system.run(["keyvigil", "verify"], input: try #require(key["secret"] as? String)).status == 1)
            #expect(try system.journal("KEYVIGIL_EVENT=key.expired").isEmpty)
            let scans = try system.journal("KEYVIGIL_EVENT=scan.finished").count
            try system.check("systemctl", "thaw", "keyvigil")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed")
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished") { $0.count > scans }
            try system.check("systemctl", "stop", "keyvigil")
            #expect(try system.journal("KEYVIGIL_EVENT=scan.finished").count == scans + 1)
            #expect(try main("NRestarts") == "0")
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty, "\(tally)")
            #expect(tally.kinds["key.expired"] == 1 && tally.kinds["leak.confirmed"] == 1, "\(tally)")
        }

        @Test("thousands of repositories: each is scanned, a date is met meanwhile, a rescan repeats nothing")
        func manyRepositories() throws {
            let secret = try #require(try makeManyRepositories())
            try system.write(
                "[scan]\nrepositories = [\"/srv/git/*.git\", \"/srv/many/*.git\"]\n",
                to: "/etc/keyvigil/conf.d/here.toml")
            try scene.start()
            try expectExpiry("during")
            let first = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=scan.finished", seconds: 300).first)
            #expect(first["MESSAGE"]?.contains("\(Self.count + 1) places") == true)
            #expect(
                try system.journal("KEYVIGIL_EVENT=leak.confirmed").map { $0["KEYVIGIL_REPOSITORY"] } == [
                    "/srv/many/77.git"
                ])
            try scene.signal("USR1")
            let second = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=scan.finished", seconds: 300) { $0.count == 2 }.last)
            #expect(second["MESSAGE"]?.contains("nothing new") == true)
            #expect(try system.journal("KEYVIGIL_EVENT=leak.confirmed").count == 1)
            #expect(!(try system.check("sh", "-c", "journalctl -q KEYVIGIL_EVENT=scan.finished")).contains(secret))
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("rm", "-rf", "/srv/many")
        }

        /// A build for debugging takes many times as long for a repository.
        private static let count = ProcessInfo.processInfo.environment["KEYVIGIL_BINARIES"] == nil ? 300 : 10_000

        /// Bare repositories, the least that git calls one; one of them has a leak in its configuration.
        private func makeManyRepositories() throws -> String? {
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            let secret = try scene.create("shop")["secret"] as? String
            try system.check(
                "sh", "-ec",
                """
                mkdir -p /srv/many; cd /srv/many
                seq -f '%.0f.git/objects' \(Self.count) | xargs mkdir -p
                seq -f '%.0f.git/refs' \(Self.count) | xargs mkdir -p
                echo 'ref: refs/heads/main' > /srv/head
                seq -f '%.0f.git/HEAD' \(Self.count) | xargs -n 500 sh -c 'tee "$@" < /srv/head > /dev/null' tee
                printf '[core]\\n\\tbare = true\\n' > /srv/config
                seq -f '%.0f.git/config' \(Self.count) | xargs -n 500 sh -c 'tee "$@" < /srv/config > /dev/null' tee
                printf '[remote "x"]\\n\\turl = https://x:%s@example.org/\\n' "$1" >> 77.git/config
                """, "many", secret ?? "")
            return secret
        }

        @Test(
            "limits that are too tight: it works, or ends and says so, and works when they are gone",
            arguments: ["LimitNOFILE=40", "TasksMax=12", "MemoryMax=64M", "LimitNOFILE=12", "TasksMax=3"])
        func limits(_ limit: String) throws {
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            let secret = try #require(try scene.create("shop")["secret"] as? String)
            try scene.push("a.txt", secret)
            try scene.makeExpiringKeys(named: "key", count: 10)
            try scene.dropIn("limit", "[Service]\n\(limit)\nWatchdogSec=3s\nRestartSec=500ms\nTimeoutStartSec=5s\n")
            try system.run(["systemctl", "reset-failed", "keyvigil"])
            let started = try system.run(["systemctl", "start", "keyvigil"])
            let isWorking =
                started.status == 0
                && (try? system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", seconds: 10)) != nil
            print("limits: \(limit): \(isWorking ? "works" : "does not"), \(try main("Result"))")
            if limit == "LimitNOFILE=40" || limit == "TasksMax=12" || limit == "MemoryMax=64M" { #expect(isWorking) }
            try system.run(["systemctl", "stop", "keyvigil"])
            try system.check("rm", "\(Scene.dropIns)/limit.conf")
            try system.check("systemctl", "daemon-reload")
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty, "\(tally)")
            #expect(tally.kinds["key.expired"] == 10)
        }

        @Test("ten thousand signals in a second: none kills it, none is more than one request")
        func signals() throws {
            try scene.start()
            try system.check(
                "bash", "-ec",
                """
                pid=$(systemctl show -P MainPID keyvigil)
                for i in $(seq 3334); do kill -HUP $pid; kill -USR1 $pid; kill -USR2 $pid; done
                """)
            try expectExpiry("after")
            #expect(try main("NRestarts") == "0")
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty)
            #expect(tally.kinds["config.reloaded", default: 0] >= 1)
        }

        @Test("SIGTERM at any phase: it ends in order within two seconds")
        func stop() throws {
            var random = SplitMix(state: 7)
            try scene.start()
            try scene.makeExpiringKeys(named: "key", count: 30)
            var slowest = 0.0
            for _ in 0..<15 {
                try system.run(["systemctl", "reset-failed", "keyvigil"])
                let seconds = try system.check(
                    "bash", "-ec",
                    """
                    systemctl start --no-block keyvigil; sleep \(Double(random.next() % 300) / 1000)
                    begin=$(date +%s%N); systemctl stop keyvigil; echo $((($(date +%s%N) - begin) / 1000000))
                    """)
                slowest = max(slowest, (Double(seconds.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 9e9) / 1000)
                #expect(["success", "exit-code"].contains(try main("Result")))
            }
            print("stop: the slowest took \(slowest) s")
            #expect(slowest < 2)
            // With the store locked by another program, too.
            try scene.start()
            _ = try scene.create("late", "--expires", "100ms")
            let lock = try system.start(
                [
                    "sh", "-c",
                    "(echo '.timeout 30000'; echo 'BEGIN IMMEDIATE; SELECT 1;'; sleep 8) | sqlite3 \(Scene.store)",
                ], seconds: 60)
            #expect(lock.line() == "1")
            let seconds = try system.check(
                "bash", "-ec",
                "begin=$(date +%s%N); systemctl stop keyvigil; echo $((($(date +%s%N) - begin) / 1000000))")
            #expect((Int(seconds.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .max) < 2000)
            lock.cancel()
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty)
        }
    }
}
