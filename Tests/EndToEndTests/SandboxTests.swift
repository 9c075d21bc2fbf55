import Foundation
import Testing

extension EndToEnd {
    /// The unit's sandbox: a probe in the daemon's place uses all that the daemon needs, and tries what it must not do.
    @Suite(
        "The unit's sandbox", .timeLimit(.minutes(30)),
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: BootedSystem.binaries + "/SystemdProbe"),
            "needs the probe beside the programs, as a debug build has it"))
    struct SandboxTests {
        private let system: BootedSystem

        init() throws {
            system = try Booted.system
            try system.install()
            try system.check(
                "install", "-m", "0755", BootedSystem.binariesInside + "/SystemdProbe", "/usr/bin/keyvigild")
            try system.run(["systemctl", "stop", "keyvigil"])
            try system.run(["systemctl", "reset-failed", "keyvigil"])
            try system.run(["rm", "-rf", "/var/lib/keyvigil"])
        }

        /// What the probe said since the unit's present start, by fact.
        private func facts() throws -> [String: String] {
            let invocation = try system.check("systemctl", "show", "-P", "InvocationID", "keyvigil")
            let entries = try system.waitForJournal(
                "_SYSTEMD_INVOCATION_ID=" + invocation.trimmingCharacters(in: .whitespacesAndNewlines)
            ) { $0.contains { $0["KEYVIGIL_ALERT_ID"] == "sandbox-shadow" } }
            return facts(entries)
        }

        private func facts(_ entries: [JournalFields]) -> [String: String] {
            Dictionary(
                entries.compactMap { entry in
                    entry["KEYVIGIL_ALERT_ID"].map {
                        (String($0.dropFirst("sandbox-".count)), entry["KEYVIGIL_REASON"] ?? "")
                    }
                }, uniquingKeysWith: { $1 })
        }

        @Test("everything that the daemon needs works, and nothing else")
        func unit() throws {
            try system.check("systemctl", "start", "keyvigil")
            #expect(try system.check("systemctl", "show", "-P", "StatusText", "keyvigil") == "probing\n")
            #expect(
                try facts() == [
                    "user": "true", "watchdog": "60000", "large": "1 MiB", "access": "readable",
                    "readback": "1048576",
                    "state": "/var/lib/keyvigil", "timers": "fired", "inotify": "seen", "credential": "none",
                    "execute": "refused", "internet": "refused", "write-usr-probe": "refused",
                    "write-etc-keyvigil-probe": "refused", "write-home-probe": "refused",
                    "write-var-probe": "refused",
                    "shadow": "refused",
                ])
            #expect(try system.check("stat", "-c", "%a %U", "/var/lib/keyvigil") == "700 keyvigil\n")

            try system.check("systemctl", "reload", "keyvigil")
            try system.waitForJournal("KEYVIGIL_ALERT_ID=sandbox-signal-SIGHUP")
            try system.check("systemctl", "kill", "--kill-whom=main", "-s", "USR1", "keyvigil")
            try system.waitForJournal("KEYVIGIL_ALERT_ID=sandbox-signal-SIGUSR1")
            try system.check("systemctl", "stop", "keyvigil")
            #expect(try system.check("systemctl", "show", "-P", "Result", "keyvigil") == "success\n")
        }

        @Test("the pepper comes as a credential, and without its file the unit does not start")
        func pepper() throws {
            let dropIn = "/etc/systemd/system/keyvigil.service.d/pepper-credential.conf"
            try system.check(
                "install", "-D", "-m", "0644", "/usr/share/doc/keyvigil/examples/pepper-credential.conf",
                dropIn)
            try system.check("systemctl", "daemon-reload")
            #expect(try system.run(["systemctl", "start", "keyvigil"]).status != 0)
            #expect(try system.check("systemctl", "show", "-P", "Result", "keyvigil") == "exit-code\n")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check(
                "sh", "-c",
                "head -c 32 /dev/urandom | systemd-creds encrypt --with-key=host --name=pepper - /etc/keyvigil/pepper.cred"
            )
            try system.check("systemctl", "start", "keyvigil")
            #expect(try facts()["credential"] == "32 bytes")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("rm", dropIn, "/etc/keyvigil/pepper.cred")
            try system.check("systemctl", "daemon-reload")
        }

        @Test("a drop-in opens the files of other users, and says its price")
        func otherUsers() throws {
            let dropIn = "/etc/systemd/system/keyvigil.service.d/other-users-repositories.conf"
            try system.check(
                "install", "-D", "-m", "0644",
                "/usr/share/doc/keyvigil/examples/other-users-repositories.conf", dropIn)
            try system.check("systemctl", "daemon-reload")
            try system.check("systemctl", "start", "keyvigil")
            let facts = try facts()
            #expect(facts["shadow"] == "allowed")
            #expect(facts["execute"] == "refused" && facts["write-home-probe"] == "refused")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("rm", dropIn)
            try system.check("systemctl", "daemon-reload")
        }

        @Test("without the right to read the journal it runs, and knows")
        func noReadBack() throws {
            let dropIn = "/etc/systemd/system/keyvigil.service.d/no-journal-readback.conf"
            try system.check(
                "install", "-D", "-m", "0644", "/usr/share/doc/keyvigil/examples/no-journal-readback.conf",
                dropIn)
            try system.check("systemctl", "daemon-reload")
            try system.check("systemctl", "start", "--no-block", "keyvigil")
            let entries = try system.waitForJournal("KEYVIGIL_ALERT_ID=sandbox-access") { entries in
                entries.contains { $0["KEYVIGIL_REASON"]?.contains("denied") == true }
            }
            #expect(entries.last?["KEYVIGIL_REASON"]?.contains("/var/log/journal") == true)
            // The probe waits for ever for what it cannot read; the daemon would not.
            try system.check("systemctl", "kill", "-s", "KILL", "keyvigil")
            try system.check("systemctl", "stop", "keyvigil")
            try system.check("rm", dropIn)
            try system.check("systemctl", "daemon-reload")
        }
    }
}
