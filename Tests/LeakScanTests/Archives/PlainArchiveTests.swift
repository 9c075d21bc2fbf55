import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Simple zip and gzip files, whose entries are unpacked at once: the result is the same as with libarchive, which
/// reads all other files.
@Suite struct PlainArchiveTests {
    let folder: TemporaryFolder
    static let text = ArchiveTests.text

    init() throws { folder = try TemporaryFolder() }

    struct Place: Hashable {
        var path: String?
        var offset: UInt64
        var line: Int?
        var column: Int?
    }

    /// What is found in a file, and what is said of it, unpacked at once and in pieces; in memory, or read piece by piece.
    func found(
        in bytes: [UInt8], inMemory: Bool = true, _ name: String = "archive"
    ) throws -> [(places: Set<Place>, problems: [String])] {
        try folder.write(bytes, to: name)
        return try [true, false].map { unpacksWholeEntries in
            let scan = try TestScan(folder.path) {
                $0.unpacksWholeEntries = unpacksWholeEntries
                if !inMemory { $0.streamingThreshold = 16 }
            }
            let places = scan.only(.file).map {
                Place(path: $0.path?.string, offset: $0.offset, line: $0.line, column: $0.column)
            }
            #expect(Set(places).count == places.count, "reported twice")
            return (Set(places), scan.summary.problems.map(\.detail))
        }
    }

    /// A file as gzip(1) makes it, with its name and its time.
    static func gzip(_ bytes: [UInt8], name: String = "notes.txt") throws -> [UInt8] {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: name)
        try Git.initialize(folder.path).git("-c", "alias.pack=!gzip -9 \(name)", "pack")
        return try InputFile.contents(of: folder.path.appending("\(name).gz"))
    }

    static func zip(_ entries: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
        try TestArchive.make(.zip, .none, entries)
    }

    /// Zip files as git makes them: deflated, and stored, with a comment.
    static func gitZips() throws -> [[UInt8]] {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        for (name, bytes) in try mixed() { try folder.write(bytes, to: name) }
        try git.commit("files")
        return try ["-0", "-9"].map { try git.run(["archive", "--format=zip", $0, "--prefix=x/", "HEAD"]) }
    }

    static func mixed() throws -> [(name: String, bytes: [UInt8])] {
        var noise = Noise(seed: 3)
        let prose = Array(noise.lines(500).joined(separator: "\n").utf8)
        return [
            ("plain.txt", text), ("late.txt", prose + text + prose), ("nothing.txt", prose), ("empty", []),
            ("deep/inner.zip", try zip([("a", prose + text), ("b", text)])),
            ("deep/notes.txt.gz", try gzip(prose + text)),
            ("deep/inner.tgz", try TestArchive.make(.tar, .gzip, [("c", text)])),
        ]
    }

    @Test(arguments: [true, false]) func plainOnesAreTheSameEitherWay(inMemory: Bool) throws {
        var cases = try Self.gitZips() + [Self.zip(Self.mixed())]
        for zip in cases {
            let directory = ZipDirectory(zip.span)
            #expect(directory?.entries.count ?? 0 >= 7)
        }
        let members = [try Self.gzip(Self.text), try TestArchive.make(.raw, .gzip, [("x", Self.text)])]
        for member in members {
            let parsed = GzipMember(member.span)
            #expect(parsed?.size == Self.text.count)
        }
        cases += members
        for (number, bytes) in cases.enumerated() {
            let found = try found(in: bytes, inMemory: inMemory)
            #expect(!found[0].places.isEmpty && found[0].places == found[1].places, "case \(number)")
            #expect(found.allSatisfy { $0.problems == [] }, "case \(number)")
        }
        #expect(try found(in: members[0])[0].places.first?.path == "archive!/notes.txt")
    }

    @Test(arguments: ["-9", "-0"]) func anArchiveThatIsStoredInAnotherIsSearchedOnce(level: String) throws {
        var (name, bytes) = ("a.txt", [UInt8](repeating: 0x61, count: 2000) + Array("\n".utf8) + Self.text)
        for archive in ["in.zip", "lib.jar", "app.jar"] {
            let folder = try TemporaryFolder()
            let git = try Git.initialize(folder.path)
            try folder.write(bytes, to: name)
            try git.commit("files")
            bytes = try git.run(["archive", "--format=zip", archive == "in.zip" ? level : "-0", "HEAD"])
            name = archive
        }
        for (places, problems) in try found(in: bytes, name) {
            #expect(Set(places.map(\.path)) == ["app.jar!/lib.jar!/in.zip!/a.txt"] && problems.isEmpty)
        }
    }

    /// Changes a simple zip file so that it is not one any more.
    enum Change: CaseIterable {
        case somethingBehind, cutShort, damagedInside, shorterThanClaimed, longerThanClaimed, otherMethod
        case headerElsewhere, fewerEntries, moreEntries, doubled
    }

    static func change(_ zip: [UInt8], _ change: Change) throws -> [UInt8] {
        var zip = zip
        let plain = ZipDirectory(zip.span)
        let directory = try #require(plain)
        let last = try #require(directory.entries.last)
        let end = zip.count - 22
        let record = try #require((0..<end).last { zip[$0..<($0 + 4)].elementsEqual([0x50, 0x4b, 1, 2]) })
        let header = zip[last.header..<(last.header + ZipDirectory.headerLength)]
        let content = directory.content(of: last, header: Array(header).span)
        switch change {
        case .somethingBehind: zip += Self.text
        case .cutShort: zip.removeLast(40)
        case .damagedInside: for at in try #require(content).prefix(20) { zip[at] ^= 0xff }
        case .shorterThanClaimed: zip[record + 24] &+= 1
        case .longerThanClaimed: zip[record + 24] &-= 1
        case .otherMethod: zip[record + 10] = 9
        case .headerElsewhere: zip[record + 42] &+= 1
        case .fewerEntries: for at in [end + 8, end + 10] { zip[at] -= 1 }
        case .moreEntries: for at in [end + 8, end + 10] { zip[at] += 1 }
        case .doubled: zip += zip
        }
        return zip
    }

    @Test(arguments: Change.allCases, [true, false])
    func whatIsNotPlainIsNotMissed(_ change: Change, inMemory: Bool) throws {
        var noise = Noise(seed: 5)
        let prose = Array(noise.lines(300).joined(separator: "\n").utf8)
        let zip = try Self.zip([
            ("first", prose + Self.text), ("second", prose + Self.text), ("third", prose + Self.text),
        ])
        let found = try found(in: try Self.change(zip, change), inMemory: inMemory)
        #expect(found[0].places.isSuperset(of: found[1].places))
        #expect(found[0].places.contains { $0.path == "archive!/first" })
    }

    /// Zip files whose directories have zip64 (APPNOTE.TXT, 4.3.14): only its record, or all values in it; also behind something else.
    @Test(arguments: [(false, 0), (true, 0), (false, 500), (true, 500)])
    func zip64IsPlain(isFull: Bool, before: Int) throws {
        let zip = try HandmadeArchive.zip64(Self.zip([("a.txt", Self.text), ("b.txt", Self.text)]), isFull: isFull)
        let entries = ZipDirectory(zip.span)?.entries.map(\.name)
        #expect(entries == [Array("a.txt".utf8), Array("b.txt".utf8)])
        for inMemory in [true, false] where before == 0 || inMemory {
            for found in try found(in: [UInt8](repeating: 0x23, count: before) + zip, inMemory: inMemory) {
                #expect(Set(found.places.map(\.path)) == ["archive!/a.txt", "archive!/b.txt"])
                #expect(found.problems == [])
            }
        }
    }

    @Test("values of zip64 that no file has are refused") func zip64WithHugeValues() throws {
        let plain = try Self.zip([("a.txt", Self.text)])
        let zip = HandmadeArchive.zip64(plain, isFull: true)
        let record = try #require((0..<zip.count).last { zip[$0...].starts(with: [0x50, 0x4b, 6, 6]) })
        let directory = try #require((0..<zip.count).last { zip[$0...].starts(with: [0x50, 0x4b, 1, 2]) })
        // The count, the length and the offset of the directory; the lengths and the offset of the entry.
        for place in [24, 32, 40, 48].map({ record + $0 }) + [55, 63, 71].map({ directory + $0 }) {
            for value in [0xff, 0x7f, 0] as [UInt8] {
                var changed = zip
                for at in place..<(place + 8) { changed[at] = value }
                let found = try found(in: changed)
                #expect(found[0].places.isSuperset(of: found[1].places), "\(place), \(value)")
            }
        }
    }

    @Test("frames without data before compressed data are passed over", arguments: [TestArchive.Filter.zstd, .lz4])
    func skippableFrames(_ filter: TestArchive.Filter) throws {
        func frame(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [0x50 | number, 0x2a, 0x4d, 0x18, UInt8(bytes.count), 0, 0, 0] + bytes
        }
        var noise = Noise(seed: 11)
        let text = Array(noise.lines(300).joined(separator: "\n").utf8) + Self.text
        let data = try TestArchive.make(.raw, filter, [("x", text)])
        for inMemory in [true, false] {
            let some = frame(0, [1, 2, 3, 4])
            for found in try found(in: some + frame(15, []) + data, inMemory: inMemory) {
                #expect(found.places.map(\.path) == ["archive!/data"] && found.places.first?.line == 301)
                #expect(found.problems == [])
            }
            // Nothing else, or less than it says.
            #expect(try found(in: some, inMemory: inMemory)[0].problems == [])
            let problems = try found(in: some.dropLast(), inMemory: inMemory)[0].problems
            #expect(problems.count == 1 && problems[0].contains("1 damaged (archive)"), "\(problems)")
        }
    }

    @Test func gzipFilesInAnyCombination() throws {
        let member = try Self.gzip(Self.text)
        let zip = try Self.zip([("a", Self.text)])
        var cut = member
        cut.removeLast(9)
        var lying = member
        lying[lying.count - 4] &-= 1
        let cases = [
            ("two members", member + member), ("twice", try Self.gzip(member)), ("a zip", try Self.gzip(zip)),
            ("an xz", try Self.gzip(try TestArchive.make(.raw, .xz, [("x", Self.text)]))), ("cut", cut),
            ("lying", lying), ("zeros behind", member + [UInt8](repeating: 0, count: 512)),
            ("a tar", try Self.gzip(try TestArchive.make(.tar, .none, [("a", Self.text)]))),
            ("zeros", try Self.gzip([UInt8](repeating: 0, count: 4096) + Self.text)),
        ]
        for (what, bytes) in cases {
            let found = try found(in: bytes)
            #expect(!found[1].places.isEmpty || what == "cut", "\(what)")
            #expect(found[0].places == found[1].places, "\(what)")
            #expect(found[0].problems == found[1].problems, "\(what)")
        }
    }

    @Test func boundsHoldForWhatIsUnpackedAtOnce() throws {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 5 << 20) + Self.text
        let zip = try Self.zip((0..<20).map { ("\($0)", long) })
        try folder.write(zip, to: "many.zip")
        try folder.write(try Self.gzip(long), to: "one.gz")
        for unpacksWholeEntries in [true, false] {
            let scan = try TestScan(folder.path) {
                $0.archiveBytes = 32 << 20
                $0.unpacksWholeEntries = unpacksWholeEntries
            }
            #expect(scan.only(.file).count == 7)
            #expect(
                scan.summary.problems.first?.detail.hasSuffix(
                    "1 too large, or too deep, to unpack completely (many.zip)") == true)
        }
    }
}
