import Foundation
import Testing

extension EndToEnd {
    /// What a package does, before any daemon starts.
    @Suite("Installation", .timeLimit(.minutes(30)))
    struct InstallTests {
        private let system: BootedSystem

        init() throws {
            system = try Booted.system
            try system.install()
        }

        @Test("the system is up")
        func boots() throws {
            #expect(try system.run(["systemctl", "is-system-running"]).output == "running\n")
            #expect(try system.check("readlink", "/proc/1/exe") == "/usr/lib/systemd/systemd\n")
        }

        @Test("everything is where Debian expects it")
        func places() throws {
            for path in [
                "/usr/bin/keyvigild", "/usr/bin/keyvigil", "/usr/lib/systemd/system/keyvigil.service",
                "/usr/lib/sysusers.d/keyvigil.conf", "/usr/lib/systemd/catalog/keyvigil.catalog",
                "/usr/share/doc/keyvigil/examples/other-users-repositories.conf",
            ] { try system.check("test", "-f", path) }
            #expect(try system.check("id", "-gn", "keyvigil") == "keyvigil\n")
        }

        @Test("there is one program, stripped, with its symbols where debuggers look for them")
        func program() throws {
            #expect(try system.check("readlink", "/usr/bin/keyvigild") == "keyvigil\n")
            #expect(try system.run(["nm", "/usr/bin/keyvigil"]).errors.contains("no symbols"))
            let notes = try system.check("readelf", "-n", "/usr/bin/keyvigil")
            let line = notes.split(separator: "\n").first { $0.contains("Build ID: ") }
            let id = try #require(line?.split(separator: " ").last)
            let symbols = "/usr/lib/debug/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug"
            #expect(try system.check("nm", symbols).contains("KeyvigildCommand"))
        }

        @Test("the unit is as systemd wants it, and as closed as promised")
        func unit() throws {
            let verdict = try system.run(["systemd-analyze", "verify", "keyvigil.service"])
            #expect(verdict.status == 0)
            #expect(verdict.errors == "" && verdict.output == "")
            // The score in tenths; the command fails above it.
            try system.check(
                "systemd-analyze", "security", "--offline=true", "--threshold=3",
                "/usr/lib/systemd/system/keyvigil.service")
            #expect(try system.check("systemctl", "show", "-P", "Type", "keyvigil") == "notify\n")
        }

        @Test("the catalogue explains an entry, with its fields filled in")
        func catalogue() throws {
            let id = try Catalogue.messageID("key.expired")
            let text = """
                MESSAGE=the key billing has expired
                MESSAGE_ID=\(id)
                PRIORITY=4
                KEYVIGIL_ALERT_ID=install-test
                KEYVIGIL_KEY_NAME=billing
                KEYVIGIL_KEY_ID=k_1

                """
            try system.check("logger", "--journald", input: text)
            let seen = try system.waitForJournal("KEYVIGIL_ALERT_ID=install-test")
            #expect(seen.first?["MESSAGE"] == "the key billing has expired")
            let explained = try system.check("journalctl", "-x", "-q", "KEYVIGIL_ALERT_ID=install-test")
            #expect(explained.contains("Subject: The API key 'billing' is past its expiry"))
            #expect(explained.contains("keyvigil delete k_1"))
        }

        @Test("installing again keeps the administrator's configuration")
        func again() throws {
            try system.write("# mine\n", to: "/etc/keyvigil/keyvigil.toml")
            try system.check(
                "make", "-s", "-C", BootedSystem.sourceInside, "install", "BINARIES=\(BootedSystem.binariesInside)")
            #expect(try system.check("cat", "/etc/keyvigil/keyvigil.toml") == "# mine\n")
            try system.check("rm", "-f", "/etc/keyvigil/keyvigil.toml", "/etc/keyvigil/keyvigil.toml.new")
        }

        @Test("uninstalling takes away what was installed, and no keys")
        func uninstall() throws {
            try system.check("systemctl", "start", "keyvigil")
            try system.check("systemctl", "enable", "--quiet", "keyvigil", "keyvigil-read.socket")
            try system.check("make", "-s", "-C", BootedSystem.sourceInside, "uninstall")
            let left = try system.run([
                "find", "/usr", "-path", "*keyvigil*", "-not", "-path", "*test-runtime*",
            ])
            #expect(left.output == "")
            let units = ["keyvigil.service", "keyvigil.socket", "keyvigil-hook.socket", "keyvigil-read.socket"]
            for unit in units {
                #expect(try system.run(["systemctl", "is-active", unit]).output == "inactive\n", "\(unit)")
                #expect(try system.run(["systemctl", "is-enabled", unit]).status != 0, "\(unit)")
            }
            #expect(try system.run(["pgrep", "-x", "keyvigild"]).status == 1)
            #expect(try system.run(["find", "/etc/systemd", "-xtype", "l", "-name", "keyvigil*"]).output == "")
            try system.check("test", "-s", "/var/lib/keyvigil/keys.sqlite")
            try system.check("rm", "-r", "/var/lib/keyvigil")
        }
    }
}
