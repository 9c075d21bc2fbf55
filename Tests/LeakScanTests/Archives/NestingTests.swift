import Foundation
import SystemPackage
import Testing

@testable import LeakScan

/// Forms and archives in each other, made by the tools that people use.
@Suite struct NestingTests {
    /// What is written by a pipeline of the shell from what it reads.
    struct Step {
        var command: String
        /// Whether it reads text only, and whether it writes text.
        var needsText = false
        var givesText = true
        /// Whether a reader has to unpack it within another archive; the depth of those is bounded.
        var isArchive = false
    }

    static let steps = [
        Step(command: "base64 -w0"), Step(command: "base64"), Step(command: "base64 -w0 | tr '+/' '-_' | tr -d '='"),
        Step(command: "od -An -v -tx1 | tr -d ' \\n'"),
        Step(command: "iconv -f UTF-8 -t UTF-16", needsText: true, givesText: false),
        Step(command: "iconv -f UTF-8 -t UTF-16BE", needsText: true, givesText: false),
        Step(command: "gzip -nc", givesText: false, isArchive: true),
        Step(command: "gzip -c", givesText: false, isArchive: true),
        Step(command: "xz -c", givesText: false, isArchive: true),
        Step(command: "bzip2 -c", givesText: false, isArchive: true),
        Step(command: "{ cat > entry; tar cf - entry; }", givesText: false, isArchive: true),
        Step(command: "{ cat > entry; tar czf - entry; }", givesText: false, isArchive: true),
        Step(
            command: "{ cat > entry; rm -f z.zip; zip -q z.zip entry; (echo '#!/bin/sh'; cat z.zip); }",
            givesText: false, isArchive: true),
    ]

    /// The number of cases that are tried; more with `KEYVIGIL_NESTING=COUNT`, others with `KEYVIGIL_NESTING_SEED=SEED`.
    static let environment = ProcessInfo.processInfo.environment

    @Test func anyNestingIsFound() throws {
        let folder = try TemporaryFolder()
        let count = Self.environment["KEYVIGIL_NESTING"].flatMap { Int($0) } ?? 40
        let seed = Self.environment["KEYVIGIL_NESTING_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...1_000_000)
        var noise = Noise(seed: seed)
        try folder.write("some text before it\nkey = \(TestScan.secret)\nand behind\n", to: "work/text")
        var script = "set -e\nmkdir out\ncd work\n"
        var chains: [String: String] = [:]
        for number in 0..<count {
            var chain: [Step] = []
            for _ in 0..<Int.random(in: 1...3, using: &noise) {
                let allowed = Self.steps.filter { step in !step.needsText || chain.last?.givesText ?? true }
                guard var step = allowed.randomElement(using: &noise) else { continue }
                // The steps of a pipeline run at the same time, so each has files of its own.
                let own = "\(number)-\(chain.count)"
                step.command = step.command.replacingOccurrences(of: "entry", with: "entry-\(own)")
                    .replacingOccurrences(of: "z.zip", with: "\(own).zip")
                chain.append(step)
            }
            chains["out/\(number)"] = chain.map(\.command).joined(separator: " | ")
            script += "cat text \(chain.map { "| \($0.command) " }.joined())> ../out/\(number)\n"
        }
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", script]
        shell.currentDirectoryURL = URL(filePath: folder.path.string)
        try shell.run()
        shell.waitUntilExit()
        try #require(shell.terminationStatus == 0)
        let found = try TestScan(folder.path)
        let paths = Set(
            found.only(.file).filter { $0.grade == .confirmed(secret: 99) }.compactMap { occurrence in
                occurrence.path?.string.split(separator: "!").first.map(String.init)
            })
        for (path, chain) in chains.sorted(by: { $0.key < $1.key }) {
            #expect(paths.contains(path), "KEYVIGIL_NESTING_SEED=\(seed) KEYVIGIL_NESTING=\(count): \(path): \(chain)")
        }
    }

    /// Files that a script makes of `text`, which holds the secret in its second line, and `name`, which is the secret.
    @Test func whatToolsMakeIsFound() throws {
        let folder = try TemporaryFolder()
        try folder.write("first\nkey = \(TestScan.secret)\n", to: "work/text")
        let script = """
            set -e
            secret=\(TestScan.secret)
            mkdir out && cd work && echo other > other
            tar cf 1.tar other && tar cf 2.tar text
            cat 1.tar 2.tar | gzip > ../out/joined.tar.gz
            cat 1.tar 2.tar | xz > ../out/joined.tar.xz
            (gzip -c 1.tar; gzip -c 2.tar) > ../out/members.tar.gz
            (cat 1.tar; cat text) | gzip > ../out/behind.tar.gz
            touch "$secret.txt" && tar czf ../out/name.tar.gz "$secret.txt"
            ln -s "$secret" link && tar czf ../out/link.tar.gz link
            zip -q in.zip text
            (printf 'MZ'; head -c 60000 /dev/zero; cat in.zip) > ../out/sfx.exe
            (echo '#!/usr/bin/env python3'; cat in.zip) > ../out/app.pyz
            ar qc ../out/package.deb 2.tar && rm 2.tar && tar cJf data.tar.xz text && ar qc ../out/package2.deb data.tar.xz
            mkdir layer && gzip -c text > layer/inner && tar czf layer.tar.gz layer && tar cf ../out/image.tar layer.tar.gz
            tar --format=v7 -cf ../out/old.tar layer.tar.gz && gzip -c ../out/old.tar > ../out/old.tar.gz
            """
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", script]
        shell.currentDirectoryURL = URL(filePath: folder.path.string)
        try shell.run()
        shell.waitUntilExit()
        try #require(shell.terminationStatus == 0)
        let found = try TestScan(folder.path).only(.file).filter { $0.grade == .confirmed(secret: 99) }
        let paths = Set(found.compactMap { $0.path?.string.split(separator: "!").first.map(String.init) })
        let expected = [
            "joined.tar.gz", "joined.tar.xz", "members.tar.gz", "behind.tar.gz", "name.tar.gz", "link.tar.gz",
            "sfx.exe", "app.pyz",
            "package.deb", "package2.deb", "image.tar", "old.tar", "old.tar.gz",
        ]
        for name in expected { #expect(paths.contains("out/\(name)"), "\(name)") }
    }

    /// An archive of each format that has entries holds the secret in one, which is compressed where the format can.
    static let formats: [(name: String, inside: String, bytes: @Sendable () throws -> [UInt8])] = {
        func made(_ format: TestArchive.Format, _ name: String) -> @Sendable () throws -> [UInt8] {
            { try TestArchive.make(format, .none, [(name, ArchiveTests.text)]) }
        }
        // What is packed once more is not found in the bytes of the archive itself.
        @Sendable func gzip() throws -> [UInt8] { try TestArchive.make(.raw, .gzip, [("text", ArchiveTests.text)]) }
        return [
            ("a.7z", "conf/config.txt", made(.sevenZip, "conf/config.txt")),
            ("a.cpio", "conf/config.txt", made(.cpio, "conf/config.txt")),
            ("a.iso", "CONF/CONFIG.TXT", made(.iso, "CONF/CONFIG.TXT")),
            ("a.xar", "conf/config.txt", made(.xar, "conf/config.txt")),
            ("a.ar", "config.txt", made(.ar, "config.txt")),
            ("a.rar", "config.txt.gz!/data", { HandmadeArchive.rar(name: "config.txt.gz", try gzip()) }),
            ("a.cab", "config.txt.gz!/data", { HandmadeArchive.cabinet(name: "config.txt.gz", try gzip()) }),
            (
                "a.rpm", "etc/config.txt",
                {
                    HandmadeArchive.rpm(
                        payload: try TestArchive.make(.cpio, .gzip, [("etc/config.txt", ArchiveTests.text)]))
                }
            ),
        ]
    }()

    @Test(arguments: formats.indices) func eachFormatIsOpened(number: Int) throws {
        let (name, inside, bytes) = Self.formats[number]
        let folder = try TemporaryFolder()
        try folder.write(try bytes(), to: name)
        for threshold in [16 << 20, 64] {
            let found = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            #expect(found.summary.problems == [])
            #expect(found.only(.file).map { $0.path?.string } == ["\(name)!/\(inside)"])
            #expect(found.only(.file).first?.grade == .confirmed(secret: 99))
        }
    }

    /// What a tar begins with is the name of its first file, which may begin as other formats do.
    @Test(arguments: ["P/a", "PK", "#", "(x", "B", "BZh", "!", "%PDF-", "Rar", "7", "MSCF", "x", "\u{1f}", "\u{4}\""])
    func anyFirstNameOfATarIsRead(name: String) throws {
        let folder = try TemporaryFolder()
        let inner = try TestArchive.make(.raw, .gzip, [("text", ArchiveTests.text)])
        try folder.write(try TestArchive.make(.tar, .none, [(name, inner)]), to: "a")
        try folder.write(try TestArchive.make(.tar, .gzip, [(name, inner)]), to: "b")
        let found = try TestScan(folder.path).only(.file)
        #expect(found.map(\.grade) == [.confirmed(secret: 99), .confirmed(secret: 99)], "\(name)")
    }

    /// Stores of container images keep headers of tar files without contents.
    @Test func aHeaderAloneIsNoDamagedArchive() throws {
        let folder = try TemporaryFolder()
        // The name is so long that it is in a header of its own.
        let name = String(repeating: "n", count: 150)
        let tar = try TestArchive.make(.tar, .none, [(name, ArchiveTests.text)])
        let content = try #require(Oracle.positions(of: ArchiveTests.text, in: tar[...]).first)
        #expect(content > 512)
        try folder.write(Data(tar[..<content]).base64EncodedString(), to: "header")
        #expect(try TestScan(folder.path).summary.problems == [])
        try folder.write(Data(tar[..<(content + 1)]).base64EncodedString(), to: "cut")
        let problems = try TestScan(folder.path).summary.problems
        #expect(problems.first?.detail.contains("1 damaged (cut)") ?? false, "\(problems)")
    }

    /// A document of Office with a password is a compound file with a stream of this name.
    @Test func anEncryptedDocumentIsSaidToBe() throws {
        let folder = try TemporaryFolder()
        func document(_ name: String, after padding: Int) -> [UInt8] {
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1] + [UInt8](repeating: 0xff, count: padding)
                + name.utf8.flatMap { [$0, 0] } + [UInt8](repeating: 0, count: 128)
        }
        // What is longer than a window has the name at the seam of two.
        for padding in [504, (1 << 20) - 41, (1 << 20) - 24, (1 << 20) - 8, 3 << 20] {
            try folder.write(document("EncryptedPackage", after: padding), to: "plan.docx")
            for threshold in [16 << 20, 10_000] {
                let problems = try TestScan(folder.path) { $0.streamingThreshold = threshold }.summary.problems
                #expect(problems.first?.detail.contains("1 encrypted (plan.docx)") == true, "\(padding): \(problems)")
            }
            try folder.write(document("WordDocument", after: padding), to: "plan.docx")
            for threshold in [16 << 20, 10_000] {
                #expect(try TestScan(folder.path) { $0.streamingThreshold = threshold }.summary.problems == [])
            }
        }
    }

    /// The entries of such a document are not encrypted as far as zip is concerned.
    @Test func anEncryptedOpenDocumentIsSaidToBe() throws {
        let folder = try TemporaryFolder()
        func document(_ entry: String) throws -> [UInt8] {
            let manifest = "<manifest:manifest><manifest:file-entry>\(entry)</manifest:file-entry></manifest:manifest>"
            return try TestArchive.make(
                .zip, .none, [("content.xml", [1, 2, 3]), ("META-INF/manifest.xml", Array(manifest.utf8))])
        }
        let encrypted = try document("<manifest:encryption-data/>")
        try folder.write(encrypted, to: "plan.odt")
        try folder.write(try TestArchive.make(.tar, .gzip, [("old.odt", encrypted)]), to: "all.tgz")
        try folder.write(try document(""), to: "open.odt")
        for threshold in [16 << 20, 64] {
            let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            let detail = scan.summary.problems.first?.detail ?? ""
            #expect(detail.contains("2 encrypted (all.tgz!/old.odt, plan.odt)"), "\(detail)")
        }
    }
}
