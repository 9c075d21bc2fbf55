import Foundation
import GitRunner
import SystemPackage

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
    /// Every object of the repository, read by git: names and contents.
    static func objects(_ git: Git) throws -> [(name: String, bytes: ArraySlice<UInt8>)] {
        let all = try git.run(["cat-file", "--batch-all-objects", "--batch", "--unordered"])
        var found: [(String, ArraySlice<UInt8>)] = []
        var at = 0
        while let end = all[at...].firstIndex(of: UInt8(ascii: "\n")) {
            let words = all[at..<end].split(separator: UInt8(ascii: " "))
            guard words.count == 3, let size = Int(String(decoding: words[2], as: UTF8.self)) else { break }
            found.append((String(decoding: words[0], as: UTF8.self), all[(end + 1)..<(end + 1 + size)]))
            at = end + 1 + size + 1
        }
        return found
    }

    /// Examines every byte of every object.
    static func sightings(_ git: Git, _ terms: [SearchTerm]) throws -> Set<Sighting> {
        var found: Set<Sighting> = []
        for (name, bytes) in try objects(git) {
            for term in terms {
                for offset in positions(of: term.prefix, in: bytes) {
                    found.insert(Sighting(object: name, offset: UInt64(offset), term: term.id))
                }
            }
        }
        return found
    }

    /// Every occurrence of `needle`, found with the C library.
    static func positions(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> [Int] {
        var found: [Int] = []
        unsafe bytes.withUnsafeBytes { all in
            unsafe needle.withUnsafeBytes { needle in
                guard let start = all.baseAddress, let what = needle.baseAddress else { return }
                let first = unsafe CInt(needle[0])
                var at = 0
                while at + needle.count <= all.count {
                    let places = all.count - needle.count + 1 - at
                    guard let place = unsafe memchr(start + at, first, places) else { return }
                    let offset = unsafe UnsafeRawPointer(place) - start
                    if unsafe memcmp(start + offset, what, needle.count) == 0 { found.append(offset) }
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
        let (found, _, summary) = try scan(path, SearchTerms(terms), NoSecretsKnown(), change)
        return (found, summary)
    }

    /// The same, and which of the occurrences are complete secrets.
    static func scan(
        _ path: FilePath, _ terms: SearchTerms, _ recognizer: some SecretRecognizer,
        _ change: (inout ScanOptions) -> Void = { _ in }
    ) throws -> (sightings: Set<Sighting>, confirmed: Set<Sighting>, summary: ScanSummary) {
        var options = ScanOptions()
        options.allOccurrences = true
        options.searchesFiles = false
        change(&options)
        let listing = try Scanner.list(path, options: options)
        var found: Set<Sighting> = []
        var confirmed: Set<Sighting> = []
        let summary = try Scanner.scan(listing, terms: terms, recognizer: recognizer, options: options) { batch in
            for occurrence in batch.occurrences {
                guard let object = occurrence.object else { continue }
                let sighting = Sighting(object: object, offset: occurrence.offset, term: occurrence.term)
                found.insert(sighting)
                if case .confirmed = occurrence.grade { confirmed.insert(sighting) }
            }
        }
        return (found, confirmed, summary)
    }
}
