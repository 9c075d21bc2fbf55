import Foundation
import Testing

extension EndToEnd {
    /// Places outside of repositories in which keys are left on a server.
    @Suite("Sources of a server", .timeLimit(.minutes(30)))
    struct SourceTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws {
            scene = try Scene()
            try system.check("rm", "-rf", "/etc/storefront", "/root/.bash_history", "/run/storefront")
            try system.write(
                "[scan]\nsources = [\"etc\", \"histories\", \"units\", \"processes\"]\n",
                to: "/etc/keyvigil/conf.d/here.toml")
        }

        private func secret(_ name: String) throws -> String {
            try #require(try scene.create(name, "--owner", "ana")["secret"] as? String)
        }

        private func writeForRootAlone(_ text: String, to path: String) throws {
            try system.check("sh", "-c", "umask 077; mkdir -p \"$(dirname \(path))\"; cat >> \(path)", input: text)
        }

        @Test(
            "settings, histories, units and processes of other users are searched, and what changes there within seconds"
        )
        func found() throws {
            for file in ["source-files.conf", "source-processes.conf"] {
                try system.check(
                    "install", "-D", "-m", "0644", "-t", Scene.dropIns, "/usr/share/doc/keyvigil/examples/\(file)")
            }
            try system.check("systemctl", "daemon-reload")
            try scene.start()
            let exposure = try system.check("systemd-analyze", "security", "--no-pager", "keyvigil.service")
            let last = try #require(exposure.split(separator: "\n").last { $0.contains("Overall exposure level") })
            #expect(last.contains(" 1."), "\(last)")

            let secrets = try (1...4).map { try secret("key\($0)") }
            try writeForRootAlone(
                "curl -H 'Authorization: Bearer \(secrets[0])' https://example.org\n", to: "/root/.bash_history")
            try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key1", "KEYVIGIL_PATH=.bash_history")
            try writeForRootAlone("A=1\n", to: "/etc/storefront/env")
            try writeForRootAlone("TOKEN=\(secrets[1])\n", to: "/etc/storefront/env")
            try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key2", "KEYVIGIL_PATH=storefront/env")
            // A file that is there, and is written to once more.
            try writeForRootAlone("OTHER=\(secrets[2])\n", to: "/etc/storefront/env")
            try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key3", "KEYVIGIL_PATH=storefront/env")

            // In memory alone: the environment file is gone by then.
            try writeForRootAlone("TOKEN=\(secrets[3])\n", to: "/run/storefront/env")
            try system.check(
                "systemd-run", "-q", "--unit=storefront", "-p", "EnvironmentFile=/run/storefront/env", "-p",
                "User=nobody",
                "sh", "-c", "sleep infinity & sleep infinity")
            try system.check("rm", "/run/storefront/env")
            try scene.signal("USR1")
            try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key4", "KEYVIGIL_PATH=storefront.service/environ")
            try system.check("systemctl", "stop", "storefront")
            // All processes of a unit are one place.
            let places = try system.check("keyvigil", "findings", "--key", "key4", "--json")
            #expect(places.split(separator: "\n").count == 1, "\(places)")
            #expect(try system.journal("KEYVIGIL_EVENT=watch.degraded").isEmpty)
        }

        @Test("what a service logs is found within seconds, once, also after a rotation, until journald has dropped it")
        func logged() throws {
            try system.write("[scan]\nsources = [\"journal\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            try scene.start()
            let secrets = try (1...2).map { try secret("key\($0)") }
            func log(_ text: String, as unit: String) throws {
                try writeForRootAlone("TOKEN=\(text)\n", to: "/run/storefront/\(unit)")
                try system.check(
                    "systemd-run", "-q", "--wait", "--unit=\(unit)", "-p", "EnvironmentFile=/run/storefront/\(unit)",
                    "sh", "-c", "echo \"calling with $TOKEN\"")
            }
            // One is logged while the daemon does not run, compressed, since it is long.
            try system.check("systemctl", "stop", "keyvigil")
            try log(String(repeating: "-", count: 4000) + secrets[0], as: "warehouse")
            try scene.start()
            try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key1", "KEYVIGIL_PATH=warehouse.service")
            try log(secrets[1], as: "storefront")
            let alert = try #require(
                try system.waitForJournal(
                    "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=key2", "KEYVIGIL_PATH=storefront.service"
                ).last)
            let cursor = try #require(alert["KEYVIGIL_OBJECT"])
            #expect(try system.check("journalctl", "--cursor=\(cursor)", "--lines=1").contains("calling with"))

            try system.check("journalctl", "--rotate")
            try log("a quiet day", as: "garden")
            try scene.scan()
            let findings = try system.check("keyvigil", "findings", "--json").split(separator: "\n")
            // Neither what was rotated nor what the daemon itself has logged is new.
            #expect(findings.count == 2, "\(findings)")
            #expect(try system.journal("KEYVIGIL_EVENT=leak.confirmed").count == 2)
            #expect(try system.check("keyvigil", "findings", "show", "1").contains("still there  yes"))
            try system.check("journalctl", "--rotate", "--vacuum-time=1ms")
            try scene.scan()
            #expect(try system.check("keyvigil", "findings", "show", "1").contains("still there  no"))
        }

        @Test("without the right to read them a person gets the command by which the service may")
        func refused() throws {
            try system.write("[scan]\nsources = [\"etc\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            try scene.start()
            let failure = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=scan.failed", "KEYVIGIL_REPOSITORY=/etc").last)
            let remedy = try #require(failure["KEYVIGIL_REMEDY"])
            let command = try #require(remedy.split(separator: ": ", maxSplits: 1).last)
            let since = try system.check("date", "+%s").trimmingCharacters(in: .whitespacesAndNewlines)
            try system.check("sh", "-ec", String(command))
            try writeForRootAlone("TOKEN=\(try secret("key1"))\n", to: "/etc/storefront/env")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_PATH=storefront/env")
            #expect(
                try system.journal("KEYVIGIL_EVENT=scan.failed").allSatisfy {
                    (Int64($0["__REALTIME_TIMESTAMP"] ?? "") ?? .max) / 1_000_000 <= (Int64(since) ?? 0) + 1
                })
        }
    }
}
