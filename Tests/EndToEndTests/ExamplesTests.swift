import Foundation
import Testing

extension EndToEnd {
    /// What of `config/examples` runs on a machine with Keyvigil.
    @Suite("The examples", .timeLimit(.minutes(30)))
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

        /// Runs the steps of a job as the service that reads the file would: each is a script, the first that fails ends the job.
        private static let runner = """
            import os, subprocess, sys, yaml
            file = yaml.safe_load(open(sys.argv[1]))
            if "jobs" in file:
                # YAML 1.1 takes `on` for a truth value.
                assert set(file[True]) == {"push", "pull_request"} and file["permissions"]["security-events"] == "write"
                job = file["jobs"]["secrets"]
                steps = job["steps"]
                checkout, upload = steps[0], steps[-1]
                assert checkout["uses"].startswith("actions/checkout@") and checkout["with"]["fetch-depth"] == 0
                assert upload["uses"].startswith("github/codeql-action/upload-sarif@") and upload["if"] == "always()"
                scripts, result, image = [step["run"] for step in steps if "run" in step], upload["with"]["sarif_file"], job["container"]
            else:
                job = file["keyvigil"]
                assert job["variables"]["GIT_DEPTH"] == "0" and job["artifacts"]["when"] == "always"
                scripts, [result], image = job["script"], job["artifacts"]["paths"], job["image"]
            assert image.endswith("/keyvigil:0.1.0") and scripts
            print(result, flush=True)
            for script in scripts:
                status = subprocess.run(["sh", "-e", "-c", script]).returncode
                if status: sys.exit(status)
            """

        @Test(
            "the jobs of GitHub and GitLab fail on a leak in the history and leave its SARIF where they upload it from")
        func services() throws {
            let secret = "hf" + "_" + String(repeating: "aBcDeFgHiJ", count: 3) + "kLmN"
            try scene.push("config.txt", "token = \(secret)\n")
            try scene.push("config.txt", "token = none\n")
            try system.check("git", "init", "-q", "--bare", "-b", "main", "/srv/git/clean.git")
            try system.write(Self.runner, to: "/run/job.py")
            // As Containerfile installs it.
            try system.check("install", "-m", "755", "\(Self.examples)/ci/keyvigil-ci", "/usr/local/bin/keyvigil-ci")
            for file in ["github-actions.yml", "gitlab-ci.yml"] {
                for (repository, status, count) in [(Scene.repository, 1, 1), ("/srv/git/clean.git", 0, 0)] {
                    try system.check("sh", "-ec", "rm -rf /run/job && git clone -q \(repository) /run/job")
                    let job = try system.run([
                        "sh", "-c", "cd /run/job && exec python3 /run/job.py \(Self.examples)/ci/\(file)",
                    ])
                    #expect(job.status == Int32(status), "\(file): \(job)")
                    let result = job.output.split(separator: "\n").first ?? "none"
                    let text = try system.check("cat", "/run/job/\(result)")
                    let log = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                    let runs = try #require(log?["runs"] as? [[String: Any]])
                    #expect(log?["version"] as? String == "2.1.0" && runs.count == 1, "\(file)")
                    #expect((runs.first?["results"] as? [Any])?.count == count, "\(file): \(text)")
                    #expect(!text.contains(secret))
                }
            }
            try system.check("rm", "/usr/local/bin/keyvigil-ci")
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
