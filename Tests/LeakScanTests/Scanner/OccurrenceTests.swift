import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

@Suite struct OccurrenceTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
    }

    @Test func aSecretRemovedFromHeadIsTracedToItsFirstCommit() throws {
        try folder.write("nothing\n", to: "README")
        try git.commit("first", at: 1_700_000_000)
        try folder.write("a = 1\nkey = \"\(TestScan.secret)\"\n", to: "config/settings.py")
        try git.commit("oops", at: 1_700_000_100, author: "Bertram")
        let culprit = try git.text("rev-parse", "HEAD")
        let blob = try git.text("rev-parse", "HEAD:config/settings.py")
        try folder.write("a = 2\nkey = \"\(TestScan.secret)\"\n", to: "config/settings.py")
        try git.commit("more", at: 1_700_000_200)
        try folder.write("a = 2\n", to: "config/settings.py")
        try git.commit("clean", at: 1_700_000_300)

        let scan = try TestScan(folder.path)
        let found = try #require(scan.occurrences.first)
        #expect(scan.occurrences.count == 1)
        #expect(found.term == 11)
        #expect(found.grade == .confirmed(secret: 99))
        #expect(found.source == .blob)
        #expect(found.repository == folder.path)
        #expect(found.object == blob)
        #expect(found.path == "config/settings.py")
        #expect(found.offset == 13)
        #expect(found.line == 2)
        #expect(found.column == 8)
        #expect(found.commit == culprit)
        #expect(
            found.author
                == .init(name: "Bertram <monica@example.com>", unixSeconds: 1_700_000_100, offsetMinutes: 60))
        #expect(found.isReachable)
        #expect(!found.isInHead)
        #expect(found.objectCount == 2)
        #expect(scan.summary.isComplete)

        try git.git("gc", "--quiet")
        #expect(try TestScan(folder.path).occurrences == scan.occurrences)
    }

    @Test func gradesTellASecretFromItsPrefix() throws {
        try folder.write("see \(TestScan.prefix)...", to: "docs.md")
        try folder.write(TestScan.secret, to: "exact")
        try folder.write(String(TestScan.secret.dropLast()), to: "short")
        try git.commit("both")
        let grades = try TestScan(folder.path) { $0.searchesFiles = false }.occurrences
            .map { "\($0.path?.string ?? "") \($0.grade == .mention ? "mention" : "confirmed")" }
        #expect(grades.sorted() == ["docs.md mention", "exact confirmed", "short mention"])
    }

    @Test func anUnknownLengthTriesTheRunAndTheRunWithoutPunctuation() throws {
        let terms = [SearchTerm(id: 5, prefix: Array(TestScan.prefix.utf8))]
        try folder.write("is \(TestScan.secret).", to: "sentence")
        try folder.write("is \(TestScan.secret)\"", to: "quoted")
        try folder.write("is \(TestScan.secret)x", to: "longer")
        let scan = try TestScan(folder.path, terms: terms) { $0.searchesHistory = false }
        let grades = scan.occurrences.map { "\($0.path?.string ?? "") \($0.grade == .mention)" }
        #expect(grades.sorted() == ["longer true", "quoted false", "sentence false"])
    }

    @Test func commitsTagsTreesAndRefsAreSearched() throws {
        try folder.write("x", to: "dir/\(TestScan.prefix).txt")
        try git.commit("message with \(TestScan.secret)")
        try git.git("tag", "--annotate", "--message", "tagged \(TestScan.prefix)", "v1")
        try git.git("branch", "wip/\(TestScan.prefix)")
        try folder.write("x", to: "new/\(TestScan.prefix).txt")
        let scan = try TestScan(folder.path)
        let commit = try #require(scan.only(.commit).first)
        #expect(commit.commit == commit.object)
        #expect(commit.grade == .confirmed(secret: 99))
        #expect(scan.only(.tag).first?.author?.name == "Jared <jared@example.com>")
        #expect(scan.only(.tree).first?.path?.string == "dir/\(TestScan.prefix).txt")
        #expect(scan.only(.tree).first?.isInHead == true)
        #expect(scan.only(.name).map { $0.path?.string } == ["new/\(TestScan.prefix).txt"])
        #expect(scan.only(.ref).map { $0.path?.string } == ["refs/heads/wip/\(TestScan.prefix)"])
        // The commit message is in the reflogs, too.
        #expect(scan.only(.gitdir).contains { $0.path?.string == ".git/logs/HEAD" })

        try git.git("pack-refs", "--all")
        let packed = try TestScan(folder.path).only(.ref)
        #expect(packed.map { $0.path?.string } == ["refs/heads/wip/\(TestScan.prefix)"])
        #expect(packed.map(\.offset) == [15])
    }

    @Test func danglingObjectsAreFoundAndSaidToBeUnreachable() throws {
        try folder.write("x", to: "x")
        try git.commit("base")
        try git.run(["hash-object", "-w", "--stdin"], input: Array(TestScan.secret.utf8))
        try folder.write("gone \(TestScan.prefix)", to: "secret.env")
        try git.commit("lost", author: "Bertram")
        let lost = try git.text("rev-parse", "HEAD")
        try git.git("reset", "--quiet", "--hard", "HEAD~1")
        try FileManager.default.removeItem(atPath: folder.path.appending(".git/logs").string)
        try FileManager.default.removeItem(atPath: folder.path.appending(".git/ORIG_HEAD").string)
        let found = try TestScan(folder.path).only(.blob)
        #expect(found.map(\.isReachable) == [false, false])
        let fromCommit = try #require(found.first { $0.path != nil })
        #expect(fromCommit.path == "secret.env")
        #expect(fromCommit.commit == lost)
        #expect(fromCommit.author?.name == "Bertram <monica@example.com>")
        #expect(found.filter { $0.path == nil }.map(\.grade) == [.confirmed(secret: 99)])
    }

    @Test func aMergeOfTwoBranchesNamesTheOlderOne() throws {
        try folder.write("x", to: "x")
        try git.commit("base", at: 1_700_000_000)
        try git.git("checkout", "--quiet", "-b", "side")
        try folder.write(TestScan.secret, to: "a.env")
        try git.commit("side", at: 1_700_000_200)
        try git.git("checkout", "--quiet", "main")
        try folder.write(TestScan.secret, to: "a.env")
        try git.commit("main", at: 1_700_000_100)
        let older = try git.text("rev-parse", "HEAD")
        try git.git("merge", "--quiet", "side", "--message", "merge")
        let found = try TestScan(folder.path).only(.blob)
        #expect(found.map(\.commit) == [older])
        #expect(found.map(\.isInHead) == [true])
    }

    /// Edges beyond the limit are determined again, with the same result.
    @Test func commitsAreTheSameWhateverIsKept() throws {
        var noise = Noise(seed: 31)
        for version in 1...40 {
            let folder = (0..<Int.random(in: 0...3, using: &noise)).map { "d\($0 + version % 3)/" }.joined()
            let secret = version % 4 == 0 ? "" : TestScan.secret
            try self.folder.write(
                noise.lines(30).joined(separator: "\n") + "\n\(secret)\n", to: "\(folder)f\(version % 9)")
            try git.commit("\(version)", at: 1_700_000_000 + version * 60)
            if version % 10 == 0 {
                // A branch that is merged, with older clocks.
                try git.git("checkout", "--quiet", "-b", "b\(version)", "HEAD~5")
                try self.folder.write("b \(TestScan.secret) \(version)", to: "branch/x/y\(version)")
                try git.commit("branch \(version)", at: 1_600_000_000 + version)
                try git.git("checkout", "--quiet", "main")
                try git.git("merge", "--quiet", "--no-edit", "b\(version)")
            }
        }
        let loose = try TestScan(folder.path) { $0.searchesFiles = false }.occurrences
        #expect(loose.count > 12)
        #expect(loose.allSatisfy { $0.commit != nil && $0.path != nil })
        try git.git("gc", "--quiet")
        for mostEdges in [500_000, 0, 7, 60] {
            let packed = try TestScan(folder.path) {
                $0.searchesFiles = false
                $0.mostTreeEdges = mostEdges
            }
            #expect(packed.occurrences == loose, "\(mostEdges) edges")
        }
    }

    @Test func aPathThatIsNotUTF8IsKeptAsItIs() throws {
        let name: [UInt8] = [0x63, 0x61, 0x66, 0xe9]
        let blob = try git.run(["hash-object", "-w", "--stdin"], input: Array(TestScan.prefix.utf8)).prefix(
            40)
        let tree = try git.run(
            ["mktree", "-z"], input: Array("100644 blob ".utf8) + blob + [9] + name + [0]
        ).prefix(40)
        let commit = try git.text("commit-tree", "-m", "x", String(decoding: tree, as: UTF8.self))
        try git.git("update-ref", "refs/heads/main", commit)
        #expect(try TestScan(folder.path) { $0.searchesFiles = false }.occurrences.first?.path?.bytes == name)
    }

    @Test func noSecretIsInAnOccurrence() throws {
        try folder.write("key=\(TestScan.secret)", to: "f")
        try git.commit("m")
        for occurrence in try TestScan(folder.path).occurrences {
            #expect(!"\(occurrence)".contains("0123456789abcdefghij"))
        }
    }
}
