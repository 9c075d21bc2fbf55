/// The prefixes of one scan, arranged for searching. Built once; shared by all threads.
///
/// A term costs its prefix and about 20 bytes, so a million of them fit into some 40 MB.
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
    /// Which of `lengthSets` belongs to a term (empty if there is only one), and the sets: each descending, so that the
    /// longest secret is tried first.
    private let lengthSetOf: [UInt32]
    private let lengthSets: [[Int]]
    /// An open-addressed hash table of term numbers + 1, by the whole prefix; 0 is an empty slot.
    private let slots: [UInt32]
    /// Terms with the same prefix: the number + 1 of the next one.
    private let nextAlike: [UInt32: UInt32]
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
    package convenience init(_ terms: some Sequence<SearchTerm>) throws(LeakScanError) {
        var builder = SearchTermsBuilder()
        for term in terms { try builder.add(id: term.id, prefix: term.prefix, secretLengths: term.secretLengths) }
        self.init(builder)
    }

    /// Arranges what was collected for searching.
    package init(_ collected: consuming SearchTermsBuilder) {
        ids = collected.ids
        prefixBytes = collected.bytes
        starts = collected.starts
        lengthSets = collected.sets
        lengthSetOf = lengthSets.count > 1 ? collected.setOf : []
        prefixLengths = collected.lengths.sorted()
        plainReach = max(collected.reach, 1)
        let table = PrefixTable.build(prefixes: prefixBytes, starts: starts)
        slots = table.slots
        nextAlike = table.nextAlike
        brands = Brand.common(to: prefixBytes, starts: starts, shortest: prefixLengths.first ?? 0)
        var heads = brands.map(\.bytes)
        if heads.isEmpty, ids.count <= FormMatcher.mostStarts {
            for (start, end) in zip(collected.starts, collected.starts.dropFirst()) {
                heads.append(Array(collected.bytes[Int(start)..<Int(end)]))
            }
        }
        forms = FormMatcher(
            starts: Array(Set(heads)).sorted { $0.lexicographicallyPrecedes($1) }, brands: brands.map(\.bytes))
        // The forms are at most twice as long, line breaks and what leads into base64 included, and a little.
        longestReach = forms.isEmpty ? plainReach : max(2 * plainReach + 16, BrokenPatterns.wrapped + 56)
    }

    func prefixRange(_ term: Int) -> Range<Int> { Int(starts[term])..<Int(starts[term + 1]) }

    func prefix(_ term: Int) -> ArraySlice<UInt8> { prefixBytes[prefixRange(term)] }

    /// The lengths of the secrets under a term, longest first; empty if unknown.
    func secretLengths(_ term: Int) -> [Int] { lengthSets[lengthSetOf.isEmpty ? 0 : Int(lengthSetOf[term])] }

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
                        alike = nextAlike[alike - 1] ?? 0
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

    /// Calls `body` with the first `length` bytes of each term, at most 8, as a little-endian number.
    func forEachHead(length: Int, _ body: (UInt64) -> Void) {
        for term in 0..<count {
            var head: UInt64 = 0
            for index in 0..<length { head |= UInt64(prefixBytes[Int(starts[term]) + index]) << UInt64(8 * index) }
            body(head)
        }
    }
}

/// A registered prefix that stands somewhere, not yet graded.
struct RawMatch: Equatable {
    /// Where it starts in the span that was searched.
    var start: Int
    /// The term's number.
    var term: UInt32
}
