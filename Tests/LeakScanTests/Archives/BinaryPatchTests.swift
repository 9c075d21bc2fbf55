import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Binary patches, as git writes them.
@Suite("binary patches") struct BinaryPatchTests {
    private let folder: TemporaryFolder
    /// A commit that adds a binary file with the secret, and one that changes it a little, as mails.
    private let mails: [String]

    init() throws {
        folder = try TemporaryFolder()
        let source = try TemporaryFolder()
        let git = try Git.initialize(source.path)
        var noise = Noise(seed: 51)
        // What git takes for a binary file, of some lines of the patch.
        let head = Array(noise.lines(40).joined(separator: "\n").utf8) + [0]
        try source.write(head, to: "data.bin")
        try git.commit("first")
        try source.write(head + ArchiveTests.text, to: "data.bin")
        try git.commit("second")
        try source.write(ArchiveTests.text + [0] + head, to: "new.bin")
        try git.commit("third")
        mails = try ["HEAD~1", "HEAD"].map { try git.text("format-patch", "--binary", "--stdout", "-1", $0) }
        #expect(mails[0].contains("\ndelta ") && mails[1].contains("\nliteral "))
        #expect(mails.allSatisfy { !$0.contains(TestScan.secret) })
    }

    private func scan(_ text: String, threshold: Int = 16 << 20) throws -> (found: [Occurrence], problems: [String]) {
        try folder.write(text, to: "mail")
        let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
        return (scan.only(.file), scan.summary.problems.map(\.detail))
    }

    private func quoted(_ text: String, _ mark: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { mark + $0 }.joined(separator: "\n")
    }

    @Test("a file, and what a delta inserts, is found at the line of the patch", arguments: [0, 1])
    func found(_ number: Int) throws {
        let mail = mails[number]
        let line = try #require(
            mail.split(separator: "\n", omittingEmptySubsequences: false).firstIndex(of: "GIT binary patch"))
        let crlf = mail.replacingOccurrences(of: "\n", with: "\r\n")
        for text in [mail, crlf, quoted(mail, "> "), quoted(mail, "    "), quoted(mail, "+"), quoted(mail, "> > ")] {
            let scan = try scan(text)
            #expect(scan.found.map(\.grade) == [.confirmed(secret: 99)] && scan.problems == [], "\(scan)")
            #expect(scan.found.first?.line == line + 1 && scan.found.first?.form == .packed)
        }
        // Empty lines of a quotation without the blank at their end.
        let trimmed = quoted(mail, "> ").replacingOccurrences(of: "\n> \n", with: "\n>\n")
        #expect(try scan(trimmed).found.count == 1)
    }

    /// A text in quoted-printable (RFC 2045, 6.7), in lines of at most `width` bytes.
    private func quotedPrintable(_ text: String, width: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var (lines, last) = ([String](), "")
            for character in line {
                let written =
                    character == "=" || !character.isASCII
                    ? character.utf8.map { String(format: "=%02X", Int($0)) }.joined() : String(character)
                if last.utf8.count + written.utf8.count >= width {
                    lines.append(last + "=")
                    last = ""
                }
                last += written
            }
            return (lines + [last]).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    @Test("a patch in a quoted-printable mail is searched", arguments: [0, 1], [30, 76])
    func inQuotedPrintable(_ number: Int, _ width: Int) throws {
        let text = quotedPrintable(mails[number], width: width)
        #expect(text.contains("=3D"))
        for mail in [text, text.replacingOccurrences(of: "\n", with: "\r\n")] {
            let scan = try scan(mail)
            #expect(scan.found.map(\.grade) == [.confirmed(secret: 99)] && scan.problems == [], "\(scan)")
        }
    }

    @Test("each patch of a file is searched, and one in another form, too")
    func several() throws {
        let empty = "GIT binary patch\nliteral 0\nHcmV?d00001\n\n"
        #expect(try scan(empty + "\n" + empty + mails[1]).found.map(\.grade) == [.confirmed(secret: 99)])
        let inner = Data(mails[1].utf8).base64EncodedString()
        #expect(try scan("body: \(inner)").found.map(\.grade) == [.confirmed(secret: 99)])
    }

    @Test("a patch in a repository is found in each version of the file that has it, with loose objects and packs")
    func inObjects() throws {
        let git = try Git.initialize(folder.path)
        for version in 0..<6 {
            try folder.write("version \(version)\n\(version == 2 ? "" : mails[version % 2])end\n", to: "series")
            try git.commit("\(version)")
        }
        for isPacked in [false, true] {
            if isPacked { try git.git("gc", "--quiet", "--aggressive", "--prune=now") }
            for engine in ScanOptions.Engine.allCases {
                let scan = try TestScan(folder.path) { $0.engine = engine }
                let objects = Set(scan.occurrences.filter { $0.grade == .confirmed(secret: 99) }.flatMap(\.objects))
                #expect(objects.count == 5, "\(engine), \(isPacked)")
            }
        }
    }

    @Test("a patch that is cut off or damaged is said to be, and text that mentions patches is not")
    func damaged() throws {
        let lines = mails[1].split(separator: "\n", omittingEmptySubsequences: false)
        let mark = try #require(lines.firstIndex(of: "GIT binary patch"))
        let cut = lines[...(mark + 6)].joined(separator: "\n")
        #expect(try scan(cut).problems.first?.contains("1 damaged (mail)") == true)
        var other = lines.map(String.init)
        other[mark + 4] = String(other[mark + 4].reversed())
        #expect(try scan(other.joined(separator: "\n")).problems.first?.contains("1 damaged (mail)") == true)
        for text in [
            "the words GIT binary patch in a line", "GIT binary patch", "GIT binary patch\n\nliteral 0\n",
            "GIT binary patch\nliteral 12\n", "GIT binary patch\nliteral 3\nno digits\n",
        ] {
            #expect(try scan(text).problems == [], "\(text)")
        }
    }

    @Test("a patch in what is too large for memory is said not to be searched")
    func large() throws {
        #expect(try scan(mails[1], threshold: 100).problems.first?.contains("mail") == true)
    }

    @Test("each number of bytes that a line can have is decoded")
    func lines() throws {
        // The last lines of streams have any number of bytes.
        var noise = Noise(seed: 52)
        let source = try TemporaryFolder()
        let git = try Git.initialize(source.path)
        try git.git("config", "core.compression", "0")
        for count in 0..<60 {
            let bytes = [0] + (0..<count).map { _ in UInt8.random(in: 0...0xff, using: &noise) } + ArchiveTests.text
            try source.write(bytes, to: "file\(count)")
        }
        try git.commit("all")
        for count in 0..<60 {
            try folder.write(
                try git.text("show", "--binary", "--format=", "HEAD", "--", "file\(count)"), to: "patch\(count)")
        }
        // Some streams hold the text as it is, which is found in base 85, too.
        let found = try TestScan(folder.path).only(.file).filter { $0.grade == .confirmed(secret: 99) }
        #expect(Set(found.map(\.path)).count == 60)
    }
}
