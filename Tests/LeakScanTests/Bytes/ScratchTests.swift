import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Tables that are too large for memory are in unnamed files.
@Suite struct ScratchTests {
    /// A separate directory on a disk, if there is one.
    final class DiskFolder {
        let path: FilePath

        init() throws {
            path = FilePath("/var/tmp/keyvigil-test-\(UInt64.random(in: 0 ... .max))")
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: path.string) }

        var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? ["?"] }
    }

    /// Whether `/var/tmp` is on a file system that space can be reserved on; in some containers it is not.
    static let hasDisk: Bool = {
        let space = ScratchSpace(memory: 0, smallestFile: 0)
        return LongArray(repeating: 0, count: 1000, in: space).isInFile
    }()

    private static func filesOnly(_ folder: FilePath = "/var/tmp") -> ScratchSpace {
        ScratchSpace(folders: [folder], memory: 0, smallestFile: 0)
    }

    /// - Parameter memory: in bytes; the array grows from it into a file where it is small.
    @Test(arguments: [0, 5_000, 300_000, .max])
    func aLongArrayIsLikeAnArray(memory: Int) {
        var noise = Noise(seed: UInt64(truncatingIfNeeded: memory))
        let space = ScratchSpace(memory: memory, smallestFile: 0)
        var ours = LongArray<UInt32>(in: space)
        var plain: [UInt32] = []
        var (oldOurs, oldPlain) = (ours, plain)
        for round in 0..<3000 {
            let value = UInt32.random(in: 0 ... .max, using: &noise)
            switch Int.random(in: 0..<9, using: &noise) {
            case 0 where !plain.isEmpty:
                let index = Int.random(in: plain.indices, using: &noise)
                ours[index] = value
                plain[index] = value
            case 1: #expect(ours.popLast() == plain.popLast())
            case 2:
                let other = (0..<Int.random(in: 0...200, using: &noise)).map { UInt32($0) }
                ours.append(contentsOf: LongArray(other, in: space))
                plain += other
            case 3:
                ours.append(repeating: value, count: 77)
                plain += [UInt32](repeating: value, count: 77)
            case 4 where !plain.isEmpty:
                let index = Int.random(in: plain.indices, using: &noise)
                ours.swapAt(0, index)
                plain.swapAt(0, index)
            case 5 where round % 10 == 0:
                // A copy keeps its content.
                #expect(Array(oldOurs) == oldPlain)
                (oldOurs, oldPlain) = (ours, plain)
            case 6 where round % 10 == 0: space.moveToFiles()
            case 7 where !plain.isEmpty:
                var span = ours.mutableSpan
                span[span.count - 1] = value
                plain[plain.count - 1] = value
            default:
                ours.append(value)
                plain.append(value)
            }
        }
        #expect(Array(ours) == plain)
        #expect(Array(oldOurs) == oldPlain)
        #expect(plain.count > 10_000)
    }

    @Test(.enabled(if: hasDisk)) func whatIsLargeIsInAFileThatHasNoName() throws {
        let folder = try DiskFolder()
        let space = ScratchSpace(folders: [folder.path], memory: 1 << 20)
        let small = LongArray<UInt64>(repeating: 1, count: 1000, in: space)
        let large = LongArray<UInt64>(repeating: 2, count: 1_000_000, in: space)
        #expect(!small.isInFile)
        #expect(large.isInFile)
        #expect(folder.names == [])
        #expect(large.last == 2)
        #expect(space.takeFailure() == nil)
    }

    @Test(.enabled(if: hasDisk)) func whatIsInMemoryMakesRoomWhereItIs() {
        let space = ScratchSpace(memory: 4 << 20)
        var array = LongArray<UInt64>(repeating: 7, count: 400_000, in: space)
        let copy = array
        #expect(!array.isInFile)
        #expect(!LongArray<UInt64>(repeating: 0, count: 200_000, in: ScratchSpace(memory: 4 << 20)).isInFile)
        space.moveToFiles()
        #expect(array.isInFile && copy.isInFile)
        // The memory is free again, and a changed copy is in memory.
        array[3] = 8
        #expect(!array.isInFile && copy.isInFile)
        #expect(array[3] == 8 && copy[3] == 7 && array[399_999] == 7)
    }

    @Test func whereNoFileCanBeMadeItStaysInMemoryAndIsSaid() throws {
        let folder = try TemporaryFolder()
        let gone = folder.path.appending("gone")
        let space = Self.filesOnly(gone)
        #expect(!LongArray<UInt8>(repeating: 0, count: 10_000, in: space).isInFile)
        #expect(space.takeFailure() == .init(folder: gone, reason: .noSuchFileOrDirectory))
        #expect(space.takeFailure() == nil)
    }

    @Test(.enabled(if: hasDisk && FileManager.default.fileExists(atPath: "/dev/shm")))
    func aFolderInMemoryIsPassedOver() throws {
        let shared = ScratchSpace(folders: ["/dev/shm"], memory: 0, smallestFile: 0)
        #expect(!LongArray<UInt8>(repeating: 0, count: 10_000, in: shared).isInFile)
        #expect(shared.takeFailure()?.reason == .notSupportedOnSocket)
        let both = ScratchSpace(folders: ["/dev/shm", "/var/tmp"], memory: 0, smallestFile: 0)
        #expect(LongArray<UInt8>(repeating: 0, count: 10_000, in: both).isInFile)
        #expect(both.takeFailure() == nil)
    }

    private static func shell(_ script: String) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private static let canMount =
        geteuid() == 0 && shell("command -v mkfs.ext4 > /dev/null && unshare --mount mount -t tmpfs tmpfs /mnt")

    @Test(.enabled(if: canMount, "only root can mount a file system"))
    func aDiskWithLittleRoomIsLeftToOthers() throws {
        let folder = try TemporaryFolder()
        let disk = folder.path.appending("disk")
        try folder.write("", to: "disk/.keep")
        let made = """
            truncate -s 400M '\(folder.path)/image' && mkfs.ext4 -q '\(folder.path)/image' \
                && mount -o loop '\(folder.path)/image' '\(disk)'
            """
        try #require(Self.shell(made))
        defer { _ = Self.shell("umount -l '\(disk)'") }
        let space = Self.filesOnly(disk)
        #expect(LongArray<UInt8>(repeating: 0, count: 1 << 20, in: space).isInFile)
        #expect(space.takeFailure() == nil)
        let large = LongArray<UInt8>(repeating: 1, count: 150 << 20, in: space)
        #expect(!large.isInFile && large.last == 1)
        #expect(space.takeFailure() == .init(folder: disk, reason: .noSpace))
        // What is in memory stays there as well.
        space.moveToFiles()
        #expect(!large.isInFile && large.last == 1)
        #expect(space.takeFailure()?.reason == .noSpace)
        let read = Self.shell("mount -o remount,ro '\(disk)'")
        try #require(read)
        #expect(!LongArray<UInt8>(repeating: 0, count: 1 << 20, in: space).isInFile)
        #expect(space.takeFailure()?.reason == .readOnlyFileSystem)
    }

    /// With a leak in each kind of location, packed with deltas.
    private func makeLeaks(_ folder: TemporaryFolder) throws {
        let git = try Git.initialize(folder.path)
        for version in 0..<40 {
            let key = version % 7 == 3 ? TestScan.secret : "none"
            try folder.write("version \(version)\nkey = \(key)\n", to: "a/b/c\(version % 5).txt")
            try folder.write("\(version)", to: "d\(version % 3)/e/f")
            try git.commit(version == 20 ? "it was \(TestScan.secret)" : "\(version)", at: 1_700_000_000 + version)
        }
        try git.git("tag", "-a", "-m", TestScan.secret, "v1", "HEAD~3")
        try git.git("repack", "-a", "-d", "-f", "-q", "--depth=20")
        try git.git("reset", "-q", "--hard", "HEAD~10")
    }

    @Test(.enabled(if: hasDisk)) func scansSayTheSameWithAllTablesInFiles() throws {
        let folder = try TemporaryFolder()
        try makeLeaks(folder)
        let disk = try DiskFolder()
        let expected = try TestScan(folder.path)
        let found = try TestScan(folder.path) { $0.scratch = Self.filesOnly(disk.path) }
        #expect(expected.occurrences.count > 5)
        #expect(found.occurrences == expected.occurrences)
        #expect(found.summary == expected.summary)
        #expect(disk.names == [])
        // Objects that need much memory are last, when the tables have been moved to files.
        let narrow = try TestScan(folder.path) {
            $0.scratch = ScratchSpace(memory: 1 << 20, smallestFile: 0)
            $0.memoryPerThread = 60
        }
        #expect(narrow.occurrences == expected.occurrences)
        #expect(narrow.summary.isComplete)
    }

    @Test func scansSayTheSameWithoutAnyFile() throws {
        let folder = try TemporaryFolder()
        try makeLeaks(folder)
        let gone = folder.path.appending("gone")
        let expected = try TestScan(folder.path)
        let found = try TestScan(folder.path) { $0.scratch = Self.filesOnly(gone) }
        #expect(found.occurrences == expected.occurrences)
        #expect(found.summary.isComplete)
        let problem = try #require(found.summary.problems.last)
        #expect(problem.kind == .memory && problem.isNotice && problem.subject == gone.string)
        #expect(found.summary.problemCount == expected.summary.problemCount + 1)
    }
}
