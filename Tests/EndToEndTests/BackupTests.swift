import Foundation
import Testing

extension EndToEnd {
    /// A copy of the store that was made while it was in use, and what is true after it is put back.
    @Suite("Backups", .timeLimit(.minutes(30)))
    struct BackupTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        @Test("a backup of a busy store is whole; after it is put back keys work, and leaks are found again")
        func restore() throws {
            try scene.start()
            let kept = try #require(try scene.create("kept")["secret"] as? String)
            try scene.makeExpiringKeys(named: "early", count: 5)
            try scene.waitForExpiries(5)
            try system.check("keyvigil", "backup", "/root/keyvigil.backup")
            #expect(try system.check("stat", "-c", "%U %a", "/root/keyvigil.backup") == "root 600\n")
            let again = try system.run(["keyvigil", "backup", "/root/keyvigil.backup"])
            #expect(again.status == 2 && again.errors.contains("exists already") && again.errors.contains("hint: "))
            #expect(try system.check("sh", "-c", "ls -A /root | grep -c part || true") == "0\n")

            // After the backup: a key that it does not know, and a leak that was found and remembered as searched.
            let lost = try #require(try scene.create("lost")["secret"] as? String)
            try scene.push("a.txt", kept)
            try scene.signal("USR1")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed")
            _ = try scene.settle()

            try system.check("keyvigil", "restore", "/root/keyvigil.backup")
            try system.check("rm", "/root/keyvigil.backup")
            #expect(try system.check("stat", "-c", "%U %a", "/var/lib/keyvigil/keys.sqlite") == "keyvigil 600\n")
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=store.rolled_back") { $0.count == 1 }
            // Its secret has leaked since, so it waits for a person.
            #expect(try system.run(["keyvigil", "verify"], input: kept).status == 1)
            try system.check("keyvigil", "release", "kept")
            #expect(try system.run(["keyvigil", "verify"], input: kept).status == 0)
            #expect(try system.run(["keyvigil", "verify"], input: lost).status == 1)
            #expect(try system.check("keyvigil", "audit", "verify").contains("intact"))
            // The scan memory is as old as the keys: what was searched since is searched again.
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed") { $0.count == 2 }
            _ = try scene.create("next", "--expires", "200ms")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired", "KEYVIGIL_KEY_NAME=next")
            let tally = try scene.settle()
            // What was reported before the backup is not reported again.
            #expect(tally.missing.isEmpty && tally.twice.isEmpty, "\(tally)")
            #expect(tally.kinds["key.expired"] == 6)
            // The journal knows more events than the store has, but the witness has explained why; so it stays.
            try system.check("systemctl", "restart", "keyvigil")
            _ = try scene.settle()
            #expect(try system.journal("KEYVIGIL_EVENT=store.rolled_back").count == 1)
        }

        @Test("a whole directory that is put back is noticed by the journal; a removed store is not made again")
        func directory() throws {
            try scene.start()
            _ = try scene.create("kept")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("cp", "-a", "/var/lib/keyvigil", "/root/earlier")
            try scene.start()
            _ = try scene.create("stolen")
            try system.check("keyvigil", "revoke", "stolen")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("sh", "-c", "rm -rf /var/lib/keyvigil/* && cp -a /root/earlier/. /var/lib/keyvigil/")
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=store.rolled_back") { $0.count == 1 }
            try system.check("systemctl", "restart", "keyvigil")
            _ = try scene.settle()
            #expect(try system.journal("KEYVIGIL_EVENT=store.rolled_back").count == 1)

            try system.check("systemctl", "stop", "keyvigil")
            try system.check("sh", "-c", "rm -f /var/lib/keyvigil/keys.sqlite*")
            #expect(try system.run(["systemctl", "start", "keyvigil"]).status != 0)
            let refusals = try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable")
            #expect(refusals.last?["KEYVIGIL_REMEDY"]?.contains("keyvigil restore") == true)
            #expect(try system.check("systemctl", "show", "-p", "SubState", "--value", "keyvigil") == "failed\n")
            #expect(try system.check("sh", "-c", "ls /var/lib/keyvigil/keys.sqlite || true") == "")
        }

        @Test("the alerts on the screen are those of the journal, and the status reports trouble")
        func onCall() throws {
            try scene.start()
            _ = try scene.create("billing", "--owner", "ana", "--expires", "100ms")
            let expired = try #require(try system.waitForJournal("KEYVIGIL_EVENT=key.expired").first)
            let listed = try system.check("keyvigil", "alerts", "--kind", "key.expired", "--key", "billing", "--json")
            #expect(listed.contains(try #require(expired["KEYVIGIL_ALERT_ID"])) && listed.contains("\"owner\":\"ana\""))
            #expect(try system.check("keyvigil", "alerts", "--key", "nobody", "--json") == "")
            let follower = try system.start(
                ["keyvigil", "alerts", "--follow", "-n", "1", "--kind", "key.expired", "--json"], seconds: 30)
            #expect(follower.line()?.contains("billing") == true)
            _ = try scene.create("metrics", "--expires", "100ms")
            #expect(follower.line()?.contains("metrics") == true)
            follower.cancel()
            #expect(try system.run(["keyvigil", "status"]).output.contains("running"))
            try system.write("[scan]\nrepositoris = []\n", to: "/etc/keyvigil/conf.d/here.toml")
            #expect(try system.run(["systemctl", "reload", "keyvigil"]).status != 0)
            try system.waitForJournal("KEYVIGIL_EVENT=config.rejected")
            try system.write("", to: "/etc/keyvigil/conf.d/here.toml")
            let trouble = try system.run(["keyvigil", "status"])
            let status = trouble.output
            #expect(trouble.status == 1)
            #expect(status.contains("the new configuration is refused") && status.contains("keyvigil check-config"))
            // Whoever is on call reads only this: each entry names what to do, with a command to copy.
            let explained = try system.check("journalctl", "-u", "keyvigil", "-p", "warning", "-x", "-q", "--no-pager")
            #expect(explained.contains("keyvigil rotate") && explained.contains("Owner:   'ana'"))
            try system.check("systemctl", "stop", "keyvigil")
            #expect(
                try system.run(["keyvigil", "status"]).output.contains("not running: systemctl start keyvigil"))
        }
    }
}
