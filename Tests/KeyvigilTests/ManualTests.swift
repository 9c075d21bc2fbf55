import ArgumentParser
import Foundation
import Testing

@testable import Keyvigil

/// The help, and the manual that is made from it.
@Suite("The manual")
struct ManualTests {
    /// The verbs, with the parts of those that have some.
    private static var commands: [(name: String, type: any ParsableCommand.Type)] {
        func all(_ type: any ParsableCommand.Type, _ name: String) -> [(name: String, type: any ParsableCommand.Type)] {
            [(name, type)]
                + type.configuration.subcommands.flatMap { all($0, "\(name) \($0.configuration.commandName ?? "")") }
        }
        return all(KeyvigilCommand.self, "keyvigil")
    }

    /// The lines of a help below `Examples:`.
    private static func examples(_ type: any ParsableCommand.Type) -> [String] {
        let lines = type.configuration.discussion.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { $0 != "Examples:" }.dropFirst().map(String.init)
    }

    @Test("every verb has an example, which the parser takes")
    func examplesParse() throws {
        for verb in KeyvigilCommand.configuration.subcommands {
            let name = try #require(verb.configuration.commandName)
            let examples = Self.examples(verb)
            #expect(!examples.isEmpty, "\(name) has no example")
            for line in examples {
                #expect(
                    line.hasPrefix("    ") && line.count < 80,
                    "\(name): an example is indented, and fits a line: \(line)")
                let words = try Self.words(ofCommand: line)
                #expect(words.prefix(2) == ["keyvigil", name], "\(name): \(line)")
                _ = try KeyvigilCommand.parseAsRoot(Array(words.dropFirst()))
            }
        }
    }

    /// The words of the program's own command in a line of a shell: what follows a pipe, up to a redirection.
    private static func words(ofCommand line: String) throws -> [String] {
        let command = try #require(line.split(separator: "|").last?.split(separator: ">").first)
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", "printf '%s\\n' \(command)"]
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        return text.split(separator: "\n").map(String.init).drop { ["sudo", "-u", "postgres"].contains($0) }.map(\.self)
    }

    @Test("the pages name every verb, option and setting, and are well-formed")
    func pages() throws {
        let work = try Workplace()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let made = try work.run(
            "/usr/bin/python3",
            [root.path + "/docs/manual.py", Workplace.binaries.path + "/keyvigil", work.path("man")])
        #expect(made.status == 0, "\(made.errors)")
        func page(_ name: String) throws -> String {
            // roff has a backslash before each dash.
            try String(contentsOfFile: work.path("man/\(name)"), encoding: .utf8).replacing("\\-", with: "-")
        }
        let tool = try page("man1/keyvigil.1")
        for verb in KeyvigilCommand.configuration.subcommands {
            let name = try #require(verb.configuration.commandName)
            #expect(tool.contains("keyvigil-\(name)"))
            let own = try page("man1/keyvigil-\(name).1")
            #expect(own.contains(".SH EXAMPLES") && own.contains("--config"), "\(name)")
            for line in Self.examples(verb) { #expect(own.contains(line.dropFirst(4)), "\(name): \(line)") }
        }
        let create = try page("man1/keyvigil-create.1")
        for text in [
            "(default: live)", "(default: keyvigil)", "(default of a new key: *)", "(default of a new key: all)",
        ] {
            #expect(create.contains(text), "\(text)")
        }
        #expect(try page("man8/keyvigild.8").contains("(default: /etc/keyvigil/keyvigil.toml)"))
        let settings = try page("man5/keyvigil.toml.5")
        let configuration = try String(contentsOfFile: root.path + "/config/keyvigil.toml", encoding: .utf8)
        for match in configuration.matches(of: #/(?m)^#([a-z_]+) = /#) {
            #expect(settings.contains("\\fB\(match.1)\\fR = "), "\(match.1)")
        }
        // Where groff is, it has nothing to complain of.
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/groff") else { return }
        let names = try FileManager.default.subpathsOfDirectory(atPath: work.path("man")).filter { $0.contains(".") }
        let checked = try work.run(
            "/usr/bin/groff", ["-man", "-ww", "-z"] + names.map { work.path("man/\($0)") })
        #expect(checked.status == 0 && checked.errors.isEmpty, "\(checked.errors)")
        for name in names {
            let shown = try work.run(
                "/usr/bin/groff", ["-man", "-Tutf8", "-P-cbou", "-rLL=80n", work.path("man/\(name)")]
            ).output
            let wide = shown.split(separator: "\n").filter { $0.count > 80 }
            #expect(!shown.isEmpty && wide.isEmpty, "\(name): \(wide)")
        }
    }

    @Test("the README's picture of a session shows what the program prints")
    func session() throws {
        let work = try Workplace()
        let docs =
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/docs"
        let program = Workplace.binaries.appending(path: "keyvigil").path
        let checked = try work.run(
            "/usr/bin/python3", [docs + "/session.py", program, "--check", docs + "/session.svg"])
        #expect(checked.status == 0, "\(checked.errors)")
    }

    @Test("a shell completes the names of keys, and nothing where the store cannot be read")
    func completion() throws {
        let work = try Workplace()
        _ = try work.create("billing", "--owner", "ana")
        _ = try work.create("bank", "--owner", "ana")
        _ = try work.create("webshop", "--owner", "ana")
        func complete(_ start: String, _ configuration: String) throws -> String {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                [
                    "---completion", "show", "--", "positional@0", "4", String(start.utf8.count),
                    "keyvigil", "show", "--config", configuration, start,
                ], environment: ["SAP_SHELL": "bash"]
            ).output
        }
        let names = try complete("b", work.configuration)
        #expect(Set(names.split(separator: "\n")) == ["billing", "bank"], "\(names)")
        #expect(try complete("b", work.path("absent.toml")).split(separator: "\n").isEmpty)
    }

    @Test("a shell that completes a key runs nothing of its name, and puts its id where the name is no word of a shell")
    func hostileNames() throws {
        let work = try Workplace()
        _ = try work.create("billing", "--owner", "ana")
        let made = work.path("made")
        let names = ["x$(touch \(made))y", "x`touch \(made)`", "it's", "web shop", "a:b"]
        let ids = try names.map { try #require(try work.create($0, "--owner", "ana")["id"] as? String) }
        let program = Workplace.binaries.appending(path: "keyvigil").path
        let script = try work.run(program, ["--generate-completion-script", "bash"]).output
        try work.write(
            """
            \(script)
            for start in "" x key_; do
                COMP_WORDS=(\(program) show --config \(work.configuration) "$start") COMP_CWORD=4
                COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
                _keyvigil \(program) "$start" \(work.configuration)
                printf '%s\\n' "${COMPREPLY[@]}"
            done
            """, to: "complete.sh")
        let completed = try work.run("/bin/bash", [work.path("complete.sh")])
        let words = completed.output.split(separator: "\n").map(String.init)
        #expect(!FileManager.default.fileExists(atPath: made))
        #expect(words.sorted() == (["billing"] + ids + ids).sorted(), "\(completed)")
    }
}
