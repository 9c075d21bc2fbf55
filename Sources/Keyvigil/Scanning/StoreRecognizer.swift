internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization
internal import SystemPackage

/// Tells the scanner whether a candidate is a secret of the store, or may be one.
///
/// A secret of the store has its own id, above 0. What may be one has a number below 0 that this scan gave it.
final class StoreRecognizer: SecretRecognizer {
    private let store: Store
    private let keeper: CandidateKeeper?
    private let forms: UnregisteredForms?
    private let failure = Mutex<(any Error)?>(nil)
    private let probable = Mutex(Probable())
    private let unregistered = Mutex(Unregistered())
    private let known = Mutex(Known())

    /// What was asked of the store. A file of the same prefix a hundred thousand times asks for one candidate; it is kept as its
    /// keyed hash. Secrets that come later are not what this scan looks for.
    private struct Known {
        struct Candidate: Hashable {
            let hash: SecretHash
            let term: Int64
        }

        var holdsDigests: Bool?
        /// The issuers of keys that are known by a prefix alone, by the term; nil where none is.
        var issuers: [Int64: String?] = [:]
        var verdicts: [Candidate: Int64?] = [:]

        /// More verdicts are not kept at once.
        static let mostVerdicts = 4096

        mutating func note(_ verdict: Int64?, of candidate: Candidate) {
            if verdicts.count >= Self.mostVerdicts { verdicts.removeAll(keepingCapacity: true) }
            verdicts[candidate] = .some(verdict)
        }
    }

    private struct Probable {
        var numbers: [SecretHash: Int64] = [:]
        var hashes: [SecretHash] = []

        mutating func number(of hash: SecretHash) -> Int64 {
            if let number = numbers[hash] { return number }
            hashes.append(hash)
            let number = -Int64(hashes.count)
            numbers[hash] = number
            return number
        }
    }

    /// Secrets of a known form that belong to no key of the store.
    private struct Unregistered {
        struct Secret {
            let issuer: String
            let prefix: String
            let hash: SecretHash
        }

        /// A secret of a key has its own number, another one a number below 0.
        var numbers: [SecretHash: Int64] = [:]
        var secrets: [Secret] = []

        /// The hashes of candidates that are secrets of keys.
        var registered: Set<SecretHash> = []
        /// Whether some were left out.
        var isCutShort = false

        /// The maximum number of different secrets in one scan; further ones are left out.
        static let most = 100_000
    }

    /// - Parameters:
    ///   - keeper: gets the secrets that are found, to ask their issuers about them.
    ///   - forms: the forms of secrets that are searched for.
    init(_ store: Store, keeper: CandidateKeeper? = nil, forms: UnregisteredForms? = nil) {
        self.store = store
        self.keeper = keeper
        self.forms = forms
    }

    func recognize(shape: Int64, candidate: Span<UInt8>) -> Int64? {
        guard let issuer = forms?.issuer(of: shape), let length = issuer.shape.prefixLength(ofUnregistered: candidate)
        else { return nil }
        let hash = store.hash(of: candidate)
        if let known = unregistered.withLock({ $0.numbers[hash] }) { return known }
        do {
            let secret = try store.secret(recognizing: candidate, hash: hash, holdsDigests: try holdsDigests())
            if let secret { keeper?.keep(candidate, term: secret) }
            let prefix = String(decoding: (0..<length).map { candidate[$0] }, as: UTF8.self)
            return unregistered.withLock { unregistered in
                if let known = unregistered.numbers[hash] { return known }
                guard unregistered.numbers.count < Unregistered.most else {
                    unregistered.isCutShort = true
                    return nil
                }
                let number: Int64
                if let secret {
                    unregistered.registered.insert(hash)
                    number = secret
                } else {
                    unregistered.secrets.append(.init(issuer: issuer.name, prefix: prefix, hash: hash))
                    number = -Int64(unregistered.secrets.count)
                }
                unregistered.numbers[hash] = number
                return number
            }
        } catch {
            failure.withLock { $0 = $0 ?? error }
            return nil
        }
    }

    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? {
        let hash = store.hash(of: candidate)
        let asked = Known.Candidate(hash: hash, term: term)
        if let verdict = known.withLock({ $0.verdicts[asked] }) { return verdict }
        do {
            let verdict = try verdict(on: candidate, hash, term)
            known.withLock { $0.note(verdict, of: asked) }
            return verdict
        } catch {
            failure.withLock { $0 = $0 ?? error }
            return nil
        }
    }

    private func verdict(on candidate: Span<UInt8>, _ hash: SecretHash, _ term: Int64) throws -> Int64? {
        if let secret = try store.secret(recognizing: candidate, hash: hash, holdsDigests: try holdsDigests()) {
            keeper?.keep(candidate, term: secret)
            unregistered.withLock { if $0.registered.count < Unregistered.most { $0.registered.insert(hash) } }
            return secret
        }
        guard let issuer = try issuer(ofKeyKnownByPrefixAlone: term), store.isProbable(candidate, of: issuer) else {
            return nil
        }
        keeper?.keep(candidate, term: term)
        return probable.withLock { $0.number(of: hash) }
    }

    private func holdsDigests() throws -> Bool {
        if let known = known.withLock({ $0.holdsDigests }) { return known }
        let answer = try store.holdsDigests()
        known.withLock { $0.holdsDigests = answer }
        return answer
    }

    private func issuer(ofKeyKnownByPrefixAlone term: Int64) throws -> String? {
        if let known = known.withLock({ $0.issuers[term] }) { return known }
        let answer = try store.issuer(ofKeyKnownByPrefixAlone: term)
        known.withLock { $0.issuers[term] = .some(answer) }
        return answer
    }

    func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String? {
        if secret != nil { return store.alias(of: candidate) }
        do {
            return try store.isKnownByPrefixAlone(prefixOf: term) ? store.alias(of: candidate) : nil
        } catch {
            failure.withLock { $0 = $0 ?? error }
            return store.alias(of: candidate)
        }
    }

    /// What the scanner saw of a secret that belongs to no key; nil for an occurrence of another kind.
    func unregistered(_ occurrence: Occurrence, in target: FilePath, _ mask: NameMask) -> UnregisteredSecret? {
        guard occurrence.term < 0, case .confirmed(let number) = occurrence.grade, number < 0 else { return nil }
        let secret = unregistered.withLock { $0.secrets[Int(-number - 1)] }
        var sighting = Sighting(occurrence, in: target, mask)
        sighting.prefixID = 0
        sighting.secretID = nil
        return UnregisteredSecret(
            issuer: secret.issuer, prefix: secret.prefix, hash: secret.hash, sighting: sighting)
    }

    /// The hashes of what was found and belongs to a key.
    var registered: Set<SecretHash> {
        unregistered.withLock { $0.registered }
    }

    /// What is to be said of secrets of a known form that were left out; nil where none was.
    var leftOut: String? {
        guard unregistered.withLock({ $0.isCutShort }) else { return nil }
        return
            "it holds more than \(Unregistered.most) different texts of the form of a secret; of those that belong to no key, the others are not listed"
    }

    /// What the scanner saw, as the store keeps it.
    ///
    /// - Parameters:
    ///   - target: what was scanned.
    ///   - mask: of the same prefixes.
    func sighting(_ occurrence: Occurrence, in target: FilePath, _ mask: NameMask) -> Sighting {
        var sighting = Sighting(occurrence, in: target, mask)
        if case .confirmed(let number) = occurrence.grade, number > 0, occurrence.term < 0 {
            // It was found by the shape of its issuer's secrets, not by a prefix.
            sighting.prefixID = number
        } else if case .confirmed(let number) = occurrence.grade, number < 0 {
            sighting.secretID = nil
            sighting.candidate = probable.withLock { $0.hashes[Int(-number - 1)] }
        }
        return sighting
    }

    /// Throws what went wrong in a look-up: the answers since then were guesses and must not be remembered.
    func check() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// What the store remembers of earlier scans, as the scanner asks for it. What something was found in is remembered for each
/// watched place by itself: it is a finding of each that holds it, or borrows it, under the rules of each.
struct StoreScanMemory: ScanMemory {
    let store: Store
    /// The place, as it is stored.
    let place: String
    /// Whether files of a worktree are remembered too. A person who asks for a scan learns what is there now.
    let remembersFiles: Bool
    /// The number of the set of forms that are searched for, or of the way of searching where there are none.
    let forms: Int64
    let now: @Sendable () -> Instant

    func areDone(_ units: [ScanUnit]) throws -> [Bool] {
        if !remembersFiles, units.first?.isOfFile ?? false { return .init(repeating: false, count: units.count) }
        let instant = now()
        let recalled = try store.recall(
            units.map { unit in
                unit.place.isEmpty ? SearchedUnit(unit) : SearchedUnit(unit, under: place)
            }, forms: forms, at: instant)
        try store.ledger.noteSeen(recalled.fading, at: instant)
        return recalled.areSearched
    }

    func identities(of kind: ScanUnit.Kind, startingWith start: [UInt8], most: Int) throws -> [[UInt8]] {
        let found = try store.identities(ofUnits: kind.rawValue, startingWith: start, most: most)
        // They are seen, so that they are not forgotten.
        let instant = now()
        let recalled = try store.recall(found.map { SearchedUnit(kind: kind.rawValue, identity: $0) }, at: instant)
        try store.ledger.noteSeen(recalled.fading, at: instant)
        return found
    }

    func blobsWithHits() throws -> [String] { try store.blobsWithFindings() }

    /// As what a unit is remembered once it is done.
    func remembered(_ unit: ScanUnit) -> [SearchedUnit] {
        if unit.isOfFile { return remembersFiles ? [SearchedUnit(unit)] : [] }
        return [unit.place.isEmpty ? SearchedUnit(unit) : SearchedUnit(unit, under: place)]
    }
}

extension ScanUnit {
    /// Whether it is a file, or a part of one, that a person sees.
    fileprivate var isOfFile: Bool { kind == .file || kind == .journal }
}

extension SearchedUnit {
    fileprivate init(_ unit: ScanUnit) {
        self.init(kind: unit.kind.rawValue, identity: unit.identity + unit.place)
    }

    fileprivate init(_ unit: ScanUnit, under place: String) {
        self.init(kind: unit.kind.rawValue, identity: unit.identity + unit.place + place.utf8)
    }
}
