import Foundation
import GitRunner
import Synchronization
import SystemPackage
import Testing

@testable import LeakScan

/// "Nothing found" is said only of what was read: whatever history leads to and is not here is a problem, and what git leaves
/// behind in the ordinary way is none.
@Suite struct IncompleteHistoryTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path.appending("shop"))
    }

    private func commit(_ text: String, to name: String = "deep/f.txt", at seconds: Int) throws {
        try folder.write(text, to: "shop/\(name)")
        try git.commit("commit", at: seconds)
    }

    private func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: folder.path.pushing(FilePath(path)).string)
    }

    private func loosePath(_ id: String) -> String { "shop/.git/objects/\(id.prefix(2))/\(id.dropFirst(2))" }

    private func scan(_ name: String = "shop", memory: UnitMemory = UnitMemory(), full: Bool = false) throws -> TestScan
    {
        try TestScan(folder.path.appending(name), memory: memory) { $0.full = full }
    }

    private func kinds(_ scan: TestScan) -> [ScanProblem.Kind] { scan.summary.problems.map(\.kind) }

    /// Each object of three commits, taken away by itself, is missed: loose, and from packs.
    @Test(arguments: [false, true]) func everyObjectOfHistoryIsMissed(_ isPacked: Bool) throws {
        try commit("one", at: 1_700_000_000)
        try commit("two", at: 1_700_000_100)
        try git.git("tag", "-a", "-m", "tagged", "v1")
        try commit("three", to: "other/g.txt", at: 1_700_000_200)
        let all = try git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
            .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(all.count > 8)
        try git.git("reflog", "expire", "--expire=all", "--all")
        for object in all {
            let copy = folder.path.appending("copy-\(object[0])")
            try FileManager.default.copyItem(atPath: folder.path.appending("shop").string, toPath: copy.string)
            let inCopy = Git(copy)
            if isPacked {
                // A pack of all but one object.
                let rest = all.map { $0[0] }.filter { $0 != object[0] }.joined(separator: "\n") + "\n"
                try inCopy.run(["pack-objects", "--quiet", ".git/objects/pack/pack"], input: Array(rest.utf8))
                for id in all.map({ $0[0] }) {
                    try FileManager.default.removeItem(
                        atPath: copy.appending(".git/objects/\(id.prefix(2))/\(id.dropFirst(2))").string)
                }
            } else {
                try FileManager.default.removeItem(
                    atPath: copy.appending(".git/objects/\(object[0].prefix(2))/\(object[0].dropFirst(2))").string)
            }
            let found = try TestScan(copy)
            #expect(!found.summary.isComplete, "\(object)")
            #expect(kinds(found).contains(.incomplete), "\(object)")
            // The whole repository beside it is.
            try FileManager.default.removeItem(atPath: copy.string)
        }
        #expect(try scan().summary.isComplete)
    }

    /// Of a pack that lacks objects at random, what is missed is what git misses: names of any length in folders that are stored
    /// as deltas, and nothing of what no ref leads to.
    @Test(arguments: 0..<3) func whatIsMissedIsWhatGitMisses(_ seed: UInt64) throws {
        var noise = Noise(seed: seed)
        let long = String(repeating: "long name ", count: 22)
        let names = (0..<60).map { "folder \($0 % 3)/\($0 % 4 > 0 ? long : "")\($0)" }
        for name in names { try folder.write("\(name) at first", to: "shop/\(name)") }
        try git.commit("first", at: 1_700_000_000)
        for round in 1...20 {
            for name in names.shuffled(using: &noise).prefix(3) {
                try folder.write("\(name) in round \(round)", to: "shop/\(name)")
            }
            try git.commit("round", at: 1_700_000_000 + round * 100)
            if round == 10 { try git.git("branch", "lost") }
            if round == 15 {
                try git.git("tag", "-a", "-m", "tagged", "v1")
                try git.git("reset", "-q", "--hard", "HEAD~4")
            }
        }
        try git.git("branch", "-q", "-D", "lost")
        try git.git("tag", "-d", "v1")
        try git.git("reflog", "expire", "--expire=all", "--all")
        let all = try git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
            .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let gone = Set(
            all.filter { $0[1] == "blob" || $0[1] == "tree" }.map { $0[0] }.sorted().shuffled(using: &noise).prefix(24))
        let rest = all.map { $0[0] }.filter { !gone.contains($0) }.joined(separator: "\n") + "\n"
        try git.run(["pack-objects", "--quiet", ".git/objects/pack/pack"], input: Array(rest.utf8))
        for object in all { try remove(loosePath(object[0])) }
        let missed = try git.text("rev-list", "--objects", "--all", "--missing=print")
            .split(separator: "\n").filter { $0.hasPrefix("?") }.map { String($0.dropFirst()) }.sorted()
        try #require(missed.count > 2 && missed.count < gone.count)
        let problems = try scan().summary.problems
        #expect(problems.map(\.kind) == [.incomplete])
        #expect(problems.first?.subject == missed.first)
        #expect(problems.first?.detail.contains("and \(missed.count - 1) other objects are missing") == true)
    }

    @Test func whatGitLeavesBehindIsNormal() throws {
        // Nothing was committed yet.
        #expect(try scan().summary.isComplete)
        try commit("one", at: 1_700_000_000)
        try commit("two", at: 1_700_000_100)
        // ORIG_HEAD and the reflog name a commit that is pruned.
        try git.git("reset", "--quiet", "--hard", "HEAD~1")
        let pruned = try git.text("rev-parse", "ORIG_HEAD")
        try git.git("reflog", "expire", "--expire=now", "--all")
        try git.git("gc", "--quiet", "--prune=now")
        try folder.write(
            "\(pruned) \(pruned) Jared <jared@example.com> 1700000000 +0000\treset\n",
            to: "shop/.git/logs/refs/heads/old")
        #expect(FileManager.default.contents(atPath: folder.path.appending("shop/.git/ORIG_HEAD").string) != nil)
        #expect(try scan().summary.isComplete)
        // A commit that no ref leads to, without its tree: an interrupted fetch leaves such.
        let text = "tree \(String(repeating: "5", count: 40))\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n"
        try git.run(["hash-object", "-w", "-t", "commit", "--stdin", "--literally"], input: Array(text.utf8))
        let memory = UnitMemory()
        #expect(try scan(memory: memory).summary.isComplete)
        #expect(try scan(memory: memory).summary.objects == 0)
        // HEAD on a branch without a commit, beside others.
        try git.git("symbolic-ref", "HEAD", "refs/heads/unborn")
        #expect(try scan().summary.isComplete)
        // A commit with the empty tree, of which git needs no file.
        let empty = try git.run(["commit-tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "-m", "empty"])
        try git.git("update-ref", "refs/heads/empty", String(decoding: empty.dropLast(), as: UTF8.self))
        #expect(try scan().summary.isComplete)
    }

    @Test func aPackThatDisappearsIsMissedThoughTheRestIsRemembered() throws {
        try commit("one", at: 1_700_000_000)
        try git.git("repack", "-d", "--quiet")
        let packs = folder.path.appending("shop/.git/objects/pack")
        let first = Set(try FileManager.default.contentsOfDirectory(atPath: packs.string))
        try commit("two", at: 1_700_000_100)
        try git.git("repack", "-d", "--quiet")
        let memory = UnitMemory()
        #expect(try scan(memory: memory).summary.isComplete)
        #expect(try scan(memory: memory).summary.objects == 0)
        for name in first { try FileManager.default.removeItem(atPath: packs.appending(name).string) }
        let found = try scan(memory: memory)
        #expect(kinds(found) == [.incomplete])
        // It stays so until it is brought back.
        #expect(kinds(try scan(memory: memory)) == [.incomplete])
    }

    @Test func aRefThatIsNoneIsSaid() throws {
        try commit("one", at: 1_700_000_000)
        let head = try git.text("rev-parse", "HEAD")
        for (name, text) in [
            ("refs/heads/cut", ""), ("refs/tags/noise", "zzz\n"), ("packed-refs", "what is this\n"),
            ("packed-refs", "\(head) refs/heads/cut"), ("packed-refs", "\(head) refs/heads/a\u{1}b\n"),
            ("packed-refs", "\(head) refs/heads/a\n^\(head.dropLast())\n"), ("packed-refs", "\(head) \n"),
            ("refs/heads/gone", String(repeating: "8", count: 40) + "\n"),
        ] {
            try folder.write(text, to: "shop/.git/\(name)")
            let found = try scan()
            #expect(kinds(found) == [.incomplete], "\(name)")
            #expect(found.summary.problems.first?.hint != nil)
            try remove("shop/.git/\(name)")
        }
        #expect(try scan().summary.isComplete)
    }

    @Test func borrowedObjectsThatAreGoneAreMissed() throws {
        try commit("k = \(TestScan.secret)", at: 1_700_000_000)
        let borrower = folder.path.appending("borrower")
        try git.git("clone", "--quiet", "--bare", "--shared", ".", borrower.string)
        #expect(try scan("borrower").only(.blob).count == 1)
        try FileManager.default.moveItem(
            atPath: folder.path.appending("shop").string, toPath: folder.path.appending("moved").string)
        let found = try scan("borrower")
        #expect(Set(kinds(found)) == [.alternate, .incomplete])
        #expect(!found.summary.isComplete)
    }

    /// The kernel resolves a relative path from where a symlink leads.
    @Test func relativePathsAreResolvedBehindSymlinks() throws {
        try commit("k = \(TestScan.secret)", at: 1_700_000_000)
        try FileManager.default.createDirectory(
            atPath: folder.path.appending("disk/a/b/c").string, withIntermediateDirectories: true)
        let borrower = try Git.initialize(folder.path.appending("borrower"))
        let objects = folder.path.appending("borrower/.git/objects").string
        try FileManager.default.moveItem(atPath: objects, toPath: folder.path.appending("disk/a/b/c/objects").string)
        try FileManager.default.createSymbolicLink(atPath: objects, withDestinationPath: "../../disk/a/b/c/objects")
        try folder.write("../../../../../shop/.git/objects\n", to: "disk/a/b/c/objects/info/alternates")
        try borrower.git("update-ref", "refs/heads/main", try git.text("rev-parse", "HEAD"))
        let found = try scan("borrower")
        #expect(found.summary.isComplete && found.only(.blob).count == 1)
        // A worktree's .git file with a relative path, seen through a symlink to the worktree.
        try git.git("worktree", "add", "--quiet", "--detach", "../one/two/tree")
        let gitFile = folder.path.appending("one/two/tree/.git").string
        try Data("gitdir: ../../../shop/.git/worktrees/tree\n".utf8).write(to: URL(filePath: gitFile))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("current").string, withDestinationPath: "one/two/tree")
        let through = try scan("current")
        #expect(through.summary.isComplete && through.only(.blob).count == 1)
    }

    /// A file of packed refs that was read once is not read again, whatever is added; what is taken away is missed all the same.
    @Test func packedRefsAreReadOnce() throws {
        let memory = UnitMemory()
        func scan() throws -> TestScan {
            // The file is as new as the test.
            try TestScan(folder.path.appending("shop"), memory: memory) { $0.racyNanoseconds = -10_000_000_000 }
        }
        func known() -> Set<ScanUnit> {
            memory.done.withLock { $0.filter { $0.kind == .history && $0.identity.count > 17 } }
        }
        try commit("one", at: 1_700_000_000)
        try git.git("branch", "other")
        try git.git("pack-refs", "--all")
        #expect(try scan().summary.isComplete)
        let first = known()
        #expect(first.count == 1)
        // It is known of what is there now, and of what comes after that.
        try commit("two", at: 1_700_000_100)
        #expect(try scan().summary.isComplete)
        try commit("three", at: 1_700_000_200)
        #expect(try scan().summary.isComplete)
        #expect(known().count == 3 && known().isSuperset(of: first))
        try remove(loosePath(try git.text("rev-parse", "other")))
        #expect(try kinds(scan()) == [.incomplete])
        // Another file names what is not there.
        let absent = String(repeating: "12", count: 20)
        let packed = folder.path.appending("shop/.git/packed-refs").string
        try Data("\(absent) refs/heads/absent\n".utf8).write(to: URL(filePath: packed))
        let again = try scan()
        #expect(again.summary.problems.map(\.subject) == [absent])
    }
}
