import Synchronization
import SystemPackage

@testable import LeakScan

/// Knows some secrets by their text, which only a test may do.
struct KnownSecrets: SecretRecognizer {
    let secrets: [[UInt8]: Int64]

    init(_ secrets: [String: Int64]) {
        self.secrets = Dictionary(uniqueKeysWithValues: secrets.map { (Array($0.key.utf8), $0.value) })
    }

    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? {
        var bytes: [UInt8] = []
        for index in candidate.indices { bytes.append(candidate[index]) }
        return secrets[bytes]
    }

    /// Like that of a store, it distinguishes how a secret is written.
    func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String? {
        secret.map { secret in "\(secret)-\(candidate.count)" }
    }
}

/// Remembers units as a store would.
final class UnitMemory: ScanMemory {
    let done = Mutex<Set<ScanUnit>>([])
    let blobs = Mutex<Set<String>>([])

    func blobsWithHits() -> [String] { Array(blobs.withLock(\.self)) }

    func areDone(_ units: [ScanUnit]) -> [Bool] {
        done.withLock { known in units.map { known.contains($0) } }
    }

    func identities(of kind: ScanUnit.Kind, startingWith start: [UInt8], most: Int) -> [[UInt8]] {
        let known = done.withLock { $0.filter { $0.kind == kind && $0.identity.starts(with: start) } }
        return Array(known.map(\.identity).prefix(most))
    }

    func remember(_ batch: ScanBatch) {
        done.withLock { $0.formUnion(batch.done) }
        blobs.withLock { $0.formUnion(batch.occurrences.filter { $0.source == .blob }.flatMap(\.objects)) }
    }
}

/// A scan as in the product.
struct TestScan {
    static let prefix = "kv_live_Ab3dE6gH_"
    static let secret = "kv_live_Ab3dE6gH_0123456789abcdefghijABCDEFGHIJ"
    static let terms = [SearchTerm(id: 11, prefix: Array(prefix.utf8), secretLengths: [secret.utf8.count])]

    var occurrences: [Occurrence] = []
    var summary = ScanSummary()

    init(
        _ path: FilePath, terms: [SearchTerm] = terms, memory: UnitMemory = UnitMemory(),
        control: ScanControl = ScanControl(), at instant: Int64 = Scanner.fileClock() + 10_000_000_000,
        _ change: (inout ScanOptions) -> Void = { _ in }
    ) throws {
        var options = ScanOptions()
        change(&options)
        let listing = try Scanner.list(path, options: options, at: instant)
        var found: [Occurrence] = []
        summary = try Scanner.scan(
            listing, terms: try SearchTerms(terms), recognizer: KnownSecrets([Self.secret: 99]),
            memory: memory,
            options: options, control: control
        ) { batch in
            found += batch.occurrences
            memory.remember(batch)
        }
        occurrences = found
    }

    func only(_ source: Occurrence.Source) -> [Occurrence] { occurrences.filter { $0.source == source } }
}
