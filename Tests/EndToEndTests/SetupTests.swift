import Foundation
import Testing

extension EndToEnd {
    /// From an empty machine to a service that watches: `keyvigil init`, and `keyvigil doctor`, whose commands are run as printed.
    @Suite("Setting up", .timeLimit(.minutes(30)))
    struct SetupTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws {
            scene = try Scene()
            try system.check(
                "sh", "-ec",
                """
                rm -rf /etc/keyvigil/conf.d/* /srv/keyvigil-decoy /etc/systemd/journald.conf.d/zz-keyvigil.conf
                install -d -m 0700 -o keyvigil -g keyvigil /var/lib/keyvigil
                chmod -R go= /srv/git
                """)
        }

        private func hints(_ errors: String) -> [String] {
            errors.split(separator: "\n").filter { $0.hasPrefix("hint: ") }.map { String($0.dropFirst("hint: ".count)) }
        }

        @Test(
            "init writes the settings, says which command lets the service read, plants a decoy and starts the service")
        func initialise() throws {
            let made = try system.run(["keyvigil", "init", "--repository", "/srv/git/*.git", "--owner", "ana"])
            #expect(
                made.output.contains("running") && made.errors.contains("permission denied for the user keyvigil"),
                "\(made)")
            #expect(try system.check("systemctl", "is-enabled", "keyvigil") == "enabled\n")
            let settings = try system.check("cat", "/etc/keyvigil/conf.d/site.toml")
            #expect(
                settings.contains("repositories = [\"/srv/git/*.git\"]") && settings.contains("require_owner = true"))
            // The configuration is the service's to read, and the planted secret is a revoked key's.
            let planted = try system.check(
                "setpriv", "--reuid=keyvigil", "--clear-groups", "cat", "/srv/keyvigil-decoy/planted.env")
            let secret = try #require(planted.firstMatch(of: #/TOKEN=(.*)/#)).1
            #expect(try system.run(["keyvigil", "verify"], input: String(secret)).status == 1)
            // As printed; then the service reads what it could not.
            let commands = hints(made.errors)
            #expect(commands.count == 1 && commands[0].contains("setfacl"), "\(made.errors)")
            for command in commands { try system.check("sh", "-ec", command) }
            let checked = try system.run(["keyvigil", "check-config"])
            #expect(checked.status == 0 && checked.errors == "", "\(checked)")
            try system.check("systemctl", "reload", "keyvigil")
            let key = try scene.create("webshop", "--owner", "ben")
            try scene.push("deploy.py", "TOKEN = '\(try #require(key["secret"] as? String))'\n")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=webshop")
            // A leak needs a person.
            #expect(try system.run(["keyvigil", "status"]).status == 1)
            let again = try system.run(["keyvigil", "init"])
            #expect(again.status == 2 && again.errors.contains("site.toml is there already"))
        }

        @Test("on a terminal init asks five questions, with what is on the machine as the proposal")
        func questions() throws {
            try system.check("chmod", "-R", "go+rX", "/srv/git")
            let asked = try system.run(
                ["script", "-q", "-e", "-c", "keyvigil init --no-start", "/dev/null"], input: " \n-\nana\n30d\nrevoke\n"
            )
            #expect(asked.output.contains("Git repositories to watch, with patterns [/srv/git/*.git]:"), "\(asked)")
            let settings = try system.check("cat", "/etc/keyvigil/conf.d/site.toml")
            for line in [
                "repositories = [\"/srv/git/*.git\"]", "folders = []", "default_expiry = \"30d\"",
                "on_leak = \"revoke\"",
                "require_owner = true",
            ] {
                #expect(settings.contains(line), "\(settings)")
            }
        }

        @Test("without a terminal init watches the repositories that it finds, unless none are asked for")
        func found() throws {
            try system.check("chmod", "-R", "go+rX", "/srv/git")
            func settings(_ options: String...) throws -> (said: String, text: String) {
                let made = try system.run(["keyvigil", "init", "--replace", "--no-start", "--no-decoy"] + options)
                try #require(made.status == 0, "\(made)")
                return (made.errors, try system.check("cat", "/etc/keyvigil/conf.d/site.toml"))
            }
            #expect(try settings().text.contains("\nrepositories = [\"/srv/git/*.git\"]\n"))
            let none = try settings("--repository", "-")
            #expect(
                none.text.contains("\nrepositories = []\n") && none.said.contains("is watched: give --repository"),
                "\(none)")
        }

        /// What doctor prints about one check, by its JSON.
        private func diagnosis(_ check: String) throws -> [(result: String, message: String, remedy: String?)] {
            let output = try system.run(["keyvigil", "doctor", "--json"]).output
            return output.split(separator: "\n").compactMap { line in
                let object = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
                guard let object, object["check"] as? String == check else { return nil }
                return (
                    object["result"] as? String ?? "", object["message"] as? String ?? "", object["remedy"] as? String
                )
            }
        }

        /// A fault that doctor alone reports; the others are in `MessageTests`. Its command is run as printed, and the fault is
        /// gone.
        struct Fault: CustomTestStringConvertible, Sendable {
            let testDescription: String
            let check: String
            let cause: String
            let says: String
            var grade = "problem"
        }

        static let faults = [
            Fault(
                testDescription: "the service is stopped", check: "service",
                cause: "systemctl disable --now keyvigil", says: "keyvigild does not run"),
            Fault(
                testDescription: "the service does not start with the machine", check: "service",
                cause: "systemctl disable keyvigil", says: "does not start with the machine"),
            Fault(
                testDescription: "a socket is down", check: "sockets",
                cause: "systemctl stop keyvigil-hook.socket", says: "nothing listens on /run/keyvigil/hook.sock"),
            Fault(
                testDescription: "a group of the sockets is missing", check: "sockets",
                cause: "groupdel keyvigil-read", says: "missing: keyvigil-read"),
            Fault(
                testDescription: "a part of a repository is closed", check: "places",
                cause: "chmod -R go-rwx /srv/git/shop.git/refs", says: "/refs: permission denied for the user keyvigil"),
            Fault(
                testDescription: "the service may not read the journal", check: "journal",
                cause: """
                    gpasswd -q -d keyvigil systemd-journal 2> /dev/null || true
                    install -D -m 0644 /usr/share/doc/keyvigil/examples/no-journal-readback.conf \
                        /etc/systemd/system/keyvigil.service.d/blind.conf
                    systemctl daemon-reload
                    """, says: "may not read"),
            Fault(
                testDescription: "journald stores nothing", check: "journal",
                cause: """
                    mkdir -p /etc/systemd/journald.conf.d
                    printf '[Journal]\\nStorage=none\\n' > /etc/systemd/journald.conf.d/none.conf
                    """, says: "stores nothing"),
            Fault(
                testDescription: "a hook is not executable", check: "hooks",
                cause: "rm -f /srv/git/shop.git/hooks/pre-receive; touch /srv/git/shop.git/hooks/pre-receive",
                says: "not executable"),
            Fault(
                testDescription: "no hook refuses pushes", check: "hooks",
                cause: "rm -f /srv/git/shop.git/hooks/pre-receive", says: "pushes with a secret are accepted",
                grade: "advice"),
            Fault(
                testDescription: "no backup was made", check: "backup",
                cause: "rm -f /var/lib/keyvigil/keys.sqlite.last-backup", says: "none was made", grade: "advice"),
            Fault(
                testDescription: "nothing is watched but the decoy", check: "places",
                cause: "rm /etc/keyvigil/conf.d/site.toml; keyvigil init --only-decoy; systemctl reload keyvigil",
                says: "no repository or folder is watched", grade: "advice"),
            Fault(
                testDescription: "no scan proves that it finds anything", check: "decoy",
                cause: "rm -rf /etc/keyvigil/conf.d/decoy.toml /srv/keyvigil-decoy", says: "no scan proves",
                grade: "advice"),
        ]

        @Test("doctor names each fault, and its command, run as printed, resolves it", arguments: faults)
        func doctor(_ fault: Fault) throws {
            try system.check("chmod", "-R", "go+rX", "/srv/git")
            try system.check("keyvigil", "init", "--repository", "/srv/git/*.git", "--no-decoy", "--no-start")
            try scene.start()
            try system.check("systemctl", "enable", "--quiet", "keyvigil")
            _ = try scene.create("keyvigil-test", "--owner", "ana")
            try system.check("sh", "-ec", fault.cause)
            let found = try #require(try diagnosis(fault.check).first { $0.result != "ok" })
            #expect(found.result == fault.grade && found.message.contains(fault.says), "\(found)")
            let remedy = try #require(found.remedy)
            try system.run(["systemctl", "reset-failed", "keyvigil"])
            try system.check("sh", "-ec", remedy)
            let after = try diagnosis(fault.check)
            #expect(after.allSatisfy { $0.result == "ok" }, "\(remedy): \(after)")
            try system.check(
                "sh", "-ec",
                "rm -f /etc/systemd/journald.conf.d/*.conf; systemctl restart systemd-journald")
        }
    }
}
