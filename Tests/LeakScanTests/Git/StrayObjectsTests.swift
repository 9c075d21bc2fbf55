import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Objects that lie in no whole repository: their content is searched all the same, or it is said that it was not.
@Suite struct StrayObjectsTests {
    let folder: TemporaryFolder
    let git: Git

    /// A secret that was committed and taken out again, with many versions beside it, in one pack.
    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path.appending("work"))
        for version in 0..<20 {
            try folder.write(
                (0..<200).map { "line \($0)\n" }.joined() + "version \(version)\n", to: "work/long.txt")
            try folder.write(version == 7 ? "k = \(TestScan.secret)\n" : "clean\n", to: "work/k.txt")
            try git.commit("version \(version)", at: 1_700_000_000 + version)
        }
        try git.git("gc", "--quiet")
    }

    private func hits(_ name: String) throws -> TestScan { try TestScan(folder.path.appending(name)) }

    private func isFound(_ scan: TestScan) -> Bool { scan.occurrences.contains { $0.grade == .confirmed(secret: 99) } }

    @Test(arguments: ["refs", "HEAD", "both"]) func aGitDirectoryWithoutItsPartsIsSearched(_ part: String) throws {
        for name in part == "both" ? ["refs", "HEAD"] : [part] {
            try FileManager.default.removeItem(atPath: folder.path.appending("work/.git/\(name)").string)
        }
        let scan = try hits("work")
        #expect(isFound(scan))
        // Where packed-refs says what history there is, nothing is missing.
        #expect(scan.summary.isComplete == (part == "refs"))
        // As one of several in a folder, too.
        #expect(isFound(try TestScan(folder.path)))
    }

    @Test(arguments: [".git-old", "backup/copy.git", "objects.bak"]) func copiesUnderOtherNamesAreSearched(
        _ name: String
    ) throws {
        let from = name == "objects.bak" ? "work/.git/objects" : "work/.git"
        let target = folder.path.appending("place").pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: target.removingLastComponent().string, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: folder.path.pushing(FilePath(from)).string, toPath: target.string)
        #expect(isFound(try hits("place")))
    }

    @Test func anObjectDirectoryThatWasPutAsideIsSearched() throws {
        let objects = folder.path.appending("work/.git/objects").string
        try FileManager.default.moveItem(atPath: objects, toPath: objects + ".bak")
        try git.git("init", "--quiet")
        let scan = try hits("work")
        #expect(isFound(scan) && !scan.summary.isComplete)
    }

    @Test func bundlesAndLonePacksAreSearched() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path.appending("place").string, withIntermediateDirectories: true)
        try git.git("bundle", "create", "--quiet", "../place/all.bundle", "--all")
        let bundle = try hits("place")
        #expect(isFound(bundle) && bundle.summary.isComplete)
        #expect(bundle.occurrences.allSatisfy { $0.path?.string.hasPrefix("all.bundle!/blob-") ?? false })
        // One that builds on what its reader has.
        try git.git("bundle", "create", "--quiet", "../place/all.bundle", "main~2..main")
        let thin = try hits("place")
        #expect(!thin.summary.isComplete)
        try FileManager.default.removeItem(atPath: folder.path.appending("place/all.bundle").string)
        let packs = folder.path.appending("work/.git/objects/pack").string
        let pack = try #require(FileManager.default.contentsOfDirectory(atPath: packs).first { $0.hasSuffix(".pack") })
        try FileManager.default.copyItem(
            atPath: "\(packs)/\(pack)", toPath: folder.path.appending("place/x.pack").string)
        let lone = try hits("place")
        #expect(isFound(lone) && lone.summary.isComplete)
        // Cut short, it is not whole.
        let bytes = try Data(contentsOf: URL(filePath: folder.path.appending("place/x.pack").string))
        try bytes.prefix(bytes.count / 2).write(to: URL(filePath: folder.path.appending("place/x.pack").string))
        #expect(!(try hits("place").summary.isComplete))
    }

    /// How a fetch or a push leaves the objects of a pack, and of a file of their own, behind.
    @Test(arguments: ["pack/tmp_pack_Ab3dE6", "tmp_objdir-incoming-Ab3dE6/pack/pack-1.pack", "3f/tmp_obj_Ab3dE6"])
    func whatGitHasLeftUnfinishedIsSearched(_ name: String) throws {
        let (git, lost) = (try Git.initialize(folder.path.appending("other")), "other/.git/objects/\(name)")
        try folder.write("clean\n", to: "other/a.txt")
        try git.commit("a", at: 1_700_002_000)
        let path = folder.path.pushing(FilePath(lost))
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        let objects = folder.path.appending("work/.git/objects").string
        if name.contains("tmp_obj_") {
            try folder.write("own = \(TestScan.secret)\n", to: "work/own.txt")
            let id = try self.git.text("hash-object", "-w", "own.txt")
            try FileManager.default.copyItem(
                atPath: "\(objects)/\(id.prefix(2))/\(id.dropFirst(2))", toPath: path.string)
        } else {
            let pack = try #require(
                FileManager.default.contentsOfDirectory(atPath: "\(objects)/pack").first { $0.hasSuffix(".pack") })
            try FileManager.default.copyItem(atPath: "\(objects)/pack/\(pack)", toPath: path.string)
        }
        let whole = try hits("other")
        #expect(isFound(whole) && whole.summary.isComplete, "\(Array(whole.summary.problems))")
        #expect(whole.occurrences.first?.path?.string.hasPrefix(".git/objects/\(name)") ?? false)
        guard !name.contains("tmp_obj_") else { return }
        // One that is cut short is no damage: git does not read it. That it was not searched to its end is said.
        let bytes = try Data(contentsOf: URL(filePath: path.string))
        try bytes.prefix(bytes.count - 30).write(to: URL(filePath: path.string))
        let cut = try hits("other")
        #expect(cut.summary.isComplete && cut.summary.problems.contains { $0.kind == .packed })
    }

    /// Entries that build on objects by their names, wherever these are in the pack.
    @Test func alonePackOfReferenceDeltasIsRead() throws {
        for version in 0..<20 {
            let lines = (0..<200).map { "line \($0) \($0 == version * 9 ? "of version \(version)" : "")\n" }.joined()
            try folder.write(lines + (version == 9 ? "k = \(TestScan.secret)\n" : ""), to: "work/growing.txt")
            try git.commit("more \(version)", at: 1_700_001_000 + version)
        }
        try git.run(["-c", "repack.useDeltaBaseOffset=false", "repack", "-a", "-d", "-f", "-q", "--depth=50"])
        let packs = folder.path.appending("work/.git/objects/pack").string
        let pack = try #require(FileManager.default.contentsOfDirectory(atPath: packs).first { $0.hasSuffix(".pack") })
        #expect(try git.text("verify-pack", "-v", "\(packs)/\(pack)").contains("chain length = 1:"))
        try FileManager.default.createDirectory(
            atPath: folder.path.appending("place").string, withIntermediateDirectories: true)
        let copy = folder.path.appending("place/x.pack").string
        try FileManager.default.copyItem(atPath: "\(packs)/\(pack)", toPath: copy)
        let lone = try hits("place")
        #expect(isFound(lone) && lone.summary.isComplete, "\(Array(lone.summary.problems))")
    }

    /// A pack of kilobytes whose one object is a gigabyte: it is inflated as far as an archive may be, and reported.
    @Test func aPackThatInflatesWithoutEndIsGivenUp() throws {
        let path = folder.path.appending("zeros").string
        try Data().write(to: URL(filePath: path))
        try #require(unsafe truncate(path, 1 << 30) == 0)
        try git.run(["hash-object", "-w", path])
        let name = try git.text("hash-object", path)
        let packs = folder.path.appending("packs").string
        try FileManager.default.createDirectory(atPath: packs, withIntermediateDirectories: true)
        try git.run(["pack-objects", "-q", "\(packs)/pack"], input: Array("\(name)\n".utf8))
        let pack = try #require(FileManager.default.contentsOfDirectory(atPath: packs).first { $0.hasSuffix(".pack") })
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(packs)/\(pack)")))
        let content = ByteBuffer(capacity: bytes.count)
        content.append(bytes.span)
        for (budget, left) in [(1 << 20, 0..<(64 << 10)), (1 << 31, (1 << 30)..<(1 << 30) + 1)]
            as [(UInt64, Range<UInt64>)]
        {
            let walk = PlainPack(
                .memory(content), size: UInt64(bytes.count), limit: 1 << 20, budget: budget, control: ScanControl())
            #expect(walk.forEachObject { _, _, _ in Issue.record("an object that is too long was put together") } == 1)
            #expect(left.contains(walk.budget) && walk.isOverfull)
        }
        // As a file it keeps the scan from being whole; within an archive it is an entry that could not be unpacked.
        let lone = try TestScan(FilePath("\(packs)/\(pack)"))
        #expect(lone.summary.problems.map(\.kind) == [.damagedPack])
        let archive = folder.path.appending("pack.tar")
        let tar = try Process.run(
            URL(filePath: "/usr/bin/tar"), arguments: ["-C", packs, "-cf", archive.string, pack])
        tar.waitUntilExit()
        let inside = try TestScan(archive)
        #expect(inside.summary.problems.map(\.kind) == [.packed] && inside.summary.isComplete)
    }

    @Test(arguments: [false, true]) func aRepositoryInAnArchiveIsSearched(_ isLoose: Bool) throws {
        if isLoose {
            let source = folder.path.appending("loose")
            let loose = try Git.initialize(source)
            try folder.write("k = \(TestScan.secret)", to: "loose/f")
            try loose.commit("in")
            try FileManager.default.removeItem(atPath: source.appending("f").string)
            try loose.commit("out")
        }
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = [
            "tar", "-C", folder.path.string, "-czf", folder.path.appending("place.tgz").string,
            isLoose ? "loose/.git" : "work/.git",
        ]
        try tar.run()
        tar.waitUntilExit()
        #expect(isFound(try hits("place.tgz")))
    }
}
