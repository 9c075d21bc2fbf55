import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Packs without their own index that a multi-pack-index lists: everything is found, or reported as not searched.
@Suite struct MultiPackIndexTests {
    let folder: TemporaryFolder
    let git: Git
    let packs: FilePath

    init() throws {
        folder = try TemporaryFolder()
        git = try OracleTests.makeRich(folder.path, versions: 32)
        packs = folder.path.appending(".git/objects/pack")
    }

    /// The names of the files in the folder of packs that end so.
    func files(_ end: String, in packs: FilePath? = nil) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: (packs ?? self.packs).string).filter { $0.hasSuffix(end) }
            .sorted()
    }

    func removeIndexes() throws {
        for name in try files(".idx") { try FileManager.default.removeItem(atPath: packs.appending(name).string) }
    }

    func write(_ bytes: [UInt8], to path: FilePath) throws {
        // git makes its files read-only, and so they cannot be overwritten.
        try? FileManager.default.removeItem(atPath: path.string)
        try Data(bytes).write(to: URL(filePath: path.string))
    }

    /// The content of the packs, by their own indexes.
    func objects() throws -> TestMultiPackIndex {
        let names = try files(".idx")
        var objects: [(name: ObjectID, pack: Int, offset: UInt64)] = []
        for (number, name) in names.enumerated() {
            let index = try PackIndex(packs.appending(name), idLength: 20)
            for position in 0..<index.count {
                objects.append((try index.name(at: position), number, try index.offset(at: position)))
            }
        }
        return TestMultiPackIndex(packs: names, objects: objects)
    }

    @Test(arguments: ["sha1", "sha256"])
    func packsWithoutTheirOwn(_ format: String) throws {
        let folder = try TemporaryFolder()
        let git = try OracleTests.makeRich(folder.path, versions: 32, "--object-format=\(format)")
        try git.git("repack", "-q", "-d")
        try git.run(["multi-pack-index", "write", "--bitmap"])
        let terms = try OracleTests.terms(git, pieces: 16, seed: 31)
        let expected = try Oracle.sightings(git, terms)
        let packs = folder.path.appending(".git/objects/pack")
        #expect(try files(".pack", in: packs).count > 1)
        for name in try files(".idx", in: packs) {
            try FileManager.default.removeItem(atPath: packs.appending(name).string)
        }
        try OracleTests.check(folder.path, terms, expected)
        let (found, _) = try Oracle.scan(folder.path, terms) { $0.engine = .seams }
        #expect(found.contains { $0.term == 1 })
        // Where a hit comes from is known, too: names and trees are read by it.
        let scan = try TestScan(folder.path) { $0.searchesFiles = false }
        #expect(scan.only(.blob).contains { $0.path == "src/deep/file.txt" && $0.commit != nil && $0.author != nil })
    }

    @Test func aLayerOfAnIncrementalOne() throws {
        try git.git("repack", "-q", "-d")
        try git.run(["multi-pack-index", "write"])
        let terms = try OracleTests.terms(git, pieces: 8, seed: 32)
        let expected = try Oracle.sightings(git, terms)
        let whole = [UInt8](try Data(contentsOf: URL(filePath: packs.appending("multi-pack-index").string)))
        let name = whole.suffix(20).map { String(UInt16($0) + 256, radix: 16).suffix(2) }.joined()
        let layers = packs.appending("multi-pack-index.d")
        try FileManager.default.createDirectory(atPath: layers.string, withIntermediateDirectories: false)
        try write(whole, to: layers.appending("multi-pack-index-\(name).midx"))
        // Lines that are not checksums are ignored, and never lead out of the directory.
        try write(Array("../../../etc/passwd\n\(name)\n\n".utf8), to: layers.appending("multi-pack-index-chain"))
        try FileManager.default.removeItem(atPath: packs.appending("multi-pack-index").string)
        try removeIndexes()
        try OracleTests.check(folder.path, terms, expected)
    }

    /// A pack that shares objects with another is listed in part; missing objects cannot be distinguished from damage.
    @Test func aPackThatIsNamedInPartIsToldAsUnsearched() throws {
        try git.git("repack", "-q", "-a", "-k")
        try git.run(["multi-pack-index", "write"])
        let expected = try Oracle.sightings(git, OracleTests.fixed)
        try removeIndexes()
        let (found, summary) = try Oracle.scan(folder.path, OracleTests.fixed)
        #expect(!summary.isComplete && Set(summary.problems.map(\.kind)) == [.damagedPack])
        #expect(summary.problems.allSatisfy { $0.detail.contains("git index-pack") }, "\(summary.problems)")
        // The pack that is listed completely was read.
        #expect(found.isSubset(of: expected) && !found.isEmpty)
    }

    @Test(arguments: [(1, UInt64.max), (1, 0x40), (2, 0)] as [(UInt8, UInt64)])
    func versionsAndLargeOffsets(_ version: UInt8, _ large: UInt64) throws {
        try git.git("repack", "-q", "-d")
        let terms = try OracleTests.terms(git, pieces: 8, seed: 33)
        let expected = try Oracle.sightings(git, terms)
        var index = try objects()
        index.version = version
        index.large = large
        if version == 2 {
            // The order of the packs is free there.
            index.packs.reverse()
            let last = index.packs.count - 1
            for row in index.objects.indices { index.objects[row].pack = last - index.objects[row].pack }
        }
        try write(index.bytes(), to: packs.appending("multi-pack-index"))
        try removeIndexes()
        try OracleTests.check(folder.path, terms, expected)
    }

    @Test func offsetsBeyondFourGigabytesAreRead() throws {
        let names = try (0..<5).map { try #require(ObjectID(hex: Array(String(repeating: "\($0)a", count: 20).utf8))) }
        let offsets: [UInt64] = [12, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x12_3456_789a]
        for large: UInt64 in [0x8000_0000, 0] {
            let objects = zip(names, offsets).map { (name: $0, pack: 0, offset: $1) }
            let midx = TestMultiPackIndex(large: large, packs: ["pack-1.idx"], objects: objects)
            let path = folder.path.appending("midx")
            try write(midx.bytes(), to: path)
            let trailer = [UInt8](repeating: 0, count: 20)
            let index = try MultiPackIndex(path, idLength: 20).index(ofPack: 0, trailer: trailer, most: 5)
            #expect(try Array(index.offsets(in: ScratchSpace())) == offsets)
            #expect(try (0..<5).map(index.offset) == offsets)
            #expect(throws: GitReadError.self) {
                try MultiPackIndex(path, idLength: 20).index(ofPack: 0, trailer: trailer, most: 4)
            }
        }
    }

    @Test func aDamagedOneIsToldAndNeverClean() throws {
        try git.git("repack", "-q", "-a", "-d")
        let good = try objects()
        try removeIndexes()
        func change(_ edit: (inout TestMultiPackIndex) -> Void) -> [UInt8] {
            var index = good
            edit(&index)
            return index.bytes()
        }
        let whole = good.bytes()
        let damaged: [(String, [UInt8])] = [
            ("no version that is known", change { $0.version = 3 }),
            ("names of another length", change { $0.idVersion = 2 }),
            ("no names", change { $0.missing = "OIDL" }),
            ("no packs", change { $0.missing = "PNAM" }),
            ("an object too few", change { $0.objects.removeLast() }),
            ("a pack too many", change { $0.packs.append("") }),
            ("another pack", change { $0.packs = ["pack-x.idx"] }),
            ("an offset past the end", change { $0.objects[0].offset = 1 << 40 }),
            ("an offset in the header", change { $0.objects[0].offset = 3 }),
            ("an offset twice", change { $0.objects[0].offset = $0.objects[1].offset }),
            ("large offsets that are not there", change { ($0.large, $0.missing) = (0, "LOFF") }),
            ("nothing", []), ("half", Array(whole.prefix(whole.count / 2))), ("a header", Array(whole.prefix(12))),
        ]
        for (what, bytes) in damaged {
            try write(bytes, to: packs.appending("multi-pack-index"))
            let (_, summary) = try Oracle.scan(folder.path, OracleTests.fixed)
            #expect(!summary.isComplete, "\(what)")
        }
        try write(whole, to: packs.appending("multi-pack-index"))
        let (found, summary) = try Oracle.scan(folder.path, OracleTests.fixed)
        #expect(summary.isComplete && !found.isEmpty, "\(summary.problems)")
    }
}
