import Foundation
import Testing

extension EndToEnd {
    /// What of `config/examples` runs on a machine with Keyvigil.
    @Suite("The examples", .timeLimit(.minutes(5)))
    struct ExamplesTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }
        private static let examples = "\(BootedSystem.sourceInside)/config/examples"

        init() throws { scene = try Scene() }

        @Test("the Ansible role sets a machine up, changes nothing the second time, and refuses wrong settings")
        func ansible() throws {
            let lint = try system.run([
                "sh", "-c", "cd \(Self.examples)/ansible && ansible-lint --offline site.yml roles",
            ])
            #expect(lint.status == 0, "\(lint)")
            func play(_ settings: String = "") throws -> Program.Result {
                try system.run([
                    "env", "HOME=/tmp", "ANSIBLE_NOCOLOR=1", "ansible-playbook", "-i", "localhost,", "-c", "local",
                    "-e", "ansible_python_interpreter=/usr/bin/python3", "-e",
                    #"{"keyvigil_repositories": ["/srv/git/*.git"], "keyvigil_read_users": ["nobody"], "keyvigil_settings": "\#(settings)"}"#,
                    "\(Self.examples)/ansible/site.yml",
                ])
            }
            let first = try play()
            #expect(first.status == 0 && first.output.contains("failed=0"), "\(first)")
            #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
            #expect(try system.check("id", "-nG", "nobody").contains("keyvigil-read"))
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let second = try play()
            #expect(second.status == 0 && second.output.contains("changed=0"), "\(second)")
            let wrong = try play("[hooks]\\nnonsense = 1")
            #expect(wrong.status != 0 && wrong.output.contains("nonsense"), "\(wrong)")
            #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
            try system.check("gpasswd", "-d", "nobody", "keyvigil-read")
        }

        @Test("the script for jobs finds a secret of a known form in the history, and leaves nothing behind")
        func job() throws {
            // Made up, and put together here so that no scanner takes this file for a leak.
            let secret = "hf" + "_" + String(repeating: "aBcDeFgHiJ", count: 3) + "kLmN"
            try scene.push("config.txt", "token = \(secret)\n")
            try scene.push("config.txt", "token = none\n")
            let script =
                "cd /run/job && ls -A /tmp > /run/before && \(Self.examples)/ci/keyvigil-ci \"$@\"; status=$?; ls -A /tmp > /run/after; exit $status"
            func job(_ repository: String, _ options: String...) throws -> Program.Result {
                try system.check("sh", "-ec", "rm -rf /run/job && git clone -q \(repository) /run/job")
                return try system.run(["sh", "-c", script, "job"] + options)
            }
            let found = try job(Scene.repository, "--sarif")
            #expect(found.status == 1 && found.output.contains("\"ruleId\":\"leak.unregistered\""), "\(found)")
            #expect(!found.output.contains(secret) && !found.errors.contains(secret))
            #expect(try system.check("cat", "/run/before") == system.check("cat", "/run/after"))
            try system.check("git", "init", "-q", "--bare", "-b", "main", "/srv/git/clean.git")
            let clean = try job("/srv/git/clean.git")
            #expect(clean.status == 0, "\(clean)")
            // The store of the machine is not touched.
            #expect(try system.run(["ls", Scene.store]).status != 0)
        }
    }
}
