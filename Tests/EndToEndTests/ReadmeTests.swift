import Foundation
import Testing

extension EndToEnd {
    /// The README is what a new user types: each command of it is run as printed, in its order.
    @Suite("The README", .timeLimit(.minutes(5)))
    struct ReadmeTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// The commands in the blocks of a document: fenced ones of the shell, and indented ones.
        private static func commands(of document: String) throws -> [String] {
            let text = try String(contentsOfFile: BootedSystem.source + "/" + document, encoding: .utf8)
            var commands: [String] = []
            var isFenced = false
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("```") {
                    isFenced = line == "```sh"
                } else if isFenced || line.hasPrefix("    ") {
                    commands.append(line.trimmingCharacters(in: .whitespaces))
                }
            }
            return commands.filter { !$0.isEmpty }
        }

        @Test("every command of it works as printed", arguments: ["README.md", "docs/INTERFACES.md"])
        func commands(_ document: String) throws {
            let commands = try Self.commands(of: document)
            #expect(!commands.isEmpty)
            // The package has a test of its own.
            let own = commands.filter { !$0.hasPrefix("make ") && !$0.hasPrefix("sudo apt ") }
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            try system.check("rm", "-f", "/var/backups/keys.sqlite", "/etc/keyvigil/conf.d/here.toml")
            try scene.start()
            let caller = try scene.create("caller", "--owner", "ana", "--permission", "invoices:write")
            let secret = try #require(caller["secret"] as? String)
            for command in own {
                // Root needs no sudo, and a test no pager.
                let script = "sudo() { \"$@\"; }; cd /root; read -r SECRET; \(command)"
                let outcome = try system.run(["bash", "-c", script], input: secret + "\n")
                // These say by their status how the machine is.
                let isReport = ["init", "status", "doctor"].contains { command.hasPrefix("sudo keyvigil \($0)") }
                #expect(outcome.status == 0 || isReport && outcome.status == 1, "\(command): \(outcome)")
                #expect(
                    !outcome.errors.contains("usage") && !outcome.errors.contains("error:"), "\(command): \(outcome)")
            }
        }
    }
}
