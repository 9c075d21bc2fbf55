import Foundation
import GitRunner
import Synchronization
import SystemPackage
import Testing

@testable import LeakScan

private func cut(_ path: FilePath, to length: UInt64) throws {
    let handle = try FileHandle(forWritingTo: URL(filePath: path.string))
    try handle.truncate(atOffset: length)
    try handle.close()
}

/// Packs are mapped, and their owner may truncate them at any time.
@Suite struct MappedPackTests {
    /// Truncates the pack when the first secret is looked up, during the scan.
    private final class Saboteur: SecretRecognizer {
        let pack: FilePath
        let cuts = Atomic<Int>(0)

        init(_ pack: FilePath) { self.pack = pack }

        func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? {
            if cuts.wrappingAdd(1, ordering: .relaxed).oldValue == 0 {
                #expect(throws: Never.self) { try cut(pack, to: 4096) }
            }
            return nil
        }
    }

    /// A repository with one pack of about 200 kB that holds the prefix in each of 40 files.
    private func makePack(_ folder: TemporaryFolder) throws -> FilePath {
        let git = try Git.initialize(folder.path)
        var noise = Noise(seed: 3)
        for number in 0..<40 {
            let random = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &noise) }
            try folder.write(TestScan.prefix + Data(random).base64EncodedString(), to: "f\(number)")
        }
        try git.commit("one")
        try git.git("gc", "--quiet")
        let packs = folder.path.appending(".git/objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.string)
        let pack = packs.appending(try #require(names.first { $0.hasSuffix(".pack") }))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pack.string)
        return pack
    }

    @Test(arguments: [1, 2]) func aPackThatIsCutShortInTheMiddleIsAProblem(threads: Int) throws {
        let folder = try TemporaryFolder()
        let pack = try makePack(folder)
        var options = ScanOptions()
        options.threads = threads
        options.searchesFiles = false
        let listing = try Scanner.list(folder.path, options: options)
        let saboteur = Saboteur(pack)
        var done: [ScanUnit] = []
        let summary = try Scanner.scan(
            listing, terms: try SearchTerms(TestScan.terms), recognizer: saboteur, options: options
        ) { done += $0.done }
        #expect(saboteur.cuts.load(ordering: .relaxed) > 0)
        #expect(!summary.isComplete)
        #expect(summary.problems.contains { $0.detail.contains("was truncated while it was read") })
        #expect(!done.contains { $0.kind == .pack })
    }

    @Test func whatIsReadIsWhatIsMapped() throws {
        let folder = try TemporaryFolder()
        _ = try makePack(folder)
        for threads in [1, 2] {
            let mapped = try Oracle.scan(folder.path, TestScan.terms) { $0.threads = threads }
            let read = try Oracle.scan(folder.path, TestScan.terms) {
                $0.threads = threads
                $0.mapsPacks = false
            }
            #expect(mapped.sightings.count == 40)
            #expect(mapped.sightings == read.sightings)
            #expect(read.summary.isComplete)
        }
    }

    @Test func whatIsGoneIsAnError() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("file")
        try folder.write(String(repeating: "0123456789abcdef", count: 1024), to: "file")
        let file = try InputFile(path)
        let mapped = try #require(MappedFile(file, length: 16384)).reader()
        let buffer = ByteBuffer(capacity: 32768)
        try mapped.read(at: 16380, count: 100, into: buffer)
        #expect(Array(copying: buffer.bytes) == Array("cdef".utf8))
        try mapped.read(at: 20000, count: 100, into: buffer)
        #expect(buffer.count == 4)
        try cut(path, to: 5000)
        for _ in 0..<2 {
            #expect(throws: Errno.ioError) { try mapped.read(at: 4000, count: 8000, into: buffer) }
        }
        // Nothing more is read, not even what is still present.
        buffer.reset(capacity: 100)
        #expect(throws: Errno.ioError) { try mapped.read(at: 16, count: 16, into: buffer) }
        #expect(throws: Errno.ioError) { try mapped.read(at: 8192, count: 16, into: buffer) }
        #expect(buffer.count == 0)
    }
}
