import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// A blob that is known to contain a secret is copied: only trees and commits are new.
@Suite struct CopyTests {
    let folder: TemporaryFolder
    let git: Git
    let memory = UnitMemory()
    let text = "token \(TestScan.secret)\n"

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
        try folder.write(text, to: "lib/a.txt")
        try folder.write("nothing", to: "README")
        try git.commit("first", at: 1_700_000_000)
    }

    /// The blobs that a scan with a memory reports.
    func scan() throws -> [Occurrence] {
        try TestScan(folder.path, memory: memory) { $0.searchesFiles = false }.only(.blob)
    }

    func scanWhole() throws -> [Occurrence] {
        try TestScan(folder.path) { $0.searchesFiles = false }.only(.blob)
    }

    /// The path, the first of the named commits, and whether it is in HEAD.
    func places(_ occurrences: [Occurrence]) throws -> [String] {
        try occurrences.map { found in
            let subject = try found.commit.map { try git.text("log", "-1", "--format=%s", $0) } ?? "nowhere"
            let path = found.path?.string ?? ""
            return "\(path) \(subject)\(found.isInHead ? " HEAD" : "")\(found.isAtTip ? " tip" : "")"
        }.sorted()
    }

    /// Packs loose objects, like a push of many objects.
    func pack(_ isPacked: Bool) throws { if isPacked { try git.git("repack", "--quiet", "-d") } }

    @Test(arguments: [false, true]) func aCopyInHeadIsFoundWithTheCommitThatMadeIt(isPacked: Bool) throws {
        try pack(isPacked)
        #expect(try places(scan()) == ["lib/a.txt first HEAD tip"])
        try folder.write("more", to: "README")
        try git.commit("between", at: 1_700_000_100)
        try folder.write(text, to: "deep/er/b.txt")
        try git.commit("copy", at: 1_700_000_200, author: "Bertram")
        try folder.write("even more", to: "README")
        try git.commit("after", at: 1_700_000_300)
        try pack(isPacked)
        let found = try scan()
        #expect(try places(found) == ["deep/er/b.txt copy HEAD tip"])
        let copy = try #require(found.first)
        #expect(copy.author?.name == "Bertram <monica@example.com>" && copy.author?.unixSeconds == 1_700_000_200)
        #expect(copy.line == 1 && copy.column == 7 && copy.grade == .confirmed(secret: 99) && copy.isReachable)
        #expect(copy.objects == [try git.text("rev-parse", "HEAD:lib/a.txt")])
        #expect(try scan().isEmpty)
        #expect(try places(scanWhole()) == ["deep/er/b.txt copy HEAD tip", "lib/a.txt first HEAD tip"])
    }

    @Test(arguments: [false, true]) func aCopyInAnotherBranchIsFound(isPacked: Bool) throws {
        try pack(isPacked)
        _ = try scan()
        try git.git("checkout", "--quiet", "-b", "side")
        try git.git("mv", "lib/a.txt", "lib/b.txt")
        try git.commit("move", at: 1_700_000_100)
        try folder.write("more", to: "README")
        try git.commit("after", at: 1_700_000_200)
        try git.git("checkout", "--quiet", "main")
        try pack(isPacked)
        #expect(try places(scan()) == ["lib/b.txt move tip"])
        #expect(try places(scanWhole()) == ["lib/a.txt first HEAD tip", "lib/b.txt move tip"])
        // After a merge into HEAD it is at the same path.
        try folder.write("else", to: "other")
        try git.commit("other", at: 1_700_000_250)
        try git.run(["merge", "--quiet", "--no-edit", "side"])
        #expect(try places(scan()).isEmpty)
        #expect(try places(scanWhole()) == ["lib/a.txt first", "lib/b.txt move HEAD tip"])
    }

    @Test(arguments: [false, true]) func aFolderThatIsCopiedIsLookedInto(isPacked: Bool) throws {
        try folder.write(text, to: "lib/x/y/z.txt")
        try git.commit("second", at: 1_700_000_050)
        try pack(isPacked)
        _ = try scan()
        try git.git("checkout", "--quiet", "-b", "side")
        // No tree of the folder is new.
        try git.git("mv", "lib", "vendor")
        try git.commit("move", at: 1_700_000_100)
        try git.git("checkout", "--quiet", "main")
        try pack(isPacked)
        #expect(try places(scan()) == ["vendor/a.txt move tip", "vendor/x/y/z.txt move tip"])
    }

    @Test func whatAPushPutsThereAndTakesAwayStandsNowhere() throws {
        _ = try scan()
        try folder.write(text, to: "b.txt")
        try git.commit("copy", at: 1_700_000_100)
        try git.git("rm", "--quiet", "b.txt")
        try git.commit("clean", at: 1_700_000_200)
        #expect(try scan().isEmpty)
    }

    @Test func aBranchWithoutAncestorsIsLookedIntoWhole() throws {
        _ = try scan()
        try git.git("checkout", "--quiet", "--orphan", "new")
        try git.git("mv", "lib/a.txt", "c.txt")
        try git.commit("orphan", at: 1_700_000_100)
        try git.git("checkout", "--quiet", "main")
        #expect(try places(scan()) == ["c.txt orphan tip"])
    }

    @Test func aPushOfWhichNoRefTellsYetIsFound() throws {
        _ = try scan()
        // The state in which git-receive-pack runs an update hook.
        let entry = "100644 blob \(try git.text("rev-parse", "HEAD:lib/a.txt"))\tb.txt\n"
        let tree = String(decoding: try git.run(["mktree"], input: Array(entry.utf8)).dropLast(), as: UTF8.self)
        let commit = try git.text("commit-tree", "-p", "HEAD", "-m", "pushed", tree)
        let found = try scan()
        #expect(try places(found) == ["b.txt pushed tip"])
        #expect(found.first?.isReachable == false)
        try git.git("update-ref", "refs/heads/new", commit)
        #expect(try scan().isEmpty)
    }

    @Test func aScanThatIsStoppedFindsTheCopyLater() throws {
        _ = try scan()
        try folder.write(text, to: "b.txt")
        try git.commit("copy", at: 1_700_000_100)
        let control = ScanControl()
        control.cancel()
        _ = try TestScan(folder.path, memory: memory, control: control) { $0.searchesFiles = false }
        #expect(try places(scan()) == ["b.txt copy HEAD tip"])
    }

    @Test func whatIsFoundInAnArchiveIsToldAtItsCopy() throws {
        try folder.write(TestArchive.make(.zip, .none, [("inner/key.txt", Array(text.utf8))]), to: "a.zip")
        try git.commit("archive", at: 1_700_000_050)
        _ = try scan()
        try git.git("mv", "a.zip", "b.zip")
        try git.commit("move", at: 1_700_000_100)
        #expect(try places(scan()).contains("b.zip!/inner/key.txt move HEAD tip"))
    }

    @Test func aFirstScanTellsOfEachBranchAndOfTheCommitThatMovedAFile() throws {
        try git.git("mv", "lib/a.txt", "lib/moved.txt")
        try git.commit("move", at: 1_700_000_100)
        try folder.write("more", to: "README")
        try git.commit("after", at: 1_700_000_200)
        try git.git("checkout", "--quiet", "-b", "side")
        try folder.write(text, to: "side/copy.txt")
        try git.commit("side", at: 1_700_000_300)
        try git.git("checkout", "--quiet", "main")
        let all = ["lib/a.txt first", "lib/moved.txt move HEAD tip", "side/copy.txt side tip"]
        #expect(try places(scanWhole()) == all)
        try git.git("gc", "--quiet")
        #expect(try places(scanWhole()) == all)
    }
}
