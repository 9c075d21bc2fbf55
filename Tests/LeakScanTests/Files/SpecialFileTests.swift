import Foundation
import GitRunner
import Glibc
import SystemPackage
import Testing

@testable import LeakScan

/// What is no plain file, and still says something: holes, symlinks, pipes, empty folders.
@Suite struct SpecialFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func scan(_ change: (inout ScanOptions) -> Void = { _ in }) throws -> ([Occurrence], ScanSummary) {
        var options = ScanOptions()
        change(&options)
        var found: [Occurrence] = []
        let listing = try Scanner.list(folder.path, options: options)
        let summary = try Scanner.scan(listing, terms: SearchTerms(TestScan.terms), options: options) {
            found += $0.occurrences
        }
        return (found, summary)
    }

    /// A terabyte, of which some bytes are there: at an odd place, at the end, and after a line.
    @Test func holesAreNotRead() throws {
        let path = folder.path.appending("sparse").string
        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
        defer { close(file) }
        try #require(ftruncate(file, 1 << 40) == 0)
        let text = Array("one\nï \(TestScan.prefix)".utf8)
        let places: [Int] = [0, (1 << 30) + 4099, (1 << 40) - text.count]
        for place in places { try #require(unsafe pwrite(file, text, text.count, off_t(place)) == text.count) }
        let (found, summary) = try scan { $0.allOccurrences = true }
        let start = text.count - TestScan.prefix.utf8.count
        #expect(found.map(\.offset) == places.map { UInt64($0 + start) })
        #expect(found.map(\.line) == [2, 3, 4])
        #expect(found.map(\.column) == [3, 3, 3])
        #expect(summary.isComplete && summary.bytes < 16 << 20)
    }

    @Test(arguments: [false, true])
    func namesAndTargetsOfWhatIsNoFile(_ isRepository: Bool) throws {
        if isRepository { _ = try Git.initialize(folder.path) }
        let secret = TestScan.prefix
        try FileManager.default.createDirectory(
            atPath: folder.path.appending("a/empty-\(secret)").string, withIntermediateDirectories: true)
        try #require(unsafe mkfifo(folder.path.appending("a/pipe-\(secret)").string, 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("a/link").string, withDestinationPath: "/nowhere/\(secret)")
        for defers in [false, true] {
            let (found, summary) = try scan { $0.defersFileStates = defers }
            let paths = Set(found.map { "\($0.source) \($0.path?.string ?? "")" })
            let content = isRepository ? "worktree" : "file"
            #expect(paths == ["name a/empty-\(secret)", "name a/pipe-\(secret)", "\(content) a/link"])
            #expect(found.count == 3 && summary.isComplete)
            // A pipe has content that was not searched, which is a notice.
            #expect(summary.problems.map(\.kind) == [.special])
        }
    }

    /// A tracked symlink is searched as an object; an untracked one is ignored where git ignores it.
    @Test func symlinksFollowTheRulesOfFiles() throws {
        let git = try Git.initialize(folder.path)
        try folder.write("*.ignored\n", to: ".gitignore")
        for name in ["tracked", "x.ignored"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path.appending(name).string, withDestinationPath: TestScan.prefix)
        }
        try git.commit("one")
        let (found, _) = try scan()
        #expect(found.map { $0.path?.string } == ["tracked"])
        #expect(found.first?.object != nil)
    }

    /// Problems by the thousand: the first are kept, what counts before notices.
    @Test func problemsAreCounted() throws {
        for number in 0..<(ScanSummary.problemLimit + 50) {
            try #require(unsafe mkfifo(folder.path.appending("pipe-\(number)").string, 0o600) == 0)
        }
        let git = try Git.initialize(folder.path.appending("repository"))
        try git.git("config", "core.repositoryFormatVersion", "7")
        let (_, summary) = try scan()
        let serious = summary.problems.filter { !$0.isNotice }
        #expect(Set(serious.map(\.kind)) == [.unscannable])
        #expect(summary.problemCount == ScanSummary.problemLimit + 50 + serious.count)
        #expect(summary.problems.count == ScanSummary.problemLimit)
        #expect(!summary.isComplete)
    }

    /// Only libsystemd reads all of it.
    @Test func aJournalThatIsNotOpenedIsNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("LPKSHHRH" + String(repeating: "x", count: 300) + TestScan.prefix, to: "system.journal")
        let scan = try TestScan(folder.path)
        #expect(scan.occurrences.map { $0.path?.string } == ["system.journal"])
        #expect(scan.summary.problems.map(\.kind) == [.packed])
        #expect(scan.summary.problems.first?.detail.contains("system.journal") ?? false)
    }
}
