import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Tracked files that are unchanged according to the index are not read in addition to their objects; all others are.
@Suite struct TrackedFileTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
        for name in ["a", "b", "dir/c", "dir/deep/d"] { try folder.write("\(name) \(TestScan.secret)", to: name) }
        try git.commit("all")
        try git.settle()
    }

    /// The files that a scan reads.
    func read() throws -> Set<String> {
        let listing = try Scanner.list(folder.path)
        return Set(listing.files.filter { $0.source == .worktree }.map { listing.path(of: $0).string })
    }

    @Test func whatIsCommittedIsNotRead() throws {
        #expect(try read() == [])
        try folder.write("changed", to: "dir/c")
        try folder.write("new", to: "dir/new")
        #expect(try read() == ["dir/c", "dir/new"])
        #expect(
            Set(try TestScan(folder.path).only(.blob).map { $0.path?.string }) == ["a", "b", "dir/c", "dir/deep/d"])
    }

    @Test func aChangeOfTheSameSizeAndTimeIsSeen() throws {
        let path = folder.path.appending("a").string
        let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        try folder.write("a \(TestScan.secret.reversed())", to: "a")
        if let before { try FileManager.default.setAttributes([.modificationDate: before], ofItemAtPath: path) }
        #expect(try read() == ["a"])
    }

    @Test func aFileThatChangedInTheInstantOfTheIndexIsRead() throws {
        // The index seems to be older than the file.
        let path = folder.path.appending(".git/index").string
        let long = Date(timeIntervalSince1970: 1_000_000_000)
        try FileManager.default.setAttributes([.modificationDate: long], ofItemAtPath: path)
        #expect(try read() == ["a", "b", "dir/c", "dir/deep/d"])
    }

    @Test(arguments: ["--assume-unchanged", "--skip-worktree"]) func whatGitIsToldToBelieveIsRead(flag: String) throws {
        try git.git("update-index", flag, "a")
        #expect(try read() == ["a"])
    }

    @Test(arguments: [
        "* text=auto", "*.c text\na eol=crlf", "a filter=lfs diff=lfs", "/a ident", "[attr]odd filter=x\na odd",
        "a working-tree-encoding=UTF-16", "\"a\" text",
    ]) func whatGitMayConvertIsRead(attributes: String) throws {
        try folder.write(attributes + "\n", to: ".gitattributes")
        #expect(try read().contains("a"))
    }

    @Test(arguments: ["* -text", "*.c text", "dir/* filter=x", "a diff=cpp", "* binary"]) func whatItDoesNotIsNot(
        attributes: String
    ) throws {
        try folder.write(attributes + "\n", to: ".gitattributes")
        #expect(try !read().contains("a"))
    }

    @Test(arguments: [["core.autocrlf", "true"], ["core.eol", "crlf"], ["include.path", "/x"]])
    func settingsThatConvertCount(setting: [String]) throws {
        try git.run(["config"] + setting)
        #expect(try read() == ["a", "b", "dir/c", "dir/deep/d"])
    }

    @Test func aMissingObjectMakesItsFileRead() throws {
        let object = try git.text("rev-parse", "HEAD:a")
        try FileManager.default.removeItem(
            atPath: folder.path.string + "/.git/objects/\(object.prefix(2))/\(object.dropFirst(2))")
        #expect(try read() == ["a"])
    }

    @Test(arguments: ["2", "3", "4"]) func indexesOfEachVersion(version: String) throws {
        try folder.write("new", to: "later")
        try git.git("add", "--intent-to-add", "later")
        try git.git("update-index", "--index-version", version)
        try git.settle()
        #expect(try read() == ["later"])
    }

    @Test func whatIsStagedIsToldWithItsPath() throws {
        try folder.write("staged \(TestScan.secret)", to: "dir/staged")
        try git.git("add", "dir/staged")
        try git.settle()
        #expect(try read() == [])
        let found = try #require(try TestScan(folder.path).only(.blob).first { $0.path == "dir/staged" })
        #expect(found.commit == nil && found.isReachable)
    }
}

extension Git {
    /// Makes the index newer than all files, so that none is racy.
    func settle() throws {
        try git("update-index", "-q", "--refresh")
        let later = Date(timeIntervalSinceNow: 10)
        try FileManager.default.setAttributes(
            [.modificationDate: later], ofItemAtPath: folder.appending(".git/index").string)
    }
}
