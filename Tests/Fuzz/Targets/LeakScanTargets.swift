import Foundation
import SystemPackage

@testable import LeakScan

/// What the scanner reads of repositories.
enum LeakScanTargets {
    static let all: [FuzzTarget] = [
        FuzzTarget("idx", seeds: { try [GitSeeds.repository().index, GitSeeds.repository().oldIndex] }, run: index),
        FuzzTarget("midx", seeds: { [try GitSeeds.repository().multiPackIndex] }, run: multiPackIndex),
        FuzzTarget("entry", seeds: { try GitSeeds.repository().loose.map { [0xb5, 0x0a, 0x6e] + $0.prefix(40) } }) {
            for length in [20, 32] { _ = try? PackEntryHeader($0.span, idLength: length) }
        },
        FuzzTarget("delta", seeds: { DeltaTarget.seeds }, run: DeltaTarget.run),
        FuzzTarget("pack", seeds: { [try GitSeeds.repository().pack] }, run: pack),
        FuzzTarget("loose", seeds: { try GitSeeds.repository().loose }, run: loose),
        FuzzTarget("tree", seeds: { try GitSeeds.repository().trees }, run: tree),
        FuzzTarget("commit", seeds: { try GitSeeds.repository().commits + GitSeeds.repository().tags }) {
            _ = CommitLinks($0.span)
            _ = Commit.author($0.span)
            _ = Tag($0.span)
        },
        FuzzTarget("staged", seeds: { [try GitSeeds.repository().staged] }) {
            for length in [20, 32] { _ = try? GitIndexFile($0, idLength: length) }
        },
        FuzzTarget("gitconfig", seeds: { [try GitSeeds.repository().config] }) { _ = GitConfig($0).objectFormat() },
        FuzzTarget("archive", seeds: { try ArchiveTarget.seeds() }, run: ArchiveTarget.run),
        FuzzTarget("text", seeds: { TextTarget.seeds }, run: TextTarget.run),
    ]

    private static let terms = try? SearchTerms([SearchTerm(id: 1, prefix: Array("kv_live_Ab3dE6gH_".utf8))])

    /// Calls `body` with the path of a file that holds `bytes`, in memory.
    static func withFile(_ bytes: [UInt8], named name: String, _ body: (FilePath) -> Void) {
        let folder = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
        let path = "\(folder)/keyvigil-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return }
        defer { try? FileManager.default.removeItem(atPath: path) }
        body(FilePath(path))
    }

    static func index(_ bytes: [UInt8]) {
        withFile(bytes, named: "idx") { path in
            for length in [20, 32] {
                if let index = try? PackIndex(path, idLength: length) { check(index) }
            }
        }
    }

    static func multiPackIndex(_ bytes: [UInt8]) {
        withFile(bytes, named: "midx") { path in
            for length in [20, 32] {
                guard let index = try? MultiPackIndex(path, idLength: length) else { continue }
                for number in 0..<min(4, index.packCount) {
                    let trailer = [UInt8](repeating: 0, count: length)
                    guard let pack = try? index.index(ofPack: number, trailer: trailer, most: 1 << 16) else { continue }
                    check(pack)
                }
            }
        }
    }

    private static func check(_ index: PackIndex) {
        guard index.count < 1 << 16, let names = try? PackNames(index) else { return }
        let offsets = try? index.offsets(in: ScratchSpace())
        for position in 0..<index.count {
            if let offset = try? index.offset(at: position), let offsets, offsets[position] != offset {
                FuzzFailure.stop("two ways to read an offset differ")
            }
            _ = names.position(of: names.name(at: position))
        }
    }

    /// A pack, and an index made for it that names entries where the seed's were.
    static func pack(_ bytes: [UInt8]) {
        guard bytes.count > 40, let seed = try? GitSeeds.repository() else { return }
        var index = seed.index
        index.replaceSubrange((index.count - 40)..<(index.count - 20), with: bytes.suffix(20))
        let folder = FilePath("/dev/shm/keyvigil-fuzz-\(ProcessInfo.processInfo.processIdentifier).git")
        let packs = folder.appending("objects").appending("pack")
        try? FileManager.default.createDirectory(atPath: packs.string, withIntermediateDirectories: true)
        try? FileManager.default.createDirectory(
            atPath: folder.appending("refs").string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let files = [
            (folder.appending("HEAD"), Array("ref: refs/heads/main\n".utf8)), (packs.appending("pack-1.pack"), bytes),
            (packs.appending("pack-1.idx"), index),
        ]
        for (path, content) in files {
            guard FileManager.default.createFile(atPath: path.string, contents: Data(content)) else { return }
        }
        var options = ScanOptions()
        options.threads = 1
        options.mostRebuilt = 64 << 20
        options.longestObject = 64 << 20
        guard let terms, let listing = try? Scanner.list(folder, options: options) else { return }
        _ = try? Scanner.scan(listing, terms: terms, options: options) { _ in }
    }

    static func loose(_ bytes: [UInt8]) {
        withFile(bytes, named: "loose") { path in
            let reader = LooseReader()
            let output = ByteBuffer()
            guard let header = try? reader.read(path, limit: 1 << 20, into: output) else { return }
            guard let terms else { return }
            let finder = HitFinder(terms: terms, recognizer: NoSecretsKnown(), engine: .seams)
            var search = StreamSearch(SearchContext(finder: finder))
            try? reader.stream(
                path, header, into: &search, limit: 1 << 24, control: ScanControl(), hash: ContentHash(idLength: 20))
        }
    }

    static func tree(_ bytes: [UInt8]) {
        for length in [20, 32] {
            var ids: [ObjectID] = []
            Tree.forEach(bytes.span, idLength: length) { ids.append($2) }
            var graph = TreeGraph(idLength: length, in: ScratchSpace())
            graph.add(0, bytes.span, copied: [], IDHeads(ids, in: ScratchSpace()))
            var noted: Set<Int> = []
            graph.forEachNew(IDHeads(ids, in: ScratchSpace())) { _, id, _ in noted.insert(id) }
            if noted.count < Set(ids).count { FuzzFailure.stop("an id of a tree was not noted") }
        }
    }
}
