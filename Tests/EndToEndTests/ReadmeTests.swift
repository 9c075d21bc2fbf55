import Foundation
import Testing

extension EndToEnd {
    /// What a document prints is what its reader types: each command is run as printed, in its order.
    @Suite("The documents", .timeLimit(.minutes(30)))
    struct ReadmeTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// A command of a document, and the output that the document shows below it; nil where it shows none.
        struct Step: Sendable {
            let command: String
            var output: [String]?

            /// Whether this is the output: `…` is for what differs from run to run, and alone on a line for any lines.
            func isShown(by actual: String) -> Bool {
                guard let output else { return true }
                let pattern = output.map { line in
                    line == "…"
                        ? "(?:.*\n)*?"
                        : line.split(separator: "…", omittingEmptySubsequences: false)
                            .map { NSRegularExpression.escapedPattern(for: String($0)) }.joined(separator: ".*")
                            + " *\n"
                }
                return actual.range(of: "^\(pattern.joined())$", options: .regularExpression) != nil
            }
        }

        /// The commands in the blocks of a document: fenced ones of the shell, indented ones, and those after a `$` in a session
        /// (`console`), with their output. A block after a mark `not run` is left out; `Tests/Documents/quotes.py unrun` lists
        /// those.
        private static func steps(of document: String) throws -> [Step] {
            let text = try String(contentsOfFile: BootedSystem.source + "/" + document, encoding: .utf8)
            var steps: [Step] = []
            var (fence, isMarked): (String?, Bool) = (nil, false)
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("<!-- not run: ") { isMarked = true }
                if line.hasPrefix("```") {
                    fence = fence == nil ? String(line.dropFirst(3)) : nil
                } else if let fence {
                    guard !isMarked else { continue }
                    if fence == "sh" { steps.append(Step(command: String(line))) }
                    if fence == "console" {
                        if line.hasPrefix("$ ") {
                            steps.append(Step(command: String(line.dropFirst(2)), output: []))
                        } else {
                            steps[steps.count - 1].output?.append(String(line))
                        }
                    }
                } else if line.hasPrefix("    ") {
                    if !isMarked { steps.append(Step(command: line.trimmingCharacters(in: .whitespaces))) }
                } else if !line.isEmpty, !line.hasPrefix("<!-- ") {
                    isMarked = false
                }
            }
            // The package has a test of its own.
            return steps.filter {
                !$0.command.isEmpty && !$0.command.hasPrefix("make ") && !$0.command.hasPrefix("sudo apt ")
            }
        }

        /// What must be there before the commands of a document, by a script to which the key `caller` is known.
        private static let preparations = [
            "README.md": "rm -f /etc/keyvigil/conf.d/here.toml",
            // A PostgreSQL with the default port, whatever the machine has.
            "docs/FLEET.md": """
            for version in $(ls /etc/postgresql); do pg_dropcluster --stop "$version" main || true; done
            pg_createcluster -e UTF8 --locale C.UTF-8 --port 5432 --start "$(ls /usr/lib/postgresql | sort -n | tail -n 1)" main
            """,
            "docs/HELD-KEYS.md":
                "printf 'name,issuer,prefix\nold,external,abcdefgh-7-\n' > /root/keys.csv",
            "docs/INCIDENTS.md": """
            keyvigil create billing --owner ana > /root/billing; mkdir -p /etc/shop
            sed -n 's/^ *secret  */TOKEN=/p' /root/billing > /etc/shop/env
            printf '[Service]\nExecStart=sleep infinity\nExecReload=true\n' > /run/systemd/system/shop.service
            systemctl daemon-reload; systemctl start shop
            mkdir /srv/git/leaks; git init -q -b main --bare /srv/git/leaks.git
            for i in 1 2 3 4 5 6 7; do keyvigil create "deploy-$i" --owner bob; done |
                sed -n 's/^ *secret  */TOKEN=/p' > /srv/git/leaks.git/description
            chmod -R go+rX /srv/git; systemctl kill --kill-whom=main -s USR1 keyvigil
            until [ "$(keyvigil incidents --json | wc -l)" -ge 7 ]; do sleep 0.1; done
            """,
            "docs/SCANNING.md": "useradd ana 2> /dev/null || true",
            "config/examples/prometheus/README.md": "mkdir -p /var/lib/prometheus/node-exporter",
        ]

        /// What a person enters, who is asked for a secret.
        private static let entered = "pied-piper-7132:62885d39f3a0ddedd3d3ee0432a43ccr"

        static let documents: [String] = {
            let folders = ["docs", "config/examples/notify", "config/examples/prometheus", "config/examples/ci"]
            let files = folders.flatMap { folder in
                ((try? FileManager.default.contentsOfDirectory(atPath: BootedSystem.source + "/" + folder)) ?? [])
                    .map { "\(folder)/\($0)" }
            }
            return (["README.md"] + files.sorted()).filter { document in
                document.hasSuffix(".md") && (try? steps(of: document))?.isEmpty == false
            }
        }()

        @Test("every command of it works as printed, and prints what it says", arguments: documents)
        func commands(_ document: String) throws {
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            try system.check("rm", "-f", "/var/backups/keys.sqlite", "/root/keyvigil.backup")
            try scene.start()
            let caller = try scene.create("caller", "--owner", "ana", "--permission", "invoices:write,invoices:read")
            let secret = try #require(caller["secret"] as? String)
            try system.check("sh", "-ec", Self.preparations[document] ?? "true")
            for step in try Self.steps(of: document) {
                let command = step.command
                // Root needs no sudo but for another user, and a test no pager; NAME is for the reader to fill in.
                let sudo = "sudo() { if [ \"$1\" = -u ]; then runuser -u \"$2\" -- \"${@:3}\"; else \"$@\"; fi; }"
                let script = "\(sudo); cd /root; \(command.replacing("NAME", with: "ana"))"
                try system.write(script, to: "/tmp/command.sh")
                // Who ends a key is asked on a terminal.
                let asks = command.contains(#/keyvigil (revoke|delete) /#)
                let outcome = try system.run(
                    ["env", "SECRET=\(secret)", "AUTHORIZATION=Bearer \(secret)"]
                        + (asks
                            ? ["script", "-q", "-e", "-c", "bash /tmp/command.sh", "/dev/null"]
                            : ["bash", "/tmp/command.sh"]),
                    input: asks ? "yes\n" : Self.entered + "\n")
                // These say by their status how the machine is.
                let isReport = ["init", "status", "doctor", "show billing --absence"].contains {
                    command.hasPrefix("sudo keyvigil \($0)")
                }
                #expect(outcome.status == 0 || isReport && outcome.status == 1, "\(command): \(outcome)")
                #expect(
                    !outcome.errors.contains("usage") && !outcome.errors.contains("error:"), "\(command): \(outcome)")
                #expect(
                    step.isShown(by: outcome.output.replacing("\r\n", with: "\n")),
                    "\(document) shows another output of \(command): \(outcome.output)")
            }
        }
    }
}
