import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Who brought a secret in, and where: the right one, or no one.
@Suite struct BlameTests {
    let folder: TemporaryFolder
    let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path.appending("work"))
    }

    private func leak() throws {
        try folder.write("k = \(TestScan.secret)", to: "work/k.txt")
        try git.commit("leak", at: 1_700_000_000, author: "Ann")
        for number in 1...3 {
            try folder.write("\(number)", to: "work/other")
            try git.commit("later", at: 1_700_000_000 + number * 100, author: "Bob")
        }
    }

    private func authors(_ scan: TestScan) -> [String?] {
        scan.only(.blob).map { $0.author.map { String($0.name.prefix(3)) } }
    }

    @Test(arguments: [1, 2]) func nobodyIsBlamedForWhatCameBeforeAShallowClone(_ depth: Int) throws {
        try leak()
        let clone = folder.path.appending("clone")
        try git.git("clone", "--quiet", "--bare", "--depth", "\(depth)", "file://\(git.folder.string)", clone.string)
        let scan = try TestScan(clone)
        #expect(authors(scan) == [nil] && scan.only(.blob).map(\.commit) == [nil])
        #expect(scan.only(.blob).map(\.isBeforeHistory) == [true])
        #expect(scan.only(.blob).map { $0.path?.string } == ["k.txt"])
        #expect(scan.summary.isComplete)
        // What a commit at the border says itself is its own; and what came later is known.
        try folder.write("l = \(TestScan.secret)", to: "work/l.txt")
        try git.commit("message \(TestScan.secret)", at: 1_700_001_000, author: "Cat")
        let deeper = folder.path.appending("deeper")
        try git.git("clone", "--quiet", "--bare", "--depth", "2", "file://\(git.folder.string)", deeper.string)
        let later = try TestScan(deeper)
        #expect(Set(authors(later)) == [nil, "Cat"])
        #expect(later.only(.commit).map { $0.author?.name.prefix(3) } == ["Cat"])
        try Git(deeper).git("fetch", "--quiet", "--unshallow", "file://\(git.folder.string)", "main:main")
        #expect(Set(authors(try TestScan(deeper))) == ["Ann", "Cat"])
    }

    /// What is known from another repository says nothing of this one's history.
    @Test func aForkHasItsOwnHistory() throws {
        try leak()
        let memory = UnitMemory()
        let upstream = folder.path.appending("up.git")
        let fork = folder.path.appending("fork.git")
        try git.git("init", "--quiet", "--bare", upstream.string)
        try git.git("init", "--quiet", "--bare", fork.string)
        try git.git("push", "--quiet", upstream.string, "main~3:refs/heads/main")
        try git.git("push", "--quiet", fork.string, "main")
        #expect(authors(try TestScan(upstream, memory: memory)) == ["Ann"])
        #expect(authors(try TestScan(fork, memory: memory)) == ["Ann"])
        // The next push into it is searched by itself.
        try folder.write("m = \(TestScan.secret)\n", to: "work/m.txt")
        try git.commit("again", at: 1_700_002_000, author: "Dan")
        try git.git("push", "--quiet", fork.string, "main")
        let next = try TestScan(fork, memory: memory)
        #expect(authors(next) == ["Dan"] && next.summary.objects < 6)
    }

    @Test func whatIsStagedHasItsPath() throws {
        try folder.write("a", to: "work/a")
        try git.commit("a")
        try git.git("worktree", "add", "--quiet", "../tree")
        for (name, secret) in [("work/deep/staged", 0), ("tree/linked", 1), ("work/twice", 0)] {
            try folder.write("\(secret) \(TestScan.secret)", to: name)
        }
        try git.git("add", ".")
        try Git(folder.path.appending("tree")).git("add", ".")
        try folder.write("clean", to: "work/deep/staged")
        try FileManager.default.removeItem(atPath: folder.path.appending("work/twice").string)
        let scan = try TestScan(git.folder)
        #expect(Set(scan.only(.blob).map { $0.path?.string }) == ["deep/staged", "twice", "linked"])
        #expect(scan.only(.blob).allSatisfy { $0.isReachable && $0.commit == nil })
    }

    /// A folder of repositories: each finding is reported with its own one, and once.
    @Test func nestedRepositoriesAreNamed() throws {
        for name in ["one", "two"] {
            let inner = try Git.initialize(folder.path.appending("all/\(name)"))
            try folder.write("* text=auto\n", to: "all/\(name)/.gitattributes")
            try folder.write("k = \(TestScan.secret)\n", to: "all/\(name)/same.txt")
            try inner.commit("leak")
        }
        try folder.write(TestScan.secret, to: "all/plain.txt")
        let scan = try TestScan(folder.path.appending("all"))
        let root = folder.path.appending("all")
        let places = Set(scan.occurrences.map { "\($0.source) \($0.repository) \($0.path?.string ?? "-")" })
        #expect(
            places == [
                "blob \(root)/one same.txt", "blob \(root)/two same.txt", "worktree \(root)/one same.txt",
                "worktree \(root)/two same.txt", "file \(root) plain.txt",
            ])
    }

    @Test func aSubmoduleIsWhereItsWorkingTreeIs() throws {
        let library = try Git.initialize(folder.path.appending("library"))
        try folder.write("k = \(TestScan.secret)", to: "library/k.txt")
        try library.commit("leak")
        try git.git("submodule", "--quiet", "add", library.folder.string, "libs/it")
        try git.commit("submodule")
        let scan = try TestScan(git.folder) { $0.full = true }
        #expect(
            Set(scan.occurrences.map { "\($0.source) \($0.repository) \($0.path?.string ?? "-")" }) == [
                "blob \(git.folder)/libs/it k.txt", "worktree \(git.folder)/libs/it k.txt",
            ])
    }

    @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian]) func linesAndColumnsAreThoseOfAnEditor(
        _ encoding: String.Encoding
    ) throws {
        // Characters whose bytes look like line ends, and one of two units.
        let text = "\u{0A0A}\u{010A}\u{4E0A}\r\n\u{0A00}x\n\u{1F600}é key=\(TestScan.secret)\n"
        for mark in [false, true] {
            try folder.write(
                [UInt8](try #require(((mark ? "\u{FEFF}" : "") + text).data(using: encoding))), to: "f/wide")
            let found = try TestScan(folder.path.appending("f")).occurrences
            #expect(found.map(\.line) == [3] && found.map(\.column) == [8], "\(mark)")
        }
        try folder.write("ü\nüé\u{1F600} key=\(TestScan.secret)", to: "f/wide")
        #expect(try TestScan(folder.path.appending("f")).occurrences.map(\.column) == [9])
        // Far behind, in a file that is read piece by piece.
        let long = String(repeating: "\u{0A0A}\n", count: 300_000) + text
        try folder.write([UInt8](try #require(long.data(using: encoding))), to: "f/wide")
        #expect(try TestScan(folder.path.appending("f")).occurrences.map(\.line) == [300_003])
    }
}
