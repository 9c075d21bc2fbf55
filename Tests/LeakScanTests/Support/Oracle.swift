import CSubstring
import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// An occurrence of a prefix according to a brute-force search of every object that git can list.
struct Sighting: Hashable, Comparable, CustomStringConvertible {
    var object: String
    var offset: UInt64
    var term: Int64

    var description: String { "\(object) at \(offset): term \(term)" }

    static func < (left: Sighting, right: Sighting) -> Bool {
        (left.object, left.offset, left.term) < (right.object, right.offset, right.term)
    }
}

enum Oracle {
    /// The name and the size of every object, sorted by name.
    static func names(_ git: Git) throws -> [(name: String, size: Int)] {
        try git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objectsize)")
            .split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 ? Int(words[1]).map { (String(words[0]), $0) } : nil
            }.sorted { $0.name < $1.name }
    }

    /// One object, read by git.
    static func object(_ git: Git, _ name: String) throws -> [UInt8] {
        var found: [UInt8] = []
        try read(git, ["cat-file", "--batch"], input: Array("\(name)\n".utf8)) { _, bytes in found = Array(bytes) }
        return found
    }

    /// Examines every byte of every object.
    static func sightings(_ git: Git, _ terms: [SearchTerm]) throws -> Set<Sighting> {
        var found: Set<Sighting> = []
        try read(git, ["cat-file", "--batch-all-objects", "--batch", "--unordered"]) { name, bytes in
            for term in terms {
                for offset in positions(of: term.prefix, in: bytes) {
                    found.insert(Sighting(object: name, offset: UInt64(offset), term: term.id))
                }
            }
        }
        return found
    }

    /// The name and the content of each object that `git cat-file --batch` writes.
    private static func read(
        _ git: Git, _ arguments: [String], input: [UInt8] = [], _ body: (String, ArraySlice<UInt8>) -> Void
    ) throws {
        var pending: [UInt8] = []
        try unsafe git.read(arguments, input: input) { piece in
            unsafe pending.append(contentsOf: piece)
            var at = 0
            while let (name, content) = object(in: pending, at: at), content.upperBound < pending.count {
                body(name, pending[content])
                at = content.upperBound + 1
            }
            pending.removeSubrange(..<at)
        }
        try #require(pending.isEmpty, "the last object is incomplete")
    }

    /// The name and the position of the content of the object whose header starts at `start`; nil as long as the header is
    /// not complete.
    private static func object(in bytes: [UInt8], at start: Int) -> (name: String, content: Range<Int>)? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = bytes[start..<end].split(separator: UInt8(ascii: " "))
        guard words.count == 3, let size = Int(String(decoding: words[2], as: UTF8.self)) else { return nil }
        return (String(decoding: words[0], as: UTF8.self), (end + 1)..<(end + 1 + size))
    }

    /// Every occurrence of `needle`, found with the C library.
    static func positions(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> [Int] {
        var found: [Int] = []
        unsafe bytes.withUnsafeBytes { all in
            unsafe needle.withUnsafeBytes { needle in
                guard let start = all.baseAddress, let what = needle.baseAddress else { return }
                var at = 0
                while let place = unsafe memmem(start + at, all.count - at, what, needle.count) {
                    let offset = unsafe UnsafeRawPointer(place) - start
                    found.append(offset)
                    at = offset + 1
                }
            }
        }
        return found
    }

    /// The result of a scan of the objects of the repository.
    static func scan(
        _ path: FilePath, _ terms: [SearchTerm], _ change: (inout ScanOptions) -> Void = { _ in }
    ) throws -> (sightings: Set<Sighting>, summary: ScanSummary) {
        let (found, _, summary) = try scan(path, SearchTerms(terms), NoSecretsKnown(), changing: change)
        return (found, summary)
    }

    /// The same, without what only a scan sees, since ``sightings(_:_:)`` opens no archive and decodes no form.
    static func scanOfBytes(
        _ path: FilePath, _ terms: [SearchTerm], _ change: (inout ScanOptions) -> Void
    ) throws -> (sightings: Set<Sighting>, summary: ScanSummary) {
        let (found, _, summary) = try scan(path, SearchTerms(terms), NoSecretsKnown(), changing: change) {
            $0.form == .plain && !($0.path?.string.contains("!/") ?? false)
        }
        return (found, summary)
    }

    /// The same, and which of the occurrences are complete secrets.
    static func scan(
        _ path: FilePath, _ terms: SearchTerms, _ recognizer: some SecretRecognizer,
        changing change: (inout ScanOptions) -> Void = { _ in }, where isCounted: (Occurrence) -> Bool = { _ in true }
    ) throws -> (sightings: Set<Sighting>, confirmed: Set<Sighting>, summary: ScanSummary) {
        var options = ScanOptions()
        options.allOccurrences = true
        options.searchesFiles = false
        change(&options)
        let listing = try Scanner.list(path, options: options)
        var found: Set<Sighting> = []
        var confirmed: Set<Sighting> = []
        let summary = try Scanner.scan(listing, terms: terms, recognizer: recognizer, options: options) { batch in
            for occurrence in batch.occurrences where isCounted(occurrence) {
                guard let object = occurrence.object else { continue }
                let sighting = Sighting(object: object, offset: occurrence.offset, term: occurrence.term)
                found.insert(sighting)
                if case .confirmed = occurrence.grade { confirmed.insert(sighting) }
            }
        }
        return (found, confirmed, summary)
    }

    /// What each engine finds, in a scan that is complete; the one that goes by seams also with little memory.
    static func scanByEachEngine(
        _ path: FilePath, _ terms: SearchTerms, _ recognizer: some SecretRecognizer
    ) throws -> [(name: String, sightings: Set<Sighting>)] {
        try ScanOptions.Engine.allCases.flatMap { engine in
            try (engine == .seams ? [24 << 20, 2_000] : [24 << 20]).map { memory in
                let (found, _, summary) = try scan(path, terms, recognizer) {
                    $0.engine = engine
                    $0.memoryPerThread = memory
                    if memory < 24 << 20 { $0.threads = 1 }
                }
                #expect(summary.isComplete, "\(summary.problems)")
                return ("\(engine), \(memory) bytes", found)
            }
        }
    }
}
