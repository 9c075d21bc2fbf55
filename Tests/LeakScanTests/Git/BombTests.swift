import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Repositories of some kilobytes whose trees have more paths than could ever be listed.
@Suite struct BombTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path.appending("r"))
    }

    private func hash(_ arguments: [String], _ input: String) throws -> String {
        String(decoding: try git.run(arguments, input: Array(input.utf8)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Commits a tree of `levels` levels of `width` folders each, all of them the same, with `files` names of one blob below,
    /// beside an honest file.
    private func makeBomb(levels: Int, width: Int, files: Int) throws {
        try folder.write("honest \(TestScan.secret)", to: "r/honest")
        try git.commit("honest", at: 1_600_000_000, author: "Hana")
        let honest = try git.text("rev-parse", "HEAD:honest")
        let blob = try hash(["hash-object", "-w", "--stdin"], "mentions \(TestScan.prefix)\n")
        func tree(_ entries: [String]) throws -> String { try hash(["mktree"], entries.joined(separator: "\n") + "\n") }
        var id = try tree((0..<files).map { "100644 blob \(blob)\tf\($0)" })
        for _ in 0..<levels { id = try tree((0..<width).map { "040000 tree \(id)\td\($0)" }) }
        id = try tree(["040000 tree \(id)\tbomb", "100644 blob \(honest)\thonest"])
        let commit = try hash(["commit-tree", id, "-p", "HEAD", "-m", "bomb"], "")
        try git.git("update-ref", "HEAD", commit)
        try git.git("repack", "-adq")
    }

    @Test(arguments: [(12, 12, 12), (3, 44, 2_000), (0, 1, 30_000), (60, 2, 1)])
    func aBombIsFollowedAsFarAsTheBoundsAllow(levels: Int, width: Int, files: Int) throws {
        try makeBomb(levels: levels, width: width, files: files)
        let scan = try TestScan(folder.path.appending("r")) { $0.searchesFiles = false }
        let mentions = scan.only(.blob).filter { $0.grade == .mention }
        #expect(mentions.count == TraceBounds().placesOfObject)
        #expect(Set(mentions.map(\.path)).count == mentions.count)
        #expect(scan.summary.problems.map(\.kind) == [.untraced])
        // All was searched; only the places are not all named.
        #expect(scan.summary.isComplete)
        let honest = try #require(scan.only(.blob).first { $0.grade != .mention })
        #expect(honest.path == "honest")
        #expect(honest.author?.name.hasPrefix("Hana <") == true)
        #expect(honest.isInHead)
    }

    @Test func placesUpToTheBoundAreAllNamed() throws {
        try makeBomb(levels: 1, width: 4, files: 5)
        let path = folder.path.appending("r")
        for (bound, expected) in [(20, 20), (21, 20), (19, 19), (1, 1)] {
            let scan = try TestScan(path) {
                $0.searchesFiles = false
                $0.tracing.placesOfObject = bound
            }
            #expect(scan.only(.blob).count { $0.grade == .mention } == expected)
            #expect(scan.summary.problems.map(\.kind) == (bound < 20 ? [.untraced] : []))
        }
    }

    /// What is found is reported even if there is no time to look where it is.
    @Test func withoutStepsThereAreNoPathsButFindings() throws {
        try makeBomb(levels: 3, width: 10, files: 10)
        let scan = try TestScan(folder.path.appending("r")) {
            $0.searchesFiles = false
            $0.tracing.steps = 0
            $0.tracing.stepsForObject = 0
        }
        #expect(Set(scan.only(.blob).map(\.grade)) == [.mention, .confirmed(secret: 99)])
        #expect(scan.summary.problems.map(\.kind) == [.untraced])
    }

    /// Paths of thousands of bytes, each a little longer than the one before.
    @Test func longPathsTakeBoundedMemory() throws {
        try folder.write("x \(TestScan.prefix)", to: "r/x")
        try git.commit("x")
        let blob = try git.text("rev-parse", "HEAD:x")
        let name = String(repeating: "n", count: 200)
        var id = try hash(["mktree"], "100644 blob \(blob)\tx\n")
        for _ in 0..<45 {
            id = try hash(["mktree"], (0..<30).map { "040000 tree \(id)\t\(name)\($0)\n" }.joined())
        }
        let commit = try hash(["commit-tree", id, "-m", "long"], "")
        try git.git("update-ref", "HEAD", commit)
        let scan = try TestScan(folder.path.appending("r")) {
            $0.searchesFiles = false
            $0.tracing.pathBytes = 1 << 20
            $0.tracing.stepsInCommit = 200_000
        }
        #expect(!scan.only(.blob).isEmpty)
        #expect(scan.only(.blob).reduce(0) { $0 + ($1.path?.string.utf8.count ?? 0) } <= 1 << 20)
        #expect(scan.summary.problems.map(\.kind) == [.untraced])
    }

    /// Each of many names in one tree is found, and named.
    @Test func namesInALargeTree() throws {
        let blob = try hash(["hash-object", "-w", "--stdin"], "nothing\n")
        let names = (0..<3_000).map { String(format: "%05d-\(TestScan.prefix)", $0) }
        let id = try hash(["mktree"], names.map { "100644 blob \(blob)\t\($0)\n" }.joined())
        let commit = try hash(["commit-tree", id, "-m", "names"], "")
        try git.git("update-ref", "HEAD", commit)
        let scan = try TestScan(folder.path.appending("r")) {
            $0.searchesFiles = false
            $0.allOccurrences = true
        }
        #expect(scan.only(.tree).compactMap { $0.path?.string }.sorted() == names)
    }
}
