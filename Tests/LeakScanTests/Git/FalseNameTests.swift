import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Objects and packs that are not what their names and checksums say: what is remembered of one repository by a name must
/// hold for all.
@Suite struct FalseNameTests {
    private let folder: TemporaryFolder
    private let git: Git

    init() throws {
        folder = try TemporaryFolder()
        git = try Git.initialize(folder.path)
    }

    private func scan() throws -> (occurrences: [Occurrence], done: [ScanUnit], summary: ScanSummary) {
        var (occurrences, done): ([Occurrence], [ScanUnit]) = ([], [])
        let summary = try Scanner.scan(try Scanner.list(folder.path), terms: SearchTerms(TestScan.terms)) {
            occurrences += $0.occurrences
            done += $0.done
        }
        return (occurrences, done, summary)
    }

    /// The file of a loose object, made by git.
    private func write(_ content: String) throws -> (name: String, file: FilePath) {
        let name = String(
            decoding: try git.run(["hash-object", "-w", "--stdin"], input: Array(content.utf8)), as: UTF8.self
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        return (name, file(of: name))
    }

    private func file(of name: String) -> FilePath {
        folder.path.appending(".git/objects/\(name.prefix(2))/\(name.dropFirst(2))")
    }

    @Test func aLooseObjectUnderAnotherNameIsNotRemembered() throws {
        let clean = try write("nothing is here")
        let leak = try write("a leak: \(TestScan.prefix)")
        // The content of one under the name of the other, in both directions.
        let bytes = try [clean, leak].map { try Data(contentsOf: URL(filePath: $0.file.string)) }
        for (target, content) in zip([leak, clean], bytes) {
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: target.file.string)
            try content.write(to: URL(filePath: target.file.string))
        }
        let (occurrences, done, summary) = try scan()
        #expect(done.filter { $0.kind == .loose }.isEmpty)
        #expect(summary.problems.map(\.kind) == [.damagedObject, .damagedObject])
        #expect(Set(summary.problems.map(\.subject)) == [clean.name, leak.name])
        // It is found, as what it is.
        #expect(occurrences.compactMap(\.object) == [leak.name])
    }

    /// The same for an object that is read as a stream.
    @Test func aLongLooseObjectIsCheckedToo() throws {
        let long = try write(String(repeating: "x", count: 200_000) + TestScan.prefix)
        let other = String(repeating: "0123456789", count: 4)
        try FileManager.default.createDirectory(
            atPath: file(of: other).removingLastComponent().string, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: long.file.string, toPath: file(of: other).string)
        var options = ScanOptions()
        options.streamingThreshold = 1 << 16
        var found: [Occurrence] = []
        let listing = try Scanner.list(folder.path, options: options)
        let summary = try Scanner.scan(listing, terms: SearchTerms(TestScan.terms), options: options) {
            found += $0.occurrences
        }
        #expect(found.compactMap(\.object) == [long.name])
        #expect(summary.problems.map(\.subject) == [other])
    }

    @Test(arguments: ["pack", "idx"])
    func aPackWithAFalseChecksumIsNotRemembered(_ kind: String) throws {
        try folder.write("a leak: \(TestScan.prefix)", to: "f")
        try git.commit("one")
        try git.git("repack", "-a", "-d", "-q")
        #expect(try scan().summary.isComplete)
        let packs = folder.path.appending(".git/objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.string)
        let file = packs.appending(try #require(names.first { $0.hasSuffix(".\(kind)") })).string
        var bytes = try Data(contentsOf: URL(filePath: file))
        // A byte that no reader of the objects looks at: the version of the pack, or a checksum of an entry in the index.
        if kind == "pack" { bytes[7] = 3 } else { bytes[bytes.count - 40 - 4 * 3 - 1] ^= 1 }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        try bytes.write(to: URL(filePath: file))
        let (occurrences, done, summary) = try scan()
        #expect(done.filter { $0.kind == .pack }.isEmpty)
        #expect(summary.problems.map(\.kind) == [.damagedPack], "\(Array(summary.problems))")
        #expect(!occurrences.isEmpty)
    }

    /// An index that gives the secret of one object to another, whose name other repositories have.
    @Test func anIndexThatExchangesNamesBlamesNoOtherObject() throws {
        let clean = try write("nothing is here")
        let leak = try write("a leak: \(TestScan.prefix)")
        let packs = folder.path.appending(".git/objects/pack")
        let made = try git.run(
            ["pack-objects", "-q", packs.appending("pack").string], input: Array("\(clean.name)\n\(leak.name)\n".utf8))
        let stem = "pack-" + String(decoding: made, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        try git.git("prune-packed")
        let path = packs.appending("\(stem).idx").string
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        // Of version 2: a header, the fan-out table, names, checksums of entries, then the offsets.
        let offsets = 8 + 1024 + 2 * 20 + 2 * 4
        bytes.replaceSubrange(
            offsets..<offsets + 8, with: bytes[offsets + 4..<offsets + 8] + bytes[offsets..<offsets + 4])
        let hash = ContentHash(idLength: 20)
        hash.add(bytes.span.extracting(droppingLast: 20))
        bytes.replaceSubrange(bytes.count - 20..<bytes.count, with: hash.finish())
        try Data(bytes).write(to: URL(filePath: path))
        let (occurrences, done, summary) = try scan()
        #expect(occurrences.compactMap(\.object) == [leak.name])
        #expect(done.filter { $0.kind == .pack }.isEmpty)
        #expect(summary.problems.map(\.kind) == [.damagedObject], "\(Array(summary.problems))")
    }

    /// Git's own names, of both kinds.
    @Test(arguments: ["sha1", "sha256"])
    func namesAreThoseOfGit(_ format: String) throws {
        let git = try Git.initialize(folder.path.appending(format), "--object-format=\(format)")
        for size in [0, 1, 63, 64, 65, 1000, 100_000] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let name = String(decoding: try git.run(["hash-object", "--stdin"], input: content), as: UTF8.self)
            let hash = ContentHash(idLength: format == "sha1" ? 20 : 32)
            hash.add([1, 2, 3].span)
            hash.restart()
            hash.addHeader(.blob, size: UInt64(size))
            hash.add(content.span.extracting(first: size / 2))
            hash.add(content.span.extracting(droppingFirst: size / 2))
            #expect(hash.finishID().hex + "\n" == name)
        }
    }
}
