import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// gitignore(5), compared with git.
@Suite struct IgnoreTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
    }

    /// The files that a scan reads.
    func listed(_ change: (inout ScanOptions) -> Void = { _ in }) throws -> Set<String> {
        var options = ScanOptions()
        options.searchesHistory = false
        change(&options)
        let listing = try Scanner.list(folder.path, options: options)
        return Set(
            listing.files.map { file in
                var path = listing.fullPath(of: file)
                _ = path.removePrefix(folder.path)
                return path.string
            })
    }

    /// The files that git tracks, or would add.
    func wanted() throws -> Set<String> {
        let output = try git.run(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        return Set(output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func ofManyRandomRulesGitAndTheScanThinkAlike() throws {
        var noise = Noise(seed: 20_261_121)
        let names = ["a", "b", "ab", "a.c", "b.c", "x y", "[z]", "é", "ba", "c-d"]
        let parts = [
            "a", "b", "ab", "a.c", "*", "*", "**", "**/", "/", "/", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]",
            "[a-]",
            "[[:alpha:]]", "[[:nope:]]", "[", "\\", "\\*", "!", "#", " ", "\\ ", ".c", "x y", "é", "-",
        ]
        func rules() -> String {
            (0..<Int.random(in: 0...6, using: &noise)).map { _ in
                (0..<Int.random(in: 1...4, using: &noise)).map { _ in parts.randomElement(using: &noise) ?? "" }
                    .joined()
                    + (Int.random(in: 0...4, using: &noise) == 0 ? "\r" : "")
            }.joined(separator: "\n") + "\n"
        }
        func grow(_ path: String, _ depth: Int) throws {
            for name in names.shuffled(using: &noise).prefix(5) {
                if depth < 3, Bool.random(using: &noise) {
                    try grow(path + name + "/", depth + 1)
                } else {
                    try folder.write("x", to: path + name)
                }
            }
        }
        try grow("", 0)
        var folders = [""]
        let found = FileManager.default.enumerator(atPath: folder.path.string)
        while let path = found?.nextObject() as? String {
            let isFolder = found?.fileAttributes?[.type] as? FileAttributeType == .typeDirectory
            if isFolder, !path.hasPrefix(".git") { folders.append(path + "/") }
        }
        folders.sort()
        let everything = try listed { $0.searchesIgnored = true }.count
        var telling = 0
        for round in 0..<200 {
            if round % 40 == 0 {
                // Now some files are tracked, ignored or not.
                let all = try listed { $0.searchesIgnored = true }.sorted()
                try git.run(["rm", "-r", "-q", "--cached", "--ignore-unmatch", "."])
                try git.run(
                    ["add", "--force", "--"]
                        + all.shuffled(using: &noise).prefix(round / 40 * 3 + 1).map { ":(literal)" + $0 })
            }
            var written: [String] = []
            for place in folders.shuffled(using: &noise).prefix(3) {
                try folder.write(rules(), to: place + ".gitignore")
                written.append(place + ".gitignore")
            }
            try folder.write(rules(), to: ".git/info/exclude")
            let (ours, gits) = (try listed(), try wanted())
            let texts = written.map {
                "\($0): \(String(decoding: FileManager.default.contents(atPath: folder.path.string + "/" + $0) ?? Data(), as: UTF8.self).debugDescription)"
            }
            #expect(ours == gits, "round \(round): \(ours.symmetricDifference(gits).sorted()) \(texts)")
            if gits.count < everything { telling += 1 }
            for name in written { try FileManager.default.removeItem(atPath: folder.path.string + "/" + name) }
        }
        #expect(telling > 50)
    }

    @Test func whatIsIgnoredIsSearchedOnDemand() throws {
        try folder.write("*.log\nbuild/\n", to: ".gitignore")
        try folder.write("a \(TestScan.prefix)", to: "a.log")
        try folder.write("b \(TestScan.prefix)", to: "build/deep/b")
        try folder.write("c \(TestScan.prefix)", to: "c")
        #expect(try TestScan(folder.path).only(.worktree).map { $0.path?.string } == ["c"])
        let all = try TestScan(folder.path) { $0.searchesIgnored = true }.only(.worktree)
        #expect(Set(all.map { $0.path?.string }) == ["a.log", "build/deep/b", "c"])
    }

    @Test func theRepositorysOwnExcludesFileCounts() throws {
        let other = try TemporaryFolder()
        try other.write("*.secret\n", to: "excludes")
        try git.git("config", "core.excludesFile", other.path.appending("excludes").string)
        try folder.write("x", to: "a.secret")
        try folder.write("x", to: "b")
        #expect(try listed() == ["b"])
        #expect(try wanted() == ["b"])
    }

    @Test func withoutAnIndexThatCanBeReadNothingIsIgnored() throws {
        try folder.write("*.log\n", to: ".gitignore")
        try folder.write("x", to: "a.log")
        #expect(try listed() == [".gitignore"])
        try folder.write("nonsense", to: ".git/index")
        #expect(try listed() == [".gitignore", "a.log"])
    }

    @Test func aRepositoryInsideHasItsOwnRules() throws {
        try folder.write("*.log\nignored/\n", to: ".gitignore")
        let inner = try Git.initialize(folder.path.appending("inner"))
        try folder.write("*.tmp\n", to: "inner/.gitignore")
        for name in ["a.log", "a.tmp", "b"] { try folder.write("x", to: "inner/\(name)") }
        try inner.git("add", "--force", "b")
        _ = try Git.initialize(folder.path.appending("ignored/deep"))
        try folder.write("x", to: "ignored/deep/c")
        // What is ignored in one repository may be another, with a history of its own.
        #expect(try listed() == [".gitignore", "ignored/deep/c", "inner/.gitignore", "inner/a.log", "inner/b"])
    }

    @Test func hostilePatternsEnd() {
        let pattern = PathPattern(Array((String(repeating: "*a", count: 40) + "b").utf8)[...])
        let path = Array(String(repeating: "a", count: 4000).utf8)
        #expect(pattern?.matches(path[...], nameStart: 0, isFolder: false, RuleBudget()) == false)
        let folders = PathPattern(Array((String(repeating: "**/a/", count: 40) + "b").utf8)[...])
        let deep = Array(String(repeating: "a/", count: 2000).utf8)
        #expect(folders?.matches(deep[...], nameStart: deep.count, isFolder: false, RuleBudget()) == false)
    }

    /// Rules whose cost is out of proportion do not count: more is searched then, not less.
    @Test func rulesThatCostTooMuchIgnoreNothing() throws {
        try folder.write("*.log\n", to: ".gitignore")
        for name in ["a.log", "inner/b.log", "inner/deep/c.log"] { try folder.write("x", to: name) }
        #expect(try listed() == [".gitignore"])
        // What is given back below an unread file of rules is not known, so nothing is ignored from there on.
        try folder.write(String(repeating: "[a-z]", count: 1 << 20), to: "inner/.gitignore")
        #expect(try listed().isSuperset(of: ["inner/.gitignore", "inner/b.log", "inner/deep/c.log"]))

        let pattern = try #require(PathPattern(Array("*a*a*a*a*b".utf8)[...]))
        let path = Array(String(repeating: "a", count: 250).utf8)
        let budget = RuleBudget(steps: 1000)
        for _ in 0..<100 where !budget.isSpent {
            #expect(!pattern.matches(path[...], nameStart: 0, isFolder: false, budget))
        }
        #expect(budget.isSpent)
        let rules = IgnoreStack(IgnoreRules(Array("*.log\n".utf8), base: 0), on: nil)
        let name = Array("a.log".utf8)
        #expect(rules.ignores(name, nameStart: 0, isFolder: false, RuleBudget()))
        #expect(!rules.ignores(name, nameStart: 0, isFolder: false, budget))
    }
}
