import Foundation
import Keys
import Testing

/// Whoever pushes, or owns a watched repository, chooses names. None of them reads as words of the program, moves the cursor of
/// a terminal, or begins a line.
@Suite("Names from outside in what is shown")
struct ForeignNamesTests {
    let work: Workplace
    static let order = "keyvigil delete billing --yes"
    static let name = "x by Dan: \(order)"
    static let terminal = "\u{1B}[2J\u{9B}31m\u{202E}\u{2028}b\nnothing is wrong: \(order)"

    init() throws {
        work = try Workplace()
        try work.configure("[scan]\nrepositories = [\"\(work.path("git/*.git"))\"]")
    }

    /// What is left of a text without what is in quotes.
    private func unquoted(_ text: String) -> String { text.replacing(#/'(?:\\.|[^'\\])*'/#, with: "''") }

    private func expectHarmless(_ text: String, _ what: String) {
        #expect(!text.unicodeScalars.contains { $0 != "\n" && DisplayText.isHazardous($0) }, "\(what): \(text)")
        #expect(!unquoted(text).contains("keyvigil delete"), "\(what): \(text)")
    }

    private func repository(_ name: String, author: String, files: [String: String]) throws -> String {
        let root = work.path("git/\(name).git")
        try work.git(root, "init", "-q", "-b", "main", root)
        for (file, text) in files {
            try Data(text.utf8).write(to: URL(filePath: root).appending(path: file))
        }
        try work.git(root, "-C", root, "add", "-A")
        try work.git(root, "-C", root, "commit", "-q", "-m", "m", "--author", "\(author) <d@example.org>")
        return root
    }

    @Test("a finding's repository, path and author are quoted, on the terminal and in alerts")
    func findings() throws {
        let secret = try #require(try work.create("billing", "--owner", Self.name)["secret"] as? String)
        _ = try repository(
            Self.name, author: "Dan: \(Self.order) \u{1B}]0;OWN\u{7}", files: [Self.terminal: "k = \(secret)\n"])
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        let alert = try #require(daemon.events("leak.confirmed").first)
        #expect(alert.contains("keyvigil delete"))
        for line in daemon.output { expectHarmless(line, "daemon") }
        _ = daemon.stop()
        for arguments in [
            ["scan", "--full"], ["findings"], ["findings", "show", "1"], ["status"], ["alerts"], ["list"],
            ["show", "billing"],
        ] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(!outcome.output.isEmpty, "\(arguments): \(outcome.errors)")
            expectHarmless(outcome.errors, "\(arguments)")
            // A cell of a table is the value's own: here the owner's name.
            let sentences = outcome.output.replacing("  \(Self.name)  ", with: "  -  ")
            if arguments[0] != "list" { expectHarmless(sentences, "\(arguments)") }
            let json = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                arguments + ["--json", "--config", work.configuration])
            #expect(!json.output.unicodeScalars.contains { $0 != "\n" && DisplayText.isHazardous($0) }, "\(arguments)")
        }
    }

    @Test(
        "so are the extension, the ref and the alternate that a repository names, in what says why it was not scanned")
    func problems() throws {
        _ = try work.create("billing")
        let odd = try repository("odd \(Self.order)", author: "Dan", files: ["a": "a"])
        let config = URL(filePath: odd).appending(path: ".git/config")
        let text = try String(contentsOf: config, encoding: .utf8)
        try Data(
            (text.replacing("repositoryformatversion = 0", with: "repositoryformatversion = 1")
                + "[extensions]\n\tx\u{1B}[31m, \(Self.order) = 1\n").utf8
        ).write(to: config)
        let lame = try repository("lame", author: "Dan", files: ["a": "a"])
        try Data("/srv/\u{1B}[8m gone: \(Self.order)\n".utf8).write(
            to: URL(filePath: lame).appending(path: ".git/objects/info/alternates"))
        let moved = try repository("moved", author: "Dan", files: ["a": "a"])
        try FileManager.default.removeItem(atPath: moved + "/.git")
        try Data("gitdir: /srv/\u{1B}[8m it: \(Self.order)\n".utf8).write(
            to: URL(filePath: moved).appending(path: ".git"))
        for arguments in [["scan"], ["check-config"], ["status"]] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            expectHarmless(outcome.errors, "\(arguments)")
            expectHarmless(outcome.output, "\(arguments)")
            if arguments == ["scan"] { #expect(outcome.errors.contains("keyvigil delete")) }
        }
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.events("scan.failed").count == 3)
        for line in daemon.output { expectHarmless(line, "daemon") }
        _ = daemon.stop()
    }
}
