import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Secrets in archives are found in files on disk and in objects of every kind, and the cost of zip bombs is bounded.
@Suite struct ArchiveTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let text = Array("first line\nkey = \(TestScan.secret)\n".utf8)

    static var kinds: [(String, TestArchive.Format, TestArchive.Filter)] {
        TestArchive.Filter.allCases.flatMap { filter in
            [("a.tar.\(filter)", TestArchive.Format.tar, filter), ("a.\(filter)", .raw, filter)]
        }.filter { $0.1 != .raw || $0.2 != .none } + [("lib/x.jar", .zip, .none)]
    }

    func path(_ name: String, _ format: TestArchive.Format) -> String {
        format == .raw ? "\(name)!/data" : "\(name)!/conf/config.txt"
    }

    @Test(arguments: kinds) func eachKindOnDisk(name: String, format: TestArchive.Format, filter: TestArchive.Filter)
        throws
    {
        try folder.write(try TestArchive.make(format, filter, [("conf/config.txt", Self.text)]), to: name)
        // In memory, and as a stream.
        for threshold in [16 << 20, 64] {
            let found = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            // A stored entry is also in the bytes of the archive itself, and is reported once.
            #expect(found.only(.file).count == 1)
            let hit = try #require(found.only(.file).first)
            #expect(hit.path?.string == path(name, format))
            #expect(hit.grade == .confirmed(secret: 99) && hit.line == 2 && hit.column == 7)
            #expect(found.summary.problems == [])
        }
    }

    @Test(arguments: [false, true]) func inObjectsOfEveryKind(isPacked: Bool) throws {
        let git = try Git.initialize(folder.path)
        for (name, format, filter) in Self.kinds {
            try folder.write(try TestArchive.make(format, filter, [("conf/config.txt", Self.text)]), to: name)
        }
        // Successive versions of an archive, of which git keeps deltas; none contains the plain secret.
        var noise = Noise(seed: 7)
        let padding = (0..<200).map { ("pad\($0)", Array(noise.lines(20).joined().utf8)) }
        try git.commit("archives")
        for version in 0..<4 {
            let inner = try TestArchive.make(.raw, .gzip, [("x", Self.text + [UInt8(version)])])
            try folder.write(
                try TestArchive.make(.tar, .none, padding + [("late\(version)", inner)]), to: "grown.tar")
            try git.commit("version \(version)")
        }
        if isPacked { try git.git("gc", "--quiet", "--aggressive") }
        for threshold in [16 << 20, 64] {
            let scan = try TestScan(folder.path) {
                $0.streamingThreshold = threshold
                $0.searchesFiles = false
            }
            let paths = Set(scan.only(.blob).compactMap { $0.path?.string }.filter { $0.contains("!/") })
            var expected = Set(Self.kinds.map { path($0.0, $0.1) })
            expected.formUnion((0..<4).map { "grown.tar!/late\($0)!/data" })
            // A base that is in memory anyway is not streamed; streamed archives are searched too.
            #expect(paths == expected)
            let jar = try #require(scan.only(.blob).first { $0.path?.string == "lib/x.jar!/conf/config.txt" })
            #expect(jar.commit != nil && jar.isInHead && jar.line == 2)
            #expect(scan.summary.problems == [])
        }
    }

    @Test func archivesInArchives() throws {
        var bytes = try TestArchive.make(.raw, .gzip, [("x", Self.text)])
        for level in 0..<3 {
            bytes = try TestArchive.make(level == 1 ? .zip : .tar, .xz, [("inner\(level).bin", bytes)])
        }
        try folder.write(bytes, to: "deep.tar.xz")
        let scan = try TestScan(folder.path)
        #expect(
            scan.only(.file).map { $0.path?.string } == ["deep.tar.xz!/inner2.bin!/inner1.bin!/inner0.bin!/data"])
        let shallow = try TestScan(folder.path) { $0.archiveDepth = 3 }
        #expect(shallow.occurrences.isEmpty)
        #expect(shallow.summary.problems.map(\.kind) == [.packed] && shallow.summary.isComplete)
    }

    @Test func aCompressedFileThatBeginsWithZerosIsNoEmptyTar() throws {
        let image = [UInt8](repeating: 0, count: 4096) + Self.text
        try folder.write(try TestArchive.make(.raw, .gzip, [("x", image)]), to: "disk.img.gz")
        for threshold in [16 << 20, 16] {
            let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            #expect(scan.only(.file).map { $0.path?.string } == ["disk.img.gz!/data"])
        }
    }

    @Test(arguments: ["other text\n", "blob 3\0abc"]) func joinedStreamsOfZlibAreSearchedAsOneText(first: String) throws
    {
        let (start, end) = (Self.text.prefix(30), Self.text.dropFirst(30))
        let parts = try [Array(first.utf8), Array(start), Array(end)].map { try HandmadeArchive.zlib($0) }
        try folder.write(Array(parts.joined()), to: "log.zz")
        for threshold in [16 << 20, 64] {
            let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            #expect(scan.only(.file).map { $0.path?.string } == ["log.zz!/data"])
        }
    }

    @Test func whatIsBehindTheBoundOfJoinedStreamsIsSaid() throws {
        let part = try HandmadeArchive.zlib([UInt8](repeating: UInt8(ascii: "x"), count: 4096))
        for (count, isBounded) in [(16, false), (17, true)] {
            try folder.write(Array([[UInt8]](repeating: part, count: count).joined()), to: "log.zz")
            let scan = try TestScan(folder.path) { $0.streamingThreshold = 16 * 4096 }
            #expect(scan.summary.problems.map(\.kind) == (isBounded ? [.packed] : []))
        }
    }

    @Test func aLongEntryIsStreamed() throws {
        var long = [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20)
        long += Array("\n".utf8) + Self.text
        try folder.write(try TestArchive.make(.zip, .none, [("long.log", long)]), to: "logs.zip")
        let hit = try #require(try TestScan(folder.path).only(.file).first)
        #expect(hit.path == "logs.zip!/long.log" && hit.line == 3 && hit.offset == UInt64(long.count - 48))
    }

    @Test func whatCannotBeUnpackedIsNamed() throws {
        let zip = try TestArchive.make(.zip, .none, [("a", Self.text), ("b", Self.text)])
        try folder.write(try TestArchive.make(.zip, .none, [("a", Self.text)], password: "pw"), to: "encrypted.zip")
        try folder.write(Array(zip.prefix(20)), to: "cut.zip")
        try folder.write([0x1f, 0x8b, 8, 0] + [UInt8](repeating: 0xff, count: 100), to: "damaged.gz")
        let scan = try TestScan(folder.path)
        #expect(scan.occurrences.isEmpty && scan.summary.isComplete)
        let problem = try #require(scan.summary.problems.first)
        #expect(scan.summary.problems.count == 1 && problem.kind == .packed && problem.isNotice)
        #expect(
            problem.detail.hasSuffix("1 encrypted (encrypted.zip); 2 damaged (cut.zip, damaged.gz)"),
            "\(problem.detail)")
    }

    @Test func whatStandsBeforeTheDamageIsFound() throws {
        var tar = try TestArchive.make(.tar, .none, [("a", Self.text), ("b", Self.text)])
        tar.removeLast(tar.count - 1024 - 600)
        try folder.write(tar, to: "cut.tar")
        #expect(try TestScan(folder.path).only(.file).contains { $0.path == "cut.tar!/a" })
    }

    /// Of bzip2 a block is read whole or not at all; compress has no end that could be missing.
    @Test(
        arguments: TestArchive.Filter.allCases.filter { ![.none, .bzip2, .compress].contains($0) },
        [TestArchive.Format.raw, .tar])
    func whatPrecedesACutIsFound(filter: TestArchive.Filter, format: TestArchive.Format) throws {
        var noise = Noise(seed: 11)
        let content = Self.text + Array(noise.lines(20_000).joined().utf8)
        let whole = try TestArchive.make(format, filter, [("conf/config.txt", content)])
        try folder.write(Array(whole.prefix(whole.count * 3 / 4)), to: "dump.gz")
        for threshold in [16 << 20, 64] {
            let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
            #expect(scan.only(.file).count == 1, "\(threshold)")
            #expect(scan.summary.problems.map(\.kind) == [.packed])
        }
    }

    @Test func bombsAreBounded() throws {
        let zeros = [UInt8](repeating: 0, count: 60 << 20)
        let one = try TestArchive.make(.raw, .xz, [("x", zeros)])
        try folder.write(try TestArchive.make(.zip, .none, (0..<40).map { ("\($0).xz", one) }), to: "bomb.zip")
        try folder.write(
            try TestArchive.make(.tar, .gzip, (0..<300).map { ("\($0)", Self.text) }), to: "many.tgz")
        let scan = try TestScan(folder.path) {
            $0.archiveBytes = 100 << 20
            $0.archiveEntries = 200
        }
        #expect(scan.summary.problems.map(\.kind) == [.packed])
        let detail = scan.summary.problems.first?.detail ?? ""
        #expect(
            detail.hasSuffix(
                "3 too large, or too deep, to unpack completely (bomb.zip, bomb.zip!/1.xz, many.tgz)"),
            "\(detail)")
        #expect(scan.only(.file).count == 200)
    }

    @Test func randomDamageNeitherCrashesNorHangs() throws {
        var noise = Noise(seed: 99)
        let seeds = try Self.kinds.map {
            try TestArchive.make(
                $0.1, $0.2, [("a", Self.text), ("b", Self.text)].prefix($0.1 == .raw ? 1 : 2).map { $0 })
        }
        let finder = HitFinder(
            terms: try SearchTerms(TestScan.terms), recognizer: NoSecretsKnown(), engine: .vector)
        let search = ArchiveSearch(SearchContext(finder: finder))
        for round in 0..<2000 {
            guard var bytes = seeds.randomElement(using: &noise) else { continue }
            for _ in 0..<Int.random(in: 1...8, using: &noise) {
                bytes[Int.random(in: 0..<bytes.count, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
            }
            if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &noise)) }
            #expect(search.search(bytes.span, of: []).allSatisfy { $0.inside != nil || $0.start < UInt64(bytes.count) })
        }
    }
}
