import Foundation
import GitRunner
import Synchronization
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
        // The file is unchanged, so it is not read in addition to its object.
        #expect(first.only(.blob).count == 1 && first.occurrences.count == 1)
        let second = try TestScan(folder.path, memory: memory)
        #expect(second.occurrences.isEmpty)
        #expect(second.summary.objects == 0)
        #expect(second.summary.files == 0)
        #expect(second.summary.unitsRemembered == first.summary.unitsDone)
        #expect(second.summary.isComplete)
        let full = try TestScan(folder.path, memory: memory) { $0.full = true }
        #expect(full.only(.blob) == first.occurrences && full.only(.worktree).count == 1)
    }

    @Test func aPushReadsOnlyItsObjects() throws {
        _ = try TestScan(folder.path, memory: memory)
        try folder.write("two \(TestScan.secret)", to: "two")
        try git.commit("two")
        let scan = try TestScan(folder.path, memory: memory)
        #expect(scan.only(.blob).map { $0.path?.string } == ["two"])
        #expect(scan.summary.objects == 3)
    }

    @Test(arguments: [false, true]) func aPushIsToldAsAFullScanTellsIt(isPacked: Bool) throws {
        if isPacked { try git.git("gc", "--quiet") }
        _ = try TestScan(folder.path, memory: memory)
        try folder.write("two \(TestScan.secret)", to: "deep/er/two")
        try git.commit("two")
        try git.git("checkout", "--quiet", "-b", "side")
        try folder.write("three \(TestScan.secret)", to: "deep/three")
        try git.commit("three \(TestScan.prefix)")
        try git.git("tag", "-a", "-m", "a tag", "v1")
        try git.git("checkout", "--quiet", "main")
        let known = memory.done.withLock(\.self)
        let push = try TestScan(folder.path, memory: memory).occurrences.filter { $0.object != nil }
        let full = try TestScan(folder.path) { $0.full = true }.occurrences
        #expect(Set(push) == Set(full.filter { $0.object != nil && $0.path?.string != "one" }))
        #expect(Set(push.map(\.isInHead)) == [true, false] && push.allSatisfy { $0.isReachable && $0.commit != nil })
        // If a new object is in an old commit, the whole history is searched.
        let blobs = Set(push.filter { $0.source == .blob }.compactMap(\.object))
        func hex(_ unit: ScanUnit) -> String {
            unit.identity.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        memory.done.withLock { done in done = done.filter { known.contains($0) || !blobs.contains(hex($0)) } }
        let again = try TestScan(folder.path, memory: memory).occurrences.filter { $0.object != nil }
        #expect(Set(again) == Set(push.filter { $0.source == .blob }))
    }

    @Test func repackingReadsTheNewPackOnce() throws {
        _ = try TestScan(folder.path, memory: memory)
        try git.git("gc", "--quiet")
        #expect(try TestScan(folder.path, memory: memory).summary.objects == 3)
        #expect(try TestScan(folder.path, memory: memory).summary.objects == 0)
    }

    /// A bare repository with the same objects, in its own files.
    func fork(in folder: TemporaryFolder, _ options: String...) throws -> FilePath {
        let fork = folder.path.appending("fork")
        try git.run(["clone", "--quiet", "--bare", "--no-hardlinks"] + options + [git.folder.string, fork.string])
        return fork
    }

    @Test(arguments: [false, true]) func aForkWithTheSameCleanObjectsIsDone(isPacked: Bool) throws {
        let other = try TemporaryFolder()
        let clean = try Git.initialize(other.path.appending("clean"))
        try Data("nothing".utf8).write(to: URL(filePath: clean.folder.appending("file").string))
        try clean.commit("clean")
        if isPacked { try clean.git("gc", "--quiet") }
        _ = try TestScan(clean.folder, memory: memory)
        let fork = other.path.appending("fork")
        try clean.git("clone", "--quiet", "--bare", "--no-hardlinks", clean.folder.string, fork.string)
        #expect(try TestScan(fork, memory: memory).summary.objects == 0)
    }

    @Test(arguments: [false, true]) func whatWasFoundIsToldInAForkTooOnce(isPacked: Bool) throws {
        if isPacked { try git.git("gc", "--quiet") }
        let first = try TestScan(folder.path, memory: memory).only(.blob)
        let other = try TemporaryFolder()
        let fork = try fork(in: other)
        let second = try TestScan(fork, memory: memory).only(.blob)
        #expect(second.map(\.path) == ["one"] && second.map(\.commit) == first.map(\.commit))
        #expect(second.first?.isReachable == true && second.first?.isInHead == true)
        #expect(try TestScan(fork, memory: memory).summary.objects == 0)
        #expect(try TestScan(folder.path, memory: memory).summary.objects == 0)
        // A repository that borrows the objects has none of its own.
        let borrower = try TemporaryFolder()
        #expect(try TestScan(self.fork(in: borrower, "--shared"), memory: memory).summary.objects == 0)
    }

    @Test func aFreshlyChangedFileIsReadAgain() throws {
        try folder.write("draft \(TestScan.prefix)", to: "draft")
        let now = Scanner.fileClock()
        let first = try TestScan(folder.path, memory: memory, at: now)
        let second = try TestScan(folder.path, memory: memory, at: now)
        #expect(first.only(.worktree).count == 1)
        #expect(second.only(.worktree).count == 1)
        #expect(second.summary.objects == 0)
    }

    @Test func aFileThatChangedAfterTheListingIsNotDone() throws {
        try folder.write("draft", to: "draft")
        let listing = try Scanner.list(folder.path, at: Scanner.fileClock() + 10_000_000_000)
        try folder.write("changed \(TestScan.prefix) and longer", to: "draft")
        var done: [ScanUnit] = []
        let terms = try SearchTerms(TestScan.terms)
        let summary = try Scanner.scan(listing, terms: terms) { done += $0.done }
        #expect(summary.problems.map(\.kind) == [.changing])
        #expect(!summary.isComplete)
        let state = try InputFile.state(of: folder.path.appending("draft"))
        #expect(!done.contains(state.unit))
    }

    @Test func aPushDuringAScanIsNoProblemOfThatScan() throws {
        try git.git("branch", "old")
        let listing = try Scanner.list(folder.path, at: Scanner.fileClock() + 10_000_000_000)
        try git.git("branch", "-D", "old")
        try folder.write("pushed \(TestScan.secret)", to: "pushed")
        try git.commit("a push")
        let ref = try InputFile.state(of: folder.path.appending(".git/refs/heads/main")).unit
        let summary = try Scanner.scan(listing, terms: try SearchTerms(TestScan.terms)) {
            #expect(!$0.done.contains(ref))
            memory.remember($0)
        }
        #expect(summary.problems == [] && summary.isComplete)
        #expect(try TestScan(folder.path, memory: memory).only(.blob).contains { $0.path == "pushed" })
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
        #expect(try TestScan(folder.path, memory: memory).occurrences.count == 1)
    }

    /// A repository from which an object of an old commit is gone, with a clean one beside it.
    private func damage() throws -> (loose: String, aside: String) {
        try folder.write("two", to: "two")
        try git.commit("two")
        let lost = try git.text("rev-parse", "HEAD:two").trimmingCharacters(in: .whitespacesAndNewlines)
        let loose = folder.path.appending(".git/objects/\(lost.prefix(2))/\(lost.dropFirst(2))").string
        let aside = folder.path.appending(".git/aside").string
        try FileManager.default.removeItem(atPath: folder.path.appending("two").string)
        try git.commit("three")
        try FileManager.default.moveItem(atPath: loose, toPath: aside)
        return (loose, aside)
    }

    @Test func aPushToADamagedRepositoryReadsOnlyItsObjects() throws {
        let (loose, aside) = try damage()
        let first = try TestScan(folder.path, memory: memory).summary
        #expect(first.problems.map(\.kind) == [.incomplete])
        for number in 0..<3 {
            try folder.write("\(number) \(TestScan.secret)", to: "new\(number)")
            try git.commit("new")
            let push = try TestScan(folder.path, memory: memory)
            #expect(push.only(.blob).map { $0.path?.string } == ["new\(number)"])
            #expect(push.summary.objects == 3 && push.summary.problems == first.problems)
        }
        let rest = try TestScan(folder.path, memory: memory).summary
        #expect(rest.objects == 0 && rest.problems == first.problems)
        // What is forgotten of it is found again.
        memory.done.withLock { done in done = done.filter { $0.kind != .absent } }
        #expect(try TestScan(folder.path, memory: memory).summary.problems == first.problems)
        try FileManager.default.moveItem(atPath: aside, toPath: loose)
        for _ in 0..<2 { #expect(try TestScan(folder.path, memory: memory).summary.isComplete) }
    }

    @Test func aCopyOfADamagedRepositoryIsSearchedByItself() throws {
        _ = try damage()
        let problems = try TestScan(folder.path, memory: memory).summary.problems.map(\.kind)
        let other = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder.path.string, toPath: other.path.appending("copy").string)
        let copy = try TestScan(other.path.appending("copy"), memory: memory).summary
        #expect(copy.problems.map(\.kind) == problems && copy.objects > 0)
    }

    @Test func aPushToAPartialCloneReadsOnlyItsObjects() throws {
        try git.git("config", "remote.origin.promisor", "true")
        try git.git("config", "extensions.partialClone", "origin")
        _ = try damage()
        let first = try TestScan(folder.path, memory: memory).summary
        #expect(first.problems.map(\.kind) == [.partial] && first.isComplete)
        try folder.write(TestScan.secret, to: "new")
        try git.commit("new")
        let push = try TestScan(folder.path, memory: memory)
        #expect(push.only(.blob).map { $0.path?.string } == ["new"])
        #expect(push.summary.objects == 3 && push.summary.problems == first.problems)
    }

    @Test func aPushBesideADamagedPackReadsThatAndItsObjects() throws {
        try git.git("repack", "-q", "-d")
        try folder.write(String(repeating: "two ", count: 100), to: "two")
        try git.commit("two")
        try git.git("repack", "-q", "-d")
        let folder = self.folder.path.appending(".git/objects/pack")
        // In the newer one, behind the header of its first object.
        let packs = try FileManager.default.contentsOfDirectory(atPath: folder.string).filter { $0.hasSuffix(".pack") }
        let blob = try git.text("rev-parse", "HEAD:two").trimmingCharacters(in: .whitespacesAndNewlines)
        try FileManager.default.removeItem(atPath: self.folder.path.appending("two").string)
        try git.commit("three")
        let damaged = try #require(
            try packs.first {
                try git.text("verify-pack", "-v", folder.appending($0).string).contains(blob)
            })
        let file = URL(filePath: folder.appending(damaged).string)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.startIndex + 20] ^= 0xff
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        try bytes.write(to: file)
        let first = try TestScan(self.folder.path, memory: memory).summary
        #expect(first.problems.contains { $0.kind == .damagedPack || $0.kind == .damagedObject }, "\(first.problems)")
        try self.folder.write(TestScan.secret, to: "new")
        try git.commit("new")
        let push = try TestScan(self.folder.path, memory: memory)
        #expect(push.only(.blob).map { $0.path?.string } == ["new"])
        #expect(push.summary.problems.map(\.kind) == first.problems.map(\.kind))
        #expect(push.summary.unitsRemembered > 0 && push.summary.objects <= 3 + 3)
    }
}
