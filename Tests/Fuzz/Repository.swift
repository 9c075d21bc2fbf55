import Foundation
import LeakScan
import SystemPackage

/// A small repository in memory (/dev/shm), made with git, with a key in a file, a message and a tag; in a pack and loose.
final class Repository: @unchecked Sendable {
    // libFuzzer calls from one thread only.
    static let shared = try? Repository()

    /// A file of the repository that an input takes the place of.
    enum Place: CaseIterable {
        case pack, packIndex, multiPackIndex, index, looseObject, config, packedRefs, alternates, head
    }

    private let root: URL
    private let terms: SearchTerms
    private var paths: [Place: URL] = [:]
    private var originals: [Place: [UInt8]] = [:]
    private static let prefix = "kv_fuzz_0123_"

    private struct Failure: Error {}

    private init() throws {
        root = URL(filePath: "/dev/shm/keyvigil-fuzz-\(getpid())")
        terms = try SearchTerms([SearchTerm(id: 1, prefix: Array(Self.prefix.utf8), secretLengths: [19])])
        let root = self.root
        let git = root.appending(path: ".git")
        try Self.shell(
            """
            set -e; rm -rf '\(root.path)'; mkdir -p '\(root.path)'; cd '\(root.path)'
            export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Dan GIT_AUTHOR_EMAIL=d@example.org
            export GIT_COMMITTER_NAME=Dan GIT_COMMITTER_EMAIL=d@example.org
            git init -q -b main; mkdir folder
            for i in 1 2 3 4; do
                seq 200 > list.txt; echo "\(Self.prefix)abcdef $i" >> list.txt; cp list.txt folder/copy.txt
                git add -A; git commit -q -m "change $i \(Self.prefix)"
            done
            git tag -a -m 'a tag \(Self.prefix)' v1; git gc -q; git multi-pack-index write 2> /dev/null || true
            chmod -R u+w .git; echo \(Self.prefix)loose | git hash-object -w --stdin > /dev/null
            """)
        let packs = git.appending(path: "objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.path)
        guard let pack = names.first(where: { $0.hasSuffix(".pack") }) else { throw Failure() }
        paths = [
            .pack: packs.appending(path: pack),
            .packIndex: packs.appending(path: String(pack.dropLast(4)) + "idx"),
            .multiPackIndex: packs.appending(path: "multi-pack-index"), .index: git.appending(path: "index"),
            .config: git.appending(path: "config"), .packedRefs: git.appending(path: "packed-refs"),
            .alternates: git.appending(path: "objects/info/alternates"), .head: git.appending(path: "HEAD"),
            .looseObject: git.appending(path: "objects/aa/" + String(repeating: "b", count: 38)),
        ]
        try FileManager.default.createDirectory(
            at: git.appending(path: "objects/aa"), withIntermediateDirectories: true)
        for (place, url) in paths { originals[place] = (try? Data(contentsOf: url)).map { Array($0) } }
        originals[.looseObject] = Self.loose("blob", Array((Self.prefix + "abcdef\n").utf8))
        originals[.alternates] = Array("../../other/.git/objects\n# a comment\n".utf8)
    }

    func original(_ place: Place) -> [UInt8]? { originals[place] }

    /// Scans with the input in the place of a file, which is put back afterwards.
    func scan(replacing place: Place, with bytes: [UInt8]) {
        guard let url = paths[place] else { return }
        try? Data(bytes).write(to: url)
        _ = scan(root)
        if let original = originals[place], place != .looseObject, place != .alternates {
            try? Data(original).write(to: url)
        } else {
            try? FileManager.default.removeItem(at: url)
        }
    }

    /// The objects of a kind in the repository, as seeds.
    func objects(_ kind: String) -> [[UInt8]] {
        let name = ["tree": "HEAD^{tree}", "commit": "HEAD", "tag": "v1"][kind] ?? "HEAD"
        let bytes = try? Self.shell("cd '\(root.path)'; git cat-file \(kind) \(name)")
        return bytes.map { [$0] } ?? []
    }

    /// Scans with a loose object of this content that HEAD names: found hits are followed through it.
    func scan(_ kind: String, payload: [UInt8]) {
        scan(loose: [(kind, payload)], head: String(repeating: "a", count: 2) + String(repeating: "b", count: 38))
    }

    private func scan(loose objects: [(kind: String, payload: [UInt8])], head: String) {
        guard let url = paths[.looseObject], let headFile = paths[.head] else { return }
        for (kind, payload) in objects { try? Data(Self.loose(kind, payload)).write(to: url) }
        try? Data((head + "\n").utf8).write(to: headFile)
        _ = scan(root)
        try? FileManager.default.removeItem(at: url)
        if let original = originals[.head] { try? Data(original).write(to: headFile) }
    }

    /// A delta that makes `Z`, then the whole base.
    var delta: [UInt8] { [UInt8(base.count), UInt8(base.count + 1), 1, UInt8(ascii: "Z"), 0x90, UInt8(base.count)] }

    private var base: [UInt8] { Array((Self.prefix + "abcdef and more\n").utf8) }

    /// Scans a pack of two entries: a blob, and a delta on it whose instructions are the input.
    func scan(delta: [UInt8]) {
        let folder = root.appending(path: "delta/objects/pack")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try? FileManager.default.createDirectory(
            at: root.appending(path: "delta/refs"), withIntermediateDirectories: true)
        try? Data("ref: refs/heads/main\n".utf8).write(to: root.appending(path: "delta/HEAD"))
        let first = Self.header(type: 3, size: base.count) + Self.stored(base)
        let second = Self.header(type: 6, size: delta.count) + Self.distance(first.count) + Self.stored(delta)
        let pack = Array("PACK".utf8) + Self.word(2) + Self.word(2) + first + second + [UInt8](repeating: 0, count: 20)
        let names = [[UInt8](repeating: 0x11, count: 20), [UInt8](repeating: 0x22, count: 20)]
        var index: [UInt8] = [0xFF, 0x74, 0x4F, 0x63] + Self.word(2)
        for byte in 0..<256 { index += Self.word(byte < 0x11 ? 0 : byte < 0x22 ? 1 : 2) }
        index += names.joined() + Self.word(0) + Self.word(0) + Self.word(12) + Self.word(12 + first.count)
        index += [UInt8](repeating: 0, count: 40)
        try? Data(pack).write(to: folder.appending(path: "pack-fuzz.pack"))
        try? Data(index).write(to: folder.appending(path: "pack-fuzz.idx"))
        _ = scan(root.appending(path: "delta"))
    }

    /// Searches a file with every engine: all must find the same.
    func compareEngines(on bytes: [UInt8]) {
        let folder = root.appending(path: "content")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try? Data(bytes).write(to: folder.appending(path: "file"))
        let found = ScanOptions.Engine.allCases.map { engine in
            var options = ScanOptions()
            options.engine = engine
            options.allOccurrences = true
            return scan(folder, options)
        }
        for other in found.dropFirst() { require(other == found[0]) }
    }

    /// Scans, and returns what was found where.
    private func scan(_ place: URL, _ options: ScanOptions = ScanOptions()) -> [String] {
        var found: [String] = []
        guard let listing = try? Scanner.list(FilePath(place.path), options: options) else { return [] }
        _ = try? Scanner.scan(listing, terms: terms, options: options) { batch in
            found += batch.occurrences.map { "\($0.source) \($0.object ?? "") \($0.offset) \($0.form)" }
        }
        return found.sorted()
    }

    // MARK: - Objects, by the formats of git (gitformat-pack(5), gitformat-loose)

    private static func loose(_ kind: String, _ payload: [UInt8]) -> [UInt8] {
        stored(Array("\(kind) \(payload.count)\0".utf8) + payload)
    }

    /// A zlib stream without compression (RFC 1950, RFC 1951 section 3.2.4), so that changed bytes stay readable.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(65_535)
            rest = rest.dropFirst(part.count)
            let count = UInt16(part.count)
            stream += [
                rest.isEmpty ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8),
            ]
            stream += part
        } while !rest.isEmpty
        var (low, high) = (1, 0)
        for byte in bytes {
            low = (low + Int(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return stream + word(high << 16 | low)
    }

    private static func word(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func header(type: Int, size: Int) -> [UInt8] {
        var bytes = [UInt8(type << 4 | size & 15)]
        var rest = size >> 4
        while rest > 0 {
            bytes[bytes.count - 1] |= 0x80
            bytes.append(UInt8(rest & 0x7F))
            rest >>= 7
        }
        return bytes
    }

    /// The offset of an OFS_DELTA entry's base.
    private static func distance(_ value: Int) -> [UInt8] {
        var bytes = [UInt8(value & 0x7F)]
        var rest = value >> 7
        while rest > 0 {
            rest -= 1
            bytes.insert(UInt8(0x80 | rest & 0x7F), at: 0)
            rest >>= 7
        }
        return bytes
    }

    @discardableResult
    private static func shell(_ script: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return Array(data)
    }
}
