import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Damaged and hostile input is reported, its cost is bounded, and the rest is still searched.
@Suite struct HostileTests {
    @Test func anyByteOfAPackMayBeWrong() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        for version in 1...12 {
            try folder.write(
                "\(TestScan.prefix)\n" + String(repeating: "line\n", count: version * 7), to: "f")
            try folder.write("\(version)", to: "v\(version)")
            try git.commit("\(version)")
        }
        try git.git("gc", "--quiet")
        let packs = folder.path.appending(".git/objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.string)
        let pack = packs.appending(try #require(names.first { $0.hasSuffix(".pack") }))
        let index = packs.appending(try #require(names.first { $0.hasSuffix(".idx") }))
        for file in [pack, index] {
            let url = URL(filePath: file.string)
            let whole = try Data(contentsOf: url)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.string)
            var noise = Noise(seed: 5)
            for round in 0..<40 {
                var damaged = whole
                if round % 5 == 0 {
                    damaged = damaged.prefix(Int.random(in: 0..<whole.count, using: &noise))
                } else {
                    for _ in 0..<Int.random(in: 1...3, using: &noise) {
                        damaged[Int.random(in: 0..<whole.count, using: &noise)] = UInt8.random(
                            in: 0...255, using: &noise)
                    }
                }
                guard damaged != whole else { continue }
                try damaged.write(to: url)
                // The scan ends without a crash and reports what was not read. A changed index checksum alone hides
                // nothing.
                let (found, summary) = try Oracle.scan(folder.path, TestScan.terms)
                if summary.isComplete { #expect(found.count == 12, "round \(round) of \(file)") }
            }
            try whole.write(to: url)
        }
        let (found, summary) = try Oracle.scan(folder.path, TestScan.terms)
        #expect(found.count == 12)
        #expect(summary.isComplete)
    }

    @Test func settingsWithoutNamesAreNone() {
        for text in ["=", "[core]\n=1", "[core]\n =\n= =\n", "[", "[]", "[a]=", "\"=\""] {
            #expect(GitConfig(Array(text.utf8)) == GitConfig([]), "\(text)")
        }
    }

    /// Small deltas that give more and more large objects: the scan ends and reports it.
    @Test func aPackThatGoesOnAndOnIsGivenUp() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        let zeros = [UInt8](repeating: 0, count: 1_000_000)
        for version in 0..<60 {
            try git.run(["hash-object", "-w", "--stdin"], input: Array("\(version)".utf8) + zeros)
        }
        try git.run(["hash-object", "-w", "--stdin"], input: Array(TestScan.prefix.utf8))
        let names = try git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
        let packs = folder.path.appending(".git/objects/pack/pack").string
        try git.run(["pack-objects", "-q", "--depth=4000", packs], input: Array((names + "\n").utf8))
        try git.git("prune-packed", "-q")
        let (found, summary) = try Oracle.scan(folder.path, TestScan.terms)
        #expect(found.count == 1)
        #expect(summary.isComplete)
        let (_, bounded) = try Oracle.scan(folder.path, TestScan.terms) {
            $0.mostRebuilt = 0
            $0.threads = 1
        }
        #expect(bounded.problems.map(\.kind) == [.tooLarge])
        #expect(!bounded.isComplete)
    }

    @Test func aDamagedLooseObjectDoesNotHideTheOthers() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        let objects = folder.path.appending(".git/objects")
        try git.run(["hash-object", "-w", "--stdin"], input: Array(TestScan.prefix.utf8))
        try FileManager.default.createDirectory(
            atPath: objects.appending("aa").string, withIntermediateDirectories: true)
        let name = objects.appending("aa/\(String(repeating: "b", count: 38))")
        for bytes in [[], [0x78], [0x78, 0x9c, 1, 2, 3], [UInt8](repeating: 0, count: 100)] {
            try Data(bytes).write(to: URL(filePath: name.string))
            let (found, summary) = try Oracle.scan(folder.path, TestScan.terms)
            #expect(found.count == 1)
            #expect(summary.problems.map(\.kind) == [.damagedObject])
        }
    }

    @Test func deltasThatLieAreRefused() throws {
        func apply(_ delta: [UInt8], base: [UInt8]) throws(GitReadError) -> [UInt8] {
            let baseBuffer = ByteBuffer(capacity: 100)
            baseBuffer.append(base.span)
            let sizes = try Delta.sizes(delta.span)
            guard sizes.base == UInt64(base.count), sizes.result <= 1000 else { throw .damagedObject("size") }
            let output = ByteBuffer(capacity: Int(sizes.result))
            var applied = Delta()
            try applied.apply(
                delta.span, at: sizes.at, to: baseBuffer.bytes, count: Int(sizes.result), into: output,
                reach: 3,
                hits: [])
            return Array(copying: output.bytes)
        }
        let base = Array("0123456789".utf8)
        #expect(try apply([10, 5, 0x91, 2, 3, 2, 65, 66], base: base) == Array("234AB".utf8))
        let lies: [[UInt8]] = [
            [], [10], [11, 0], [10, 1], [10, 3, 0x91, 8, 3], [10, 2, 0x91, 2, 3], [10, 4, 0x91, 2, 3],
            [10, 1, 0],
            [10, 2, 5, 65], [10, 3, 0x91], [10, 3, 0xff],
            [10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            [10, 3, 0x80],
        ]
        for lie in lies { #expect(throws: GitReadError.self, "\(lie)") { try apply(lie, base: base) } }
    }

    @Test func alternatesThatLeadNowhereAreNoLoop() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        try git.run(["hash-object", "-w", "--stdin"], input: Array(TestScan.prefix.utf8))
        let lender = try TemporaryFolder()
        let lending = try Git.initialize(lender.path)
        try lending.run(["hash-object", "-w", "--stdin"], input: Array("borrowed \(TestScan.prefix)".utf8))
        let quoted = lender.path.appending(".git/objects").string.replacing("/", with: "\\057")
        try folder.write(
            ".\n../objects\n/nowhere\n\"\(quoted)\"\n# comment\n", to: ".git/objects/info/alternates")
        let (found, summary) = try Oracle.scan(folder.path, TestScan.terms)
        #expect(found.count == 2)
        #expect(summary.problems.map(\.subject) == ["/nowhere"] && summary.problems.map(\.kind) == [.alternate])
    }

    /// Version 4 of an index stores of a path what differs from the one before: a few bytes may be kilobytes.
    @Test func anIndexOfLongPathsIsGivenUp() throws {
        var bytes = Array("DIRC".utf8) + [0, 0, 0, 4, 0, 0, 0x80, 0]
        for number in 0..<0x8000 {
            bytes += [UInt8](repeating: 0, count: 24) + [0, 0, 0x81, 0xa4] + [UInt8](repeating: 0, count: 12)
            bytes += [UInt8](repeating: 1, count: 20) + [0, 1, 0]
            bytes += Array(number == 0 ? String(repeating: "d/", count: 4000).utf8 : "x".utf8) + [0]
        }
        bytes += [UInt8](repeating: 0, count: 20)
        #expect(throws: GitReadError.self) { try GitIndexFile(bytes, idLength: 20) }
        #expect(try GitIndexFile(bytes, idLength: 20, pathBytes: 1 << 30).entries.count == 0x8000)
        // Then every file is read, as where there is no index.
        let folder = try TemporaryFolder()
        _ = try Git.initialize(folder.path)
        try folder.write("x \(TestScan.prefix)", to: "f")
        try folder.write("f\n", to: ".gitignore")
        try Data(bytes).write(to: URL(filePath: folder.path.appending(".git/index").string))
        #expect(try TestScan(folder.path).occurrences.map { $0.path?.string } == ["f"])
    }

    /// Folders of refs that contain each other by symlinks, and a file of refs that is a hole of a gigabyte.
    @Test func refsWithoutEndAreReadOnce() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        try folder.write("x \(TestScan.prefix)", to: "f")
        try git.commit("one")
        for name in ["a", "b", "c"] {
            for inner in 0..<6 {
                let link = folder.path.appending(".git/refs/heads/\(name)/\(inner)")
                try FileManager.default.createDirectory(
                    atPath: link.removingLastComponent().string, withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(
                    atPath: link.string, withDestinationPath: folder.path.appending(".git/refs/heads").string)
            }
        }
        #expect(try TestScan(folder.path).summary.isComplete)
        let packed = folder.path.appending(".git/packed-refs").string
        try Data("# pack-refs with: peeled fully-peeled sorted\n".utf8).write(to: URL(filePath: packed))
        try #require(unsafe truncate(packed, 1 << 30) == 0)
        let damaged = try TestScan(folder.path)
        #expect(damaged.summary.problems.map(\.kind) == [.incomplete])
        #expect(damaged.occurrences.contains { $0.path?.string == "f" })
    }

    /// Packs without an index beside a multi-pack-index that names as many: each is looked for once.
    @Test func packsWithoutIndexesAreBounded() throws {
        let folder = try TemporaryFolder()
        _ = try Git.initialize(folder.path)
        let packs = folder.path.appending(".git/objects/pack")
        let names = (0..<300).map { "pack-\(String(repeating: "0", count: 37))\(100 + $0)" }
        for name in names {
            var pack = Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 0]
            let hash = ContentHash(idLength: 20)
            hash.add(pack.span)
            pack += hash.finish()
            try Data(pack).write(to: URL(filePath: packs.appending("\(name).pack").string))
        }
        let index = TestMultiPackIndex(packs: names.map { "\($0).idx" }, objects: [])
        try Data(index.bytes()).write(to: URL(filePath: packs.appending("multi-pack-index").string))
        #expect(try TestScan(folder.path).summary.isComplete)
        let last = packs.appending("\(names[299]).pack")
        #expect(try MultiPackIndexes.index(of: last, idLength: 20).count == 0)
        #expect(throws: GitReadError.self) {
            try MultiPackIndexes.index(of: packs.appending("pack-x.pack"), idLength: 20)
        }
    }
}
