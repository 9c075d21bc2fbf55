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

    private func staged(_ variables: [String: String] = [:], in name: String = "work") throws -> [Occurrence] {
        try Scanner.scanStaged(
            folder.path.appending(name), GitEnvironment(variables), terms: try SearchTerms(TestScan.terms),
            recognizer: KnownSecrets([TestScan.secret: 99])
        ).occurrences
    }

    /// What a push into a bare repository is refused for: its hook keeps what git passes to it, and refuses.
    private func pushed(_ arguments: String..., to server: Git, from git: Git? = nil) throws -> (
        occurrences: [Occurrence], isComplete: Bool
    ) {
        let kept = folder.path.appending("kept")
        try? FileManager.default.removeItem(atPath: kept.string)
        let hook = server.folder.appending("hooks/pre-receive").string
        try Data(
            """
            #!/bin/sh
            mkdir '\(kept.string)'
            cat > '\(kept.string)/refs'
            if [ -n "$GIT_QUARANTINE_PATH" ]; then cp -r "$GIT_QUARANTINE_PATH" '\(kept.string)/objects'; fi
            exit 1

            """.utf8
        ).write(to: URL(filePath: hook))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
        defer { try? FileManager.default.removeItem(atPath: hook) }
        #expect(throws: Git.Failure.self) {
            try (git ?? self.git).run(["push", "--quiet", server.folder.string] + arguments)
        }
        let refs = String(
            decoding: try #require(FileManager.default.contents(atPath: kept.appending("refs").string)), as: UTF8.self)
        let updates = refs.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return Scanner.RefUpdate(new: String(words[1]), name: String(words[2]))
        }
        var variables = ["GIT_DIR": server.folder.string]
        if FileManager.default.fileExists(atPath: kept.appending("objects").string) {
            variables["GIT_QUARANTINE_PATH"] = kept.appending("objects").string
        }
        var options = ScanOptions()
        options.full = true
        let push = try Scanner.listPush(to: server.folder, GitEnvironment(variables), updates, options: options)
        var found: [Occurrence] = []
        let summary = try Scanner.scan(
            push, terms: try SearchTerms(TestScan.terms), recognizer: KnownSecrets([TestScan.secret: 99]),
            options: options
        ) { found += $0 }
        return (found, summary.isComplete)
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
        for unpacked in ["1", "1000"] {
            try server.git("config", "receive.unpackLimit", unpacked)
            let (found, isComplete) = try pushed("main", to: server)
            #expect(isComplete)
            // The mention that the server has had before is not of this push.
            #expect(found.map(\.grade) == [.confirmed(secret: 99)])
            #expect(found.map(\.commit) == [try git.text("rev-parse", "main~1")])
            #expect(found.map { $0.path?.string } == ["f.txt"])
            #expect(found.map(\.isReachable) == [true])
        }
    }

    @Test func aPushOfNothingNewBringsNothing() throws {
        let server = try Git.initialize(folder.path.appending("server.git"), "--bare")
        try folder.write("clean", to: "work/f")
        try git.commit("clean")
        try git.git("push", "--quiet", server.folder.string, "main", "main:old", "main:refs/tags/v1")
        let (found, isComplete) = try pushed(":old", ":refs/tags/v1", to: server)
        #expect(found == [] && isComplete)
    }

    /// Objects that were on the server already, and that no ref has led to.
    @Test func whatAPushMakesReachableIsNew() throws {
        let server = try Git.initialize(folder.path.appending("server.git"), "--bare")
        try folder.write("clean", to: "work/f")
        try git.commit("clean")
        try git.git("push", "--quiet", server.folder.string, "main")
        try git.git("checkout", "--quiet", "-b", "leaky")
        try folder.write("a\nk = \(TestScan.secret)", to: "work/deep/k.txt")
        try git.commit("leak", at: 1_700_000_100, author: "Gilfoyle")
        try folder.write("a\n", to: "work/deep/k.txt")
        try git.commit("out", at: 1_700_000_200)
        try git.git("push", "--quiet", server.folder.string, "leaky")
        try git.git("push", "--quiet", server.folder.string, ":leaky")
        let leak = try git.text("rev-parse", "leaky~1")
        for ref in ["leaky", "leaky:refs/heads/again", "leaky~1:refs/heads/back"] {
            let (found, _) = try pushed(ref, to: server)
            #expect(found.map(\.grade) == [.confirmed(secret: 99)], "\(ref)")
            #expect(found.map { $0.path?.string } == ["deep/k.txt"] && found.map(\.line) == [2])
            #expect(found.map(\.commit) == [leak])
            #expect(found.first?.author?.name.hasPrefix("Gilfoyle") ?? false)
        }
        // A new commit that takes an old folder back as it was: only the commit is sent.
        try git.git("checkout", "--quiet", "-B", "main2", "main")
        try git.git("checkout", "--quiet", "leaky~1", "--", "deep")
        try git.commit("taken back", at: 1_700_000_300)
        #expect(try pushed("main2", to: server).occurrences.map(\.grade) == [.confirmed(secret: 99)])
        // A fork that borrows from where it lies; git sends nothing of it.
        try server.git("update-ref", "refs/heads/leaky", try git.text("rev-parse", "leaky"))
        let fork = try Git.initialize(folder.path.appending("fork.git"), "--bare")
        try folder.write("\(server.folder.string)/objects\n", to: "fork.git/objects/info/alternates")
        #expect(try pushed("leaky", to: fork).occurrences.map(\.grade) == [.confirmed(secret: 99)])
        // What the refs have led to before is no matter of this push.
        try server.git("update-ref", "refs/heads/kept", try git.text("rev-parse", "leaky"))
        #expect(try pushed("leaky~1:refs/heads/back", to: server).occurrences == [])
    }

    @Test func namesOfPushedRefsAreSearched() throws {
        let server = try Git.initialize(folder.path.appending("server.git"), "--bare")
        try folder.write("clean", to: "work/f")
        try git.commit("clean")
        try git.git("push", "--quiet", server.folder.string, "main")
        for ref in ["refs/heads/x-\(TestScan.secret)", "refs/tags/\(TestScan.secret)/v1"] {
            let (found, _) = try pushed("main:\(ref)", to: server)
            #expect(found.map(\.source) == [.ref] && found.map(\.grade) == [.confirmed(secret: 99)])
        }
        try git.git("tag", "-a", "-m", "text \(TestScan.secret)", "v2")
        #expect(try pushed("v2", to: server).occurrences.map(\.source) == [.tag])
    }

    @Test func aSplitIndexIsPutTogether() throws {
        for number in 0..<40 { try folder.write("\(number)", to: "work/d\(number % 3)/f\(number)") }
        try git.commit("many")
        try git.git("update-index", "--split-index")
        #expect(try staged() == [])
        try folder.write(TestScan.secret, to: "work/d1/f4")
        try folder.write(TestScan.secret, to: "work/d1/new")
        try git.git("rm", "--quiet", "d0/f3", "d2/f5")
        try git.git("add", ".")
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder.path.appending("work/.git").string)
        #expect(folders.contains { $0.hasPrefix("sharedindex.") })
        #expect(Set(try staged().map { $0.path?.string }) == ["d1/f4", "d1/new"])
        // All that it names is what git says.
        let index = try GitIndexFile(at: folder.path.appending("work/.git/index"), idLength: 20, within: .ofScan)
        let names = String(decoding: try git.run(["ls-files", "-z"]), as: UTF8.self).split(separator: "\0")
        #expect(index.entries.map { String(decoding: $0.path, as: UTF8.self) } == names.map(String.init))
        for name in folders where name.hasPrefix("sharedindex.") {
            try FileManager.default.removeItem(atPath: folder.path.appending("work/.git/\(name)").string)
        }
        #expect(throws: LeakScanError.self) { try staged() }
    }

    @Test func aSparseIndexStandsForItsFolders() throws {
        for name in ["a/f", "b/f", "b/c/f"] { try folder.write(name, to: "work/\(name)") }
        try git.commit("three")
        try git.git("sparse-checkout", "init", "--cone", "--sparse-index")
        try git.git("sparse-checkout", "set", "a")
        #expect(
            try !GitIndexFile(at: folder.path.appending("work/.git/index"), idLength: 20, within: .ofScan).folders
                .isEmpty)
        #expect(try staged() == [])
        try folder.write(TestScan.secret, to: "work/a/new")
        try git.git("add", "a/new")
        #expect(try staged().map { $0.path?.string } == ["a/new"])
        // The folder that is left out is set to another tree, in which there is something.
        let other = try Git.initialize(folder.path.appending("other"))
        try folder.write(TestScan.secret, to: "other/b/c/k")
        try other.commit("leak")
        try git.git("fetch", "--quiet", other.folder.string)
        try git.git("read-tree", "-m", "FETCH_HEAD")
        #expect(Set(try staged().map { $0.path?.string }) == ["b/c/k"])
    }

    @Test func whatGitLFSKeepsElsewhereIsSearched() throws {
        let hash = String(repeating: "ab", count: 32)
        try folder.write("l1\n\(TestScan.secret)", to: "work/.git/lfs/objects/ab/ab/\(hash)")
        try folder.write(
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(hash)\nsize 50\n", to: "work/big.bin")
        try git.git("add", "big.bin")
        let found = try staged()
        #expect(found.map { $0.path?.string } == ["big.bin"] && found.map(\.line) == [2])
        try git.git("config", "lfs.storage", "\(folder.path.string)/store")
        #expect(try staged() == [])
        try folder.write(TestScan.secret, to: "store/objects/ab/ab/\(hash)")
        #expect(try staged().count == 1)
    }

    /// Git says to its hooks which repository, index and working tree are meant.
    @Test func theRepositoryIsTheOneThatGitNames() throws {
        try folder.write("k = \(TestScan.secret)", to: "work/.env")
        try git.git("add", ".")
        // A second repository over the same tree.
        let second = try Git.initialize(folder.path.appending("second.git"), "--bare")
        try second.git("config", "core.bare", "false")
        let variables = ["GIT_DIR": second.folder.string, "GIT_WORK_TREE": folder.path.appending("work").string]
        #expect(try staged(variables) == [])
        #expect(try staged().count == 1)
        try git.run(
            ["add", "."],
            environment: variables)
        let found = try staged(variables)
        #expect(found.map { $0.path?.string } == [".env"])
        #expect(found.map(\.repository) == [folder.path.appending("work")])
        // A commit of some files only goes by an index of its own.
        try git.git("reset", "--quiet")
        try git.run(["add", ".env"], environment: ["GIT_INDEX_FILE": folder.path.appending("own-index").string])
        #expect(try staged() == [])
        #expect(try staged(["GIT_INDEX_FILE": folder.path.appending("own-index").string]).count == 1)
    }

    @Test func outsideOfARepositoryThereIsNothingToHook() throws {
        let nowhere = folder.path.appending("plain")
        try folder.write("x", to: "plain/f")
        let terms = try SearchTerms(TestScan.terms)
        #expect(throws: LeakScanError.self) {
            try Scanner.scanStaged(nowhere, terms: terms, recognizer: NoSecretsKnown())
        }
        #expect(throws: LeakScanError.self) {
            try Scanner.listPush(to: nowhere, GitEnvironment(["GIT_QUARANTINE_PATH": nowhere.string]), [])
        }
    }
}
