import Foundation
import GitRunner
import Synchronization
import SystemPackage
import Testing

@testable import LeakScan

/// The kinds of paths, and the errors for those that cannot be read.
@Suite struct PlaceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aFolderAndItsNestedRepositories() throws {
        try folder.write("a \(TestScan.prefix)", to: "plain/a.txt")
        let inner = try Git.initialize(folder.path.appending("plain/repo"))
        try folder.write("b \(TestScan.prefix)", to: "plain/repo/b.txt")
        try inner.commit("b")
        try FileManager.default.removeItem(atPath: folder.path.appending("plain/repo/b.txt").string)
        _ = try inner.run(["clone", "--quiet", "--bare", ".", folder.path.appending("plain/bare.git").string])
        let scan = try TestScan(folder.path.appending("plain"))
        #expect(scan.only(.file).map { $0.path?.string } == ["a.txt"])
        let blobs = scan.only(.blob)
        #expect(
            Set(blobs.map(\.repository)) == [
                folder.path.appending("plain/bare.git"), folder.path.appending("plain/repo"),
            ])
    }

    /// Threads share the directories of a large tree, and one of them handles its repositories.
    @Test func aLargeFolderIsTheSameHoweverItIsListed() throws {
        for number in 0..<70 {
            let deep = (0..<(number % 5)).map { "d\($0)/" }.joined()
            try folder.write("\(number) \(TestScan.secret)", to: "f\(number % 40)/\(deep)n\(number)")
        }
        for place in ["f3/repo", "f7/d0/repo", "f39/repo"] {
            let git = try Git.initialize(folder.path.appending(place))
            try folder.write("*.log\n", to: "\(place)/.gitignore")
            try folder.write("ignored \(TestScan.secret)", to: "\(place)/sub/x.log")
            try folder.write("kept \(TestScan.secret)", to: "\(place)/sub/kept")
            try git.commit("in \(place)")
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("f5/link").string, withDestinationPath: "n5")
        #expect(unsafe mkfifo(folder.path.appending("f6/pipe").string, 0o600) == 0)
        func scan(threads: Int, late: Bool) throws -> ([String], [String], UnitMemory) {
            let memory = UnitMemory()
            let scan = try TestScan(folder.path, memory: memory) {
                $0.threads = threads
                $0.defersFileStates = late
            }
            #expect(scan.summary.isComplete)
            let found = scan.occurrences.map {
                "\($0.repository) \($0.source) \($0.path?.string ?? "") \($0.offset) \($0.grade)"
            }
            return (found.sorted(), scan.summary.problems.map { "\($0.kind) \($0.subject)" }.sorted(), memory)
        }
        let (found, problems, memory) = try scan(threads: 1, late: false)
        #expect(found.count { $0.contains(" file ") } == 70)
        #expect(found.count { $0.contains("kept") } == 3)
        #expect(!found.contains { $0.contains("x.log") })
        #expect(problems == ["special \(folder.path.appending("f6/pipe"))"])
        for threads in [1, 2, 3] {
            for late in [false, true] {
                let other = try scan(threads: threads, late: late)
                #expect(other.0 == found, "\(threads) threads, \(late)")
                #expect(other.1 == problems)
                // Files whose state was determined only when they were read are not added to the memory.
                let files = other.2.done.withLock { $0.count { $0.kind == .file } }
                #expect(late ? files < 70 : files == memory.done.withLock { $0.count { $0.kind == .file } })
            }
        }
    }

    @Test func oneFile() throws {
        try folder.write("x\n  \(TestScan.secret)", to: "one.env")
        let found = try TestScan(folder.path.appending("one.env")).occurrences
        #expect(found.map(\.grade) == [.confirmed(secret: 99)])
        #expect(found.map(\.line) == [2])
        #expect(found.map(\.column) == [3])
    }

    @Test func aLongFileIsSearchedAcrossItsPieces() throws {
        var bytes = [UInt8](repeating: UInt8(ascii: "\n"), count: 3 << 20)
        var expected: [UInt64] = []
        for place in [0, 524_280, 524_288, 1_048_570, 2_000_000, bytes.count - TestScan.secret.utf8.count] {
            bytes.replaceSubrange(
                place..<(place + TestScan.secret.utf8.count), with: Array(TestScan.secret.utf8))
            expected.append(UInt64(place))
        }
        // The second and third overlap; only the final content counts.
        expected.removeAll { $0 == 524_280 }
        try folder.write(bytes, to: "long")
        let found = try TestScan(folder.path) {
            $0.streamingThreshold = 100_000
            $0.allOccurrences = true
        }.occurrences
        #expect(found.filter { $0.grade == .confirmed(secret: 99) }.map(\.offset) == expected)
        #expect(found.first { $0.offset == 2_000_000 }?.column == 1)
    }

    @Test func linksAndPipesAreNotFollowed() throws {
        try folder.write(TestScan.secret, to: "outside/target")
        try folder.write("x", to: "inside/x")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("inside/link").string, withDestinationPath: "../outside/target")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("inside/folder").string, withDestinationPath: "../outside")
        #expect(unsafe mkfifo(folder.path.appending("inside/pipe").string, 0o600) == 0)
        let scan = try TestScan(folder.path.appending("inside"))
        #expect(scan.occurrences.isEmpty)
        #expect(scan.summary.problems.map(\.kind) == [.special])
        #expect(scan.summary.isComplete)
    }

    @Test func linkedWorktreeAndSubmodule() throws {
        let library = try Git.initialize(folder.path.appending("library"))
        try folder.write("lib \(TestScan.prefix)", to: "library/lib.txt")
        try library.commit("lib")
        let main = try Git.initialize(folder.path.appending("main"))
        try folder.write("main \(TestScan.prefix)", to: "main/main.txt")
        try main.commit("main")
        try main.git("submodule", "--quiet", "add", folder.path.appending("library").string, "vendor/lib")
        try main.commit("submodule")
        try main.git("worktree", "add", "--quiet", "-b", "linked", folder.path.appending("linked").string)
        try folder.write("uncommitted \(TestScan.prefix)", to: "linked/new.txt")

        let scan = try TestScan(folder.path.appending("main"))
        #expect(Set(scan.only(.blob).map { $0.path?.string }) == ["main.txt", "lib.txt"])
        // Unchanged files are not read in addition to their objects, also in the submodule.
        #expect(scan.only(.worktree).isEmpty)
        let full = try TestScan(folder.path.appending("main")) { $0.full = true }
        #expect(Set(full.only(.worktree).map { $0.path?.string }) == ["main.txt", "lib.txt"])
        #expect(scan.summary.problems == [])

        let linked = try TestScan(folder.path.appending("linked"))
        #expect(linked.only(.worktree).contains { $0.path == "new.txt" })
        #expect(Set(linked.only(.blob).map { $0.path?.string }) == ["main.txt", "lib.txt"])
    }

    @Test(arguments: ["a-tree", "z-tree"]) func aGitDirectoryIsSearchedOnceForAllItsWorkingTrees(linked: String) throws
    {
        let main = try Git.initialize(folder.path.appending("main"))
        try main.git("commit", "--quiet", "--allow-empty", "-m", "first")
        try main.git("worktree", "add", "--quiet", folder.path.appending(linked).string)
        try folder.write("remote with \(TestScan.prefix)", to: "main/.git/description")
        try folder.write("note of \(TestScan.prefix)", to: "main/.git/worktrees/\(linked)/note")
        let found = try TestScan(folder.path).only(.gitdir)
        #expect(Set(found.map { $0.repository.lastComponent?.string }) == ["main"])
        let paths = found.map { $0.path?.string ?? "" }.sorted()
        #expect(paths == [".git/description", ".git/worktrees/\(linked)/note"])
        // Alone it has them, too.
        let alone = try TestScan(folder.path.appending(linked)).only(.gitdir).compactMap { $0.path?.string }
        let git = folder.path.appending("main/.git").string
        #expect(alone.sorted() == ["\(git)/description", "\(git)/worktrees/\(linked)/note"])
    }

    @Test func unknownFormatsAreUnscannableNotClean() throws {
        let git = try Git.initialize(folder.path)
        try git.git("config", "core.repositoryformatversion", "1")
        for (setting, value) in [
            ("refstorage", "reftable"), ("objectformat", "sha512"), ("fromthefuture", "true"),
        ] {
            try git.git("config", "extensions.\(setting)", value)
            let error = #expect(throws: LeakScanError.self) { try Scanner.list(folder.path) }
            #expect(error?.isUnscannable == true)
            let config = folder.path.appending(".git/config").string
            let lines = try String(contentsOfFile: config, encoding: .utf8).split(separator: "\n")
            try lines.filter { !$0.contains(setting) }.joined(separator: "\n")
                .write(toFile: config, atomically: true, encoding: .utf8)
        }
        #expect(throws: Never.self) { try Scanner.list(folder.path) }
        try git.git("config", "core.repositoryformatversion", "2")
        #expect(throws: LeakScanError.self) { try Scanner.list(folder.path) }
    }

    @Test func aListingThatIsStoppedIsNoListing() throws {
        let repository = folder.path.appending("shop")
        try FileManager.default.createDirectory(atPath: repository.string, withIntermediateDirectories: true)
        _ = try Git.initialize(repository)
        for folder in [folder.path, repository] {
            let control = ScanControl()
            control.endTurn()
            let error = #expect(throws: LeakScanError.self) { try Scanner.list(folder, control: control) }
            #expect(error?.isStopped == true)
            control.beginTurn()
            #expect(throws: Never.self) { try Scanner.list(folder, control: control) }
            control.cancel()
            #expect(throws: LeakScanError.self) { try Scanner.list(folder, control: control) }
        }
    }

    @Test func whatIsMissingIsSaidSo() {
        let error = #expect(throws: LeakScanError.self) { try Scanner.list(folder.path.appending("none")) }
        #expect(error?.message.contains("there is nothing at") == true)
    }

    @Test func aPackWithoutIndexIsAProblem() throws {
        let git = try OracleTests.makeRich(folder.path)
        try git.git("gc", "--quiet")
        let packs = folder.path.appending(".git/objects/pack")
        for name in try FileManager.default.contentsOfDirectory(atPath: packs.string)
        where name.hasSuffix(".idx") {
            try FileManager.default.removeItem(atPath: packs.appending(name).string)
        }
        let summary = try TestScan(folder.path).summary
        #expect(summary.problems.map(\.kind).contains(.damagedPack))
        #expect(!summary.isComplete)
    }
}
