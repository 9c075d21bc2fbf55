import Foundation
import SystemPackage
import Testing

@testable import LeakScan

@Suite struct IncrementalTests {
    let folder: TemporaryFolder
    let git: Git
    let memory = UnitMemory()

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
        try folder.write("one \(TestScan.prefix)", to: "one")
        try git.commit("one")
    }

    @Test func nothingNewReadsNothing() throws {
        let first = try TestScan(folder.path, memory: memory)
        #expect(first.occurrences.count == 2)
        let second = try TestScan(folder.path, memory: memory)
        #expect(second.occurrences.isEmpty)
        #expect(second.summary.objects == 0)
        #expect(second.summary.files == 0)
        #expect(second.summary.unitsRemembered == first.summary.unitsDone)
        #expect(second.summary.isComplete)
        #expect(try TestScan(folder.path, memory: memory) { $0.full = true }.occurrences == first.occurrences)
    }

    @Test func aPushReadsOnlyItsObjects() throws {
        _ = try TestScan(folder.path, memory: memory)
        try folder.write("two \(TestScan.secret)", to: "two")
        try git.commit("two")
        let scan = try TestScan(folder.path, memory: memory)
        #expect(scan.only(.blob).map { $0.path?.string } == ["two"])
        #expect(scan.summary.objects == 3)
    }

    @Test func repackingReadsTheNewPackOnce() throws {
        _ = try TestScan(folder.path, memory: memory)
        try git.git("gc", "--quiet")
        #expect(try TestScan(folder.path, memory: memory).summary.objects == 3)
        #expect(try TestScan(folder.path, memory: memory).summary.objects == 0)
    }

    @Test func aForkWithTheSamePackIsDone() throws {
        try git.git("gc", "--quiet")
        _ = try TestScan(folder.path, memory: memory)
        let other = try TemporaryFolder()
        try git.git(
            "clone", "--quiet", "--bare", "--local", folder.path.string, other.path.appending("fork").string)
        #expect(try TestScan(other.path.appending("fork"), memory: memory).summary.objects == 0)
    }

    @Test func aFreshlyChangedFileIsReadAgain() throws {
        let now = Scanner.fileClock()
        let first = try TestScan(folder.path, memory: memory, at: now)
        let second = try TestScan(folder.path, memory: memory, at: now)
        #expect(first.only(.worktree).count == 1)
        #expect(second.only(.worktree).count == 1)
        #expect(second.summary.objects == 0)
    }

    @Test func aFileThatChangedAfterTheListingIsNotDone() throws {
        let listing = try Scanner.list(folder.path, at: Scanner.fileClock() + 10_000_000_000)
        try folder.write("changed \(TestScan.prefix) and longer", to: "one")
        var done: [ScanUnit] = []
        let terms = try SearchTerms(TestScan.terms)
        let summary = try Scanner.scan(listing, terms: terms) { done += $0.done }
        #expect(summary.problems.map(\.kind) == [.changing])
        #expect(!summary.isComplete)
        let state = try InputFile.state(of: folder.path.appending("one"))
        #expect(!done.contains(state.unit))
    }

    @Test func aStoppedScanGoesOnWhereItWas() throws {
        try git.git("gc", "--quiet")
        let control = ScanControl()
        control.cancel()
        let stopped = try TestScan(folder.path, memory: memory, control: control)
        #expect(stopped.summary.wasCancelled)
        #expect(!stopped.summary.isComplete)
        #expect(stopped.occurrences.isEmpty)
        let next = try TestScan(folder.path, memory: memory)
        #expect(next.occurrences == (try TestScan(folder.path)).occurrences)
        #expect(next.summary.isComplete)
    }

    @Test func anErrorOfTheCallerStopsTheScan() throws {
        struct Full: Error {}
        let listing = try Scanner.list(folder.path)
        #expect(throws: Full.self) {
            try Scanner.scan(listing, terms: try SearchTerms(TestScan.terms)) { _ in throw Full() }
        }
    }

    @Test func withoutTermsNothingIsDone() throws {
        let scan = try TestScan(folder.path, terms: [], memory: memory)
        #expect(scan.summary.unitsDone == 0)
        #expect(try TestScan(folder.path, memory: memory).occurrences.count == 2)
    }
}
