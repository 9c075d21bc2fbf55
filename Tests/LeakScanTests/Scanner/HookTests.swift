import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Content that is about to be committed or received.
@Suite struct HookTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path.appending("work"))
    }

    private func staged() throws -> [Occurrence] {
        try Scanner.scanStaged(
            folder.path.appending("work"), terms: try SearchTerms(TestScan.terms),
            recognizer: KnownSecrets([TestScan.secret: 99]))
    }

    @Test(arguments: [2, 3, 4]) func onlyWhatIsStagedCounts(_ version: Int) throws {
        #expect(try staged() == [])
        try folder.write("old \(TestScan.secret)", to: "work/deep/old.txt")
        try folder.write("clean", to: "work/deep/older.txt")
        try git.commit("old")
        // Already committed, so later commits are not refused for it.
        try folder.write("clean, too", to: "work/deep/new.txt")
        try git.git("add", ".")
        try git.git("update-index", "--index-version", "\(version)")
        #expect(try staged() == [])
        // Only in the working tree, and only marked with intent to add.
        try folder.write("line\nkey = \(TestScan.secret)", to: "work/deep/more/token.txt")
        #expect(try staged() == [])
        try git.git("add", "--intent-to-add", ".")
        #expect(try staged() == [])
        try git.git("add", ".")
        try git.git("update-index", "--index-version", "\(version)")
        let found = try staged()
        #expect(found.map { $0.path?.string } == ["deep/more/token.txt"])
        #expect(found.map(\.grade) == [.confirmed(secret: 99)])
        #expect(found.map(\.line) == [2])
        // Packed objects are read as well, and a file with committed content at a new path is new.
        try git.git("gc", "--quiet")
        try git.git("reset", "--quiet")
        try git.git("mv", "deep/old.txt", "deep/moved.txt")
        #expect(try staged().map { $0.path?.string } == ["deep/moved.txt"])
    }

    @Test func aStagedArchiveIsLookedInto() throws {
        let archive = try TestArchive.make(.zip, .gzip, [("inner/key.txt", Array(TestScan.secret.utf8))])
        try folder.write(archive, to: "work/a.zip.gz")
        try git.git("add", ".")
        #expect(try staged().map { $0.path?.string } == ["a.zip.gz!/inner/key.txt"])
    }

    @Test func aDamagedIndexIsNotClean() throws {
        try folder.write(TestScan.secret, to: "work/f")
        try git.git("add", ".")
        let index = folder.path.appending("work/.git/index")
        let whole = try [UInt8](Data(contentsOf: URL(filePath: index.string)))
        // Its last bytes are its checksum.
        for length in 0..<(whole.count - 20) {
            try Data(whole[..<length]).write(to: URL(filePath: index.string))
            #expect(throws: LeakScanError.self, "\(length)") { try staged() }
        }
        var noise = Noise(seed: 3)
        for _ in 0..<200 {
            var damaged = whole
            damaged[Int.random(in: 0..<whole.count, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
            try Data(damaged).write(to: URL(filePath: index.string))
            // It ends, with any result.
            _ = try? staged()
        }
    }

    @Test func aPushIsSearchedInItsQuarantine() throws {
        let bare = folder.path.appending("server.git")
        let server = try Git.initialize(bare, "--bare")
        try folder.write("clean \(TestScan.prefix)", to: "work/f.txt")
        try git.commit("clean")
        try git.git("push", "--quiet", bare.string, "main")
        try folder.write("line\n\(TestScan.secret)", to: "work/f.txt")
        try git.commit("leak", at: 1_700_000_100)
        try folder.write("line", to: "work/f.txt")
        try git.commit("taken out", at: 1_700_000_200)
        // A hook that keeps the quarantine, as git shows it, and refuses.
        let kept = folder.path.appending("kept")
        try folder.write(
            "#!/bin/sh\ncp -r \"$GIT_QUARANTINE_PATH\" '\(kept.string)'; exit 1\n", to: "server.git/hooks/pre-receive")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: bare.appending("hooks/pre-receive").string)
        for unpacked in ["1", "1000"] {
            try? FileManager.default.removeItem(atPath: kept.string)
            try server.git("config", "receive.unpackLimit", unpacked)
            #expect(throws: Git.Failure.self) { try git.git("push", "--quiet", bare.string, "main") }
            let listing = try Scanner.listPush(
                to: bare, quarantine: kept,
                tips: [try git.text("rev-parse", "main"), String(repeating: "0", count: 40)])
            var found: [Occurrence] = []
            let summary = try Scanner.scan(
                listing, terms: try SearchTerms(TestScan.terms), recognizer: KnownSecrets([TestScan.secret: 99])
            ) { found += $0.occurrences }
            #expect(summary.isComplete)
            // The mention that the server already had does not belong to this push.
            #expect(found.map(\.grade) == [.confirmed(secret: 99)])
            #expect(found.map(\.commit) == [try git.text("rev-parse", "main~1")])
            #expect(found.map { $0.path?.string } == ["f.txt"])
            #expect(found.map(\.isReachable) == [true])
        }
    }

    @Test func outsideOfARepositoryThereIsNothingToHook() throws {
        let nowhere = folder.path.appending("plain")
        try folder.write("x", to: "plain/f")
        let terms = try SearchTerms(TestScan.terms)
        #expect(throws: LeakScanError.self) {
            try Scanner.scanStaged(nowhere, terms: terms, recognizer: NoSecretsKnown())
        }
        #expect(throws: LeakScanError.self) {
            try Scanner.listPush(to: nowhere, quarantine: nowhere, tips: [])
        }
    }
}
