internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization

/// Tells the scanner whether a candidate is a secret of the store.
final class StoreRecognizer: SecretRecognizer {
    private let store: Store
    private let failure = Mutex<(any Error)?>(nil)

    init(_ store: Store) { self.store = store }

    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? {
        do { return try store.secret(recognizing: candidate) } catch {
            failure.withLock { $0 = $0 ?? error }
            return nil
        }
    }

    /// Throws what went wrong in a look-up: the answers since then were guesses and must not be remembered.
    func check() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// What the store remembers of earlier scans, as the scanner asks for it.
struct StoreScanMemory: ScanMemory {
    let store: Store
    let target: ScanTarget
    /// Whether files of a worktree are remembered too, and what was found under another name of the same place. A person who
    /// asks for a scan is told what stands there now.
    let remembersFiles: Bool

    func areDone(_ units: [ScanUnit]) throws -> [Bool] {
        if !remembersFiles, units.first?.kind == .file { return .init(repeating: false, count: units.count) }
        return try store.areSearched(
            units.map { unit in
                remembersFiles || unit.place.isEmpty ? SearchedUnit(unit) : SearchedUnit(unit, under: target)
            })
    }

    func blobsWithHits() throws -> [String] { try store.blobsWithFindings() }

    /// As what a unit is remembered once it is done.
    func remembered(_ unit: ScanUnit) -> [SearchedUnit] {
        if unit.kind == .file { return remembersFiles ? [SearchedUnit(unit)] : [] }
        return unit.place.isEmpty ? [SearchedUnit(unit)] : [SearchedUnit(unit), SearchedUnit(unit, under: target)]
    }
}

extension SearchedUnit {
    fileprivate init(_ unit: ScanUnit) {
        self.init(kind: unit.kind.rawValue, identity: unit.identity + unit.place)
    }

    fileprivate init(_ unit: ScanUnit, under target: ScanTarget) {
        self.init(kind: unit.kind.rawValue, identity: unit.identity + unit.place + target.path.utf8)
    }
}
