/// The prefixes of one scan, arranged for searching. Built once; shared by all threads.
///
/// A term costs its prefix and about 40 bytes, so a million of them fit into some 60 MB.
package final class SearchTerms: Sendable {
    /// Where the length of the secrets under a prefix is not known, the most bytes of a run that is tried.
    package static let longestUnknownRun = 512
    /// The longest prefix, and the longest secret, in bytes.
    package static let longestPrefix = 1024
    package static let longestSecret = 4096

    /// The callers' ids, by term number. A term number is a position in this scan's terms.
    let ids: [Int64]
    /// All prefixes, one after the other; term `n` is `starts[n] ..< starts[n + 1]`.
    private let prefixBytes: [UInt8]
    private let starts: [UInt32]
    /// Which of `lengthSets` belongs to a term, and the sets: each descending, so that the longest secret is
    /// tried first.
    private let lengthSetOf: [UInt32]
    private let lengthSets: [[Int]]
    /// An open-addressed hash table of term numbers + 1, by the whole prefix; 0 is an empty slot.
    private let slots: [UInt32]
    /// Terms with the same prefix: the number + 1 of the next one.
    private let nextAlike: [UInt32]
    /// The distinct lengths of prefixes, ascending.
    let prefixLengths: [Int]
    /// The most bytes, from its start on, that decide whether a place is a hit and how it is graded. A place
    /// whose next `longestReach` bytes are copied elsewhere is the same hit there.
    let longestReach: Int
    /// The same for what stands there plainly only.
    let plainReach: Int
    /// What all prefixes start with, if that is few things; else empty.
    let brands: [Brand]
    /// Looks for the other forms of those starts.
    let forms: FormMatcher

    /// How many terms there are.
    package var count: Int { ids.count }

    package var isEmpty: Bool { ids.isEmpty }

    var shortestPrefix: Int { prefixLengths.first ?? 0 }

    /// - Throws: ``LeakScanError`` for a prefix that is empty or longer than 1,024 bytes, or for a secret's
    ///   length that is shorter than its prefix or longer than 4,096.
    package init(_ terms: some Sequence<SearchTerm>) throws(LeakScanError) {
        var ids: [Int64] = []
        var bytes: [UInt8] = []
        var starts: [UInt32] = [0]
        var setOf: [UInt32] = []
        var sets: [[Int]] = []
        var setNumbers: [[Int]: UInt32] = [:]
        var reach = 0
        var lengths: Set<Int> = []
        for term in terms {
            let length = term.prefix.count
            guard (1...Self.longestPrefix).contains(length) else {
                throw .unusableTerm(term.id, "it has \(length) bytes; 1 to \(Self.longestPrefix) are allowed")
            }
            let secrets = Array(Set(term.secretLengths)).sorted(by: >)
            for secret in secrets where !(length...Self.longestSecret).contains(secret) {
                throw .unusableTerm(
                    term.id, "a secret of \(secret) bytes cannot start with its \(length) bytes")
            }
            guard bytes.count + length < Int(UInt32.max), ids.count < Int(UInt32.max) - 1 else {
                throw .unusableTerm(term.id, "there are too many prefixes for one scan")
            }
            ids.append(term.id)
            bytes.append(contentsOf: term.prefix)
            starts.append(UInt32(bytes.count))
            lengths.insert(length)
            // One byte more than the longest run, to see that it ended.
            reach = max(reach, secrets.first ?? (length + Self.longestUnknownRun + 1))
            if let number = setNumbers[secrets] {
                setOf.append(number)
            } else {
                setNumbers[secrets] = UInt32(sets.count)
                setOf.append(UInt32(sets.count))
                sets.append(secrets)
            }
        }
        self.ids = ids
        prefixBytes = bytes
        self.starts = starts
        lengthSetOf = setOf
        lengthSets = sets
        prefixLengths = lengths.sorted()
        plainReach = max(reach, 1)
        let table = PrefixTable.build(prefixes: bytes, starts: starts)
        slots = table.slots
        nextAlike = table.nextAlike
        let brands = Brand.common(to: bytes, starts: starts, shortest: lengths.min() ?? 0)
        self.brands = brands
        var heads = brands.map(\.bytes)
        if heads.isEmpty, ids.count <= FormMatcher.mostStarts {
            heads = ids.indices.map { Array(bytes[Int(starts[$0])..<Int(starts[$0 + 1])]) }
        }
        forms = FormMatcher(starts: Array(Set(heads)).sorted { $0.lexicographicallyPrecedes($1) })
        // The forms are at most twice as long, line breaks and what leads into base64 included, and a little.
        longestReach = forms.isEmpty ? plainReach : 2 * plainReach + 16
    }

    func prefixRange(_ term: Int) -> Range<Int> { Int(starts[term])..<Int(starts[term + 1]) }

    func prefix(_ term: Int) -> ArraySlice<UInt8> { prefixBytes[prefixRange(term)] }

    /// The lengths of the secrets under a term, longest first; empty if unknown.
    func secretLengths(_ term: Int) -> [Int] { lengthSets[Int(lengthSetOf[term])] }

    /// Appends a match for each term whose prefix stands at `position`.
    func match(_ bytes: Span<UInt8>, at position: Int, into matches: inout [RawMatch]) {
        guard !slots.isEmpty else { return }
        let mask = slots.count - 1
        var hash = PrefixTable.seed
        var hashed = 0
        for length in prefixLengths {
            guard length <= bytes.count - position else { return }
            while hashed < length {
                hash = PrefixTable.step(hash, bytes[position + hashed])
                hashed += 1
            }
            var slot = PrefixTable.finish(hash, length) & mask
            while slots[slot] != 0 {
                let term = Int(slots[slot]) - 1
                if isEqual(term, bytes, position, length) {
                    var alike = UInt32(term) + 1
                    while alike != 0 {
                        matches.append(RawMatch(start: position, term: alike - 1))
                        alike = nextAlike[Int(alike) - 1]
                    }
                    break
                }
                slot = (slot + 1) & mask
            }
        }
    }

    private func isEqual(_ term: Int, _ bytes: Span<UInt8>, _ position: Int, _ length: Int) -> Bool {
        let range = prefixRange(term)
        guard range.count == length else { return false }
        for index in 0..<length where prefixBytes[range.lowerBound + index] != bytes[position + index] {
            return false
        }
        return true
    }

    /// The first `length` bytes of all terms, each once, as little-endian numbers.
    func heads(length: Int) -> Set<UInt64> {
        var found: Set<UInt64> = []
        for term in 0..<count {
            var head: UInt64 = 0
            for (index, byte) in prefix(term).prefix(length).enumerated() {
                head |= UInt64(byte) << (8 * index)
            }
            found.insert(head)
        }
        return found
    }
}

/// A registered prefix that stands somewhere, not yet graded.
struct RawMatch: Equatable {
    /// Where it starts in the span that was searched.
    var start: Int
    /// The term's number.
    var term: UInt32
}
