import Foundation
import Testing

extension EndToEnd {
    @Suite("Incidents", .timeLimit(.minutes(30)))
    struct IncidentTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        @Test("from the push with a leak to the closed incident, in the journal alone")
        func story() throws {
            try scene.start()
            let made = try scene.create("billing", "--owner", "ana")
            let secret = try #require(made["secret"] as? String)
            try scene.push("deploy.py", "TOKEN = '\(secret)'\n")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_INCIDENT=1")
            try system.check("keyvigil", "verify", "--from", "198.51.100.7", input: secret)
            try system.waitForJournal("KEYVIGIL_EVENT=secret.used_after_exposure", "KEYVIGIL_INCIDENT=1")
            try scene.push("copy.py", "TOKEN = '\(secret)'\n")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_PATH=copy.py")

            // What the first entry says is to be done.
            let first = try #require(try system.waitForJournal("KEYVIGIL_INCIDENT=1").first)
            #expect(first["PRIORITY"] == "2" && first["KEYVIGIL_PATH"] == "deploy.py")
            let remedy = try #require(first["KEYVIGIL_REMEDY"])
            #expect(remedy.hasPrefix("keyvigil rotate key_"), "\(remedy)")
            try system.check("sh", "-ec", remedy)
            try system.waitForJournal("KEYVIGIL_EVENT=leak.resolved", "KEYVIGIL_INCIDENT=1")

            let entries = try system.journal("KEYVIGIL_INCIDENT=1")
            #expect(
                entries.map { "\($0["KEYVIGIL_EVENT"] ?? "") \($0["PRIORITY"] ?? "")" } == [
                    "leak.confirmed 2", "secret.used_after_exposure 2", "leak.confirmed 5", "leak.resolved 5",
                ], "\(entries)")
            let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_INCIDENT=1")
            #expect(!explained.contains("KEYVIGIL_") && !explained.contains(secret), "\(explained)")
            #expect(explained.contains("from '198.51.100.7'") && explained.contains("keyvigil incidents show 1"))
            let shown = try system.check("keyvigil", "incidents", "show", "1", "--json")
            #expect(shown.contains("\"status\":\"closed\"") && shown.contains("\"places\":2"), "\(shown)")
        }

        @Test("a service gets the new secret by its environment file, and neither a person nor an entry shows it")
        func service() throws {
            try scene.start()
            let made = try scene.create("billing", "--owner", "ana")
            let secret = try #require(made["secret"] as? String)
            try system.check(
                "sh", "-ec",
                """
                umask 077; printf 'TOKEN=%s\\n' "$(cat)" > /etc/shop.env
                printf '[Service]\\nEnvironmentFile=/etc/shop.env\\nExecStart=sleep infinity\\n' > /etc/systemd/system/shop.service
                systemctl daemon-reload; systemctl start shop
                """, input: secret)
            let printed = try system.check(
                "keyvigil", "rotate", "billing", "--to", "/etc/shop.env", "--reload", "shop.service")
            #expect(
                printed.contains("The new secret is in /etc/shop.env.") && printed.contains("Reloaded shop.service."))
            let inUse = try system.check(
                "sh", "-ec", "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID shop)/environ | sed -n 's/^TOKEN=//p'")
            #expect(inUse != secret && !printed.contains(inUse))
            try system.check("keyvigil", "verify", input: inUse)
            #expect(try system.check("stat", "-c", "%a %U", "/etc/shop.env").hasPrefix("600 root"))
            // A unit of which systemd does not know changes nothing; one that does not run is not called reloaded.
            let typo = try system.run([
                "keyvigil", "rotate", "billing", "--to", "/etc/shop.env", "--reload", "shpo.service",
            ])
            #expect(typo.status == 2 && typo.errors.contains("no unit shpo.service"), "\(typo)")
            try system.check("keyvigil", "verify", input: inUse)
            try system.check("systemctl", "stop", "shop")
            let stopped = try system.check(
                "keyvigil", "rotate", "billing", "--to", "/etc/shop.env", "--reload", "shop.service")
            #expect(stopped.contains("shop.service does not run") && !stopped.contains("Reloaded"), "\(stopped)")
        }
    }
}
