import Foundation
import Testing

extension EndToEndFaults {
    /// What befalls the store: what the operator sees, what continues, what is recovered afterwards. The table is in
    /// docs/RELIABILITY.md.
    @Suite("Faults of the store", .timeLimit(.minutes(30)))
    struct StoreFaultTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// The entries of a kind that report a fault, not its end.
        private func troubles(_ kind: String) throws -> [JournalFields] {
            try system.journal("KEYVIGIL_EVENT=\(kind)").filter { $0["PRIORITY"] == "3" || $0["PRIORITY"] == "2" }
        }

        private func main(_ property: String) throws -> String {
            try system.check("systemctl", "show", "-P", property, "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// A file system of its own for the store, of a few MiB.
        private func mountStore(_ arguments: [String]) throws {
            try system.run(["umount", "-q", "-l", "/var/lib/keyvigil"])
            try system.check("mkdir", "-p", "/var/lib/keyvigil")
            let mounted = try system.run(["mount"] + arguments + ["/var/lib/keyvigil"])
            try #require(mounted.status == 0, "\(mounted.errors)")
            try ownStore()
        }

        private func ownStore() throws {
            try system.check("chown", "keyvigil:keyvigil", "/var/lib/keyvigil")
            try system.check("chmod", "700", "/var/lib/keyvigil")
        }

        private func unmountStore() throws {
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("umount", "-l", "/var/lib/keyvigil")
        }

        @Test(
            "locked by another program: reported once, keys are verified on, the expiry is recorded when the lock ends")
        func locked() throws {
            try scene.start()
            let key = try scene.create("billing", "--expires", "1s")
            let other = try scene.create("shop")
            let lock = try system.start(
                [
                    "sh", "-c",
                    "(echo '.timeout 30000'; echo 'BEGIN IMMEDIATE; SELECT 1;'; sleep 30; echo 'COMMIT;') | sqlite3 \(Scene.store)",
                ],
                seconds: 90)
            #expect(lock.line() == "1")
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["PRIORITY"] == "3" && entry["MESSAGE"]?.contains("locked by another program") == true)
            #expect(entry["KEYVIGIL_REMEDY"]?.contains("fuser") == true)
            let secret = try #require(other["secret"] as? String)
            #expect(try system.run(["keyvigil", "verify"], input: secret).status == 0)
            #expect(try system.run(["keyvigil", "verify"], input: try #require(key["secret"] as? String)).status == 1)
            #expect(try system.journal("KEYVIGIL_EVENT=key.expired").isEmpty)
            lock.finish()
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired", seconds: 60)
            try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable") { $0.last?["PRIORITY"] == "5" }
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty)
            #expect(try troubles("store.unavailable").count == 1)
        }

        @Test("a full disk: reported once, dates decide, and everything is recorded when there is room again")
        func fullDisk() throws {
            try mountStore(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            try scene.start()
            let key = try scene.create("billing", "--expires", "2s")
            try system.run(["dd", "if=/dev/zero", "of=/var/lib/keyvigil/filler", "bs=4k"])
            // What SQLite has left of its log is used up by updates that change nothing.
            try system.run([
                "sh", "-c",
                """
                i=0; while [ $i -lt 2000 ] && sqlite3 -cmd '.timeout 1000' \(Scene.store) \
                "UPDATE secrets SET made_at = made_at; UPDATE keys SET created_at = created_at" 2> /dev/null
                do i=$((i + 1)); done
                """,
            ])
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["MESSAGE"]?.contains("full") == true, "\(entry)")
            #expect(try system.run(["keyvigil", "verify"], input: try #require(key["secret"] as? String)).status == 1)
            #expect(try main("ActiveState") == "active")
            try system.check("rm", "/var/lib/keyvigil/filler")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty)
            #expect(try troubles("store.unavailable").count == 1)
            try unmountStore()
        }

        @Test(
            "a file system that turns read-only: reported once, dates decide, and after the repair everything is recorded once",
            .enabled(if: BootedSystem.mayMakeDisks, "needs loop devices and mkfs.ext4"))
        func turnedReadOnly() throws {
            try system.run(["umount", "-q", "-l", "/var/lib/keyvigil"])
            try system.check("mkdir", "-p", "/var/lib/keyvigil")
            let image = try system.mountDisk(at: "/var/lib/keyvigil")
            try ownStore()
            try scene.start()
            let key = try scene.create("billing", "--expires", "2s")
            let other = try scene.create("shop")
            // What the kernel does by itself when it finds the file system damaged, or the disk refuses a write.
            try system.check("mount", "-o", "remount,abort", "/var/lib/keyvigil")
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["PRIORITY"] == "3" && entry["MESSAGE"]?.contains("read-only") == true, "\(entry)")
            #expect(entry["KEYVIGIL_REMEDY"]?.contains("journalctl -k") == true, "\(entry)")
            let secrets = try [key, other].map { try #require($0["secret"] as? String) }
            #expect(try system.run(["keyvigil", "verify"], input: secrets[1]).status == 0)
            try system.check(
                "sh", "-c",
                """
                read -r secret
                until printf %s "$secret" | keyvigil verify > /run/answer 2>&1; [ $? = 1 ]; do sleep 0.1; done
                """, input: secrets[0] + "\n")
            let refused = try system.run(["keyvigil", "create", "metrics"])
            #expect(refused.status == 2 && refused.errors.contains("read-only"), "\(refused)")
            for name in ["USR1", "HUP", "USR2"] { try scene.signal(name) }
            let status = try #require(try system.waitForJournal("KEYVIGIL_EVENT=daemon.status").first)
            #expect(status["KEYVIGIL_REASON"]?.contains("cannot be used") == true, "\(status)")
            // Two more rounds of trying again.
            try system.check("sleep", "2.5")
            #expect(try troubles("store.unavailable").count == 1)
            #expect(try main("ActiveState") == "active" && main("NRestarts") == "0")
            try unmountStore()
            // 1: what was cut off is repaired.
            #expect(try system.run(["e2fsck", "-p", "-f", image]).status <= 1)
            try system.check("mount", "-o", "loop", image, "/var/lib/keyvigil")
            // What was not synced to the disk is gone; the pepper and the keys are not of that.
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            #expect(try system.run(["keyvigil", "verify"], input: secrets[1]).status == 0)
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty && tally.twice.isEmpty && tally.kinds["key.expired"] == 1, "\(tally)")
            try unmountStore()
        }

        @Test("a directory that turned read-only: the start is refused with what to do, and nothing is changed")
        func readOnly() throws {
            try scene.start()
            _ = try scene.create("billing", "--expires", "1s")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            try system.check("systemctl", "stop", "keyvigil")
            try scene.dropIn("read-only", "[Service]\nStateDirectory=\nReadOnlyPaths=/var/lib/keyvigil\nRestart=no\n")
            #expect(try system.run(["systemctl", "start", "keyvigil"]).status != 0)
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["MESSAGE"]?.contains("read-only") == true && entry["PRIORITY"] == "3")
            #expect(try system.check("keyvigil", "list", "--status", "expired", "--json").contains("billing"))
        }

        @Test("replaced by a backup while it runs: reported, and the service goes on with the new file")
        func replaced() throws {
            try scene.start()
            _ = try scene.create("billing")
            try system.check(
                "sh", "-ec",
                """
                sqlite3 \(Scene.store) ".backup /var/lib/keyvigil/backup"
                chown keyvigil:keyvigil /var/lib/keyvigil/backup; chmod 600 /var/lib/keyvigil/backup
                rm -f \(Scene.store)-wal \(Scene.store)-shm; mv /var/lib/keyvigil/backup \(Scene.store)
                """)
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.damaged").first)
            #expect(entry["MESSAGE"]?.contains("was replaced") == true && entry["PRIORITY"] == "2")
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started") { $0.count == 2 }
            _ = try scene.create("metrics", "--expires", "500ms")
            let expired = try #require(try system.waitForJournal("KEYVIGIL_EVENT=key.expired").first)
            #expect(expired["KEYVIGIL_KEY_NAME"] == "metrics")
        }

        @Test("removed while it runs: reported, and the service ends instead of making an empty store")
        func removed() throws {
            try scene.start()
            _ = try scene.create("billing")
            try system.check("sh", "-c", "rm \(Scene.store)*")
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.damaged").first)
            #expect(entry["MESSAGE"]?.contains("was removed") == true)
            #expect(entry["KEYVIGIL_REMEDY"]?.contains("keyvigil restore") == true)
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.stopped")
            try system.check("sh", "-c", "until systemctl is-failed -q keyvigil; do :; done")
            #expect(try main("NRestarts") == "0")
            #expect(try system.run(["test", "-e", Scene.store]).status != 0)
        }

        @Test("a damaged page: reported once, nothing more is written, and the service continues")
        func damaged() throws {
            try scene.start()
            try scene.makeExpiringKeys(named: "key", count: 60)
            try scene.waitForExpiries(60)
            _ = try scene.settle()
            // Every page of the table of alerts is overwritten but its first bytes, which say what kind it is.
            try system.check(
                "sh", "-ec",
                """
                for page in $(sqlite3 \(Scene.store) "SELECT pageno FROM dbstat WHERE name = 'alerts'"); do
                    head -c 3000 /dev/urandom |
                        dd of=\(Scene.store) bs=1 seek=$(((page - 1) * 4096 + 900)) conv=notrunc 2> /dev/null
                done
                """)
            let before = try system.check("sha256sum", Scene.store)
            try scene.start()
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.damaged").first)
            #expect(entry["PRIORITY"] == "2" && entry["MESSAGE"]?.contains("is damaged") == true)
            #expect(entry["KEYVIGIL_REMEDY"]?.contains("backup") == true)
            try scene.signal("USR1")
            try scene.signal("HUP")
            try scene.signal("USR2")
            let status = try #require(try system.waitForJournal("KEYVIGIL_EVENT=daemon.status").first)
            #expect(status["KEYVIGIL_REASON"]?.contains("damaged") == true)
            #expect(try main("ActiveState") == "active")
            #expect(try system.check("sha256sum", Scene.store) == before)
            #expect(try troubles("store.damaged").count == 1)
        }

        @Test("another pepper, or none: the start is refused", arguments: [true, false])
        func pepper(isChanged: Bool) throws {
            try scene.start()
            let key = try scene.create("billing")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("mv", "/var/lib/keyvigil/pepper", "/var/lib/keyvigil/pepper.away")
            if isChanged {
                try system.check(
                    "sh", "-c",
                    "head -c 32 /dev/urandom > /var/lib/keyvigil/pepper; chown keyvigil: /var/lib/keyvigil/pepper")
                try system.check("chmod", "600", "/var/lib/keyvigil/pepper")
            }
            try scene.dropIn("once", "[Service]\nRestart=no\n")
            #expect(try system.run(["systemctl", "start", "keyvigil"]).status != 0)
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable").first)
            #expect(entry["MESSAGE"]?.contains("pepper") == true)
            #expect(entry["KEYVIGIL_REMEDY"]?.contains(isChanged ? "backup" : "install -m 0600 COPY") == true)
            let secret = try #require(key["secret"] as? String)
            #expect(try system.run(["keyvigil", "verify"], input: secret).status == 2)
            try system.check("mv", "/var/lib/keyvigil/pepper.away", "/var/lib/keyvigil/pepper")
            try scene.start()
            #expect(try system.run(["keyvigil", "verify"], input: secret).status == 0)
        }

        @Test("a second daemon on the same store is refused, and the tool is not in its way")
        func twoDaemons() throws {
            try scene.start()
            let second = try system.run(["keyvigild", "--log", "terminal"])
            #expect(second.status == 2)
            #expect(second.errors.contains("another keyvigild is using the store"))
            #expect(second.errors.contains("hint: "))
            _ = try scene.create("billing", "--expires", "300ms")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
        }
    }
}
