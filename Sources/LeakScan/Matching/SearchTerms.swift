/// The prefixes of one scan, arranged for searching. Built once; shared by all threads.
///
/// A term costs its prefix and at most 20 bytes, so a million of them fit into some 30 MB.
package final class SearchTerms: Sendable {
    /// Where the length of the secrets under a prefix is not known, the most bytes of a run that is tried.
    package static let longestUnknownRun = 512
    /// The longest prefix, and the longest secret, in bytes.
    package static let longestPrefix = 1024
    package static let longestSecret = 4096

    /// The callers' ids, by term number. A term number is a position in this scan's terms.
    let ids: TermIDs
    /// All prefixes, one after the other; term `n` is `starts[n] ..< starts[n + 1]`.
    let prefixBytes: [UInt8]
    /// Empty if all prefixes are equally long.
    private let starts: [UInt32]
    /// Which of `lengthSets` belongs to a term (empty if there is only one), and the sets: each descending, so that the
    /// longest secret is tried first.
    private let lengthSetOf: [UInt32]
    private let lengthSets: [[Int]]
    /// What belongs to the terms that are names.
    let partners: [UInt32: Partner]
    private let table: PrefixTable
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
        for term in terms {
            try builder.add(
                id: term.id, prefix: term.prefix, secretLengths: term.secretLengths, partner: term.partner)
        }
        self.init(builder)
    }

    /// Arranges what was collected for searching.
    package convenience init(_ collected: consuming SearchTermsBuilder) {
        let table = PrefixTable(collected.hashes)
        self.init(collected, table)
    }

    /// The same with one term for each prefix, if several were collected: the first, with the lengths of all of them that
    /// are known.
    package convenience init(merging collected: consuming SearchTermsBuilder) {
        var table = PrefixTable(collected.hashes)
        if collected.merge(table) { table = PrefixTable(collected.hashes) }
        self.init(collected, table)
    }

    private init(_ collected: consuming SearchTermsBuilder, _ table: PrefixTable) {
        self.table = table
        ids = TermIDs(collected.ids)
        prefixBytes = collected.bytes
        starts = collected.lengths.count > 1 ? collected.starts : []
        lengthSets = collected.sets
        partners = Self.partners(of: collected)
        lengthSetOf = lengthSets.count > 1 ? collected.setOf : []
        prefixLengths = collected.lengths.sorted()
        plainReach = max(collected.reach, 1)
        brands = Brand.common(to: prefixBytes, starts: collected.starts, shortest: prefixLengths.first ?? 0)
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

    func prefixRange(_ term: Int) -> Range<Int> {
        guard !starts.isEmpty else { return (term * shortestPrefix)..<((term + 1) * shortestPrefix) }
        return Int(starts[term])..<Int(starts[term + 1])
    }

    func prefix(_ term: Int) -> ArraySlice<UInt8> { prefixBytes[prefixRange(term)] }

    private static func partners(of collected: borrowing SearchTermsBuilder) -> [UInt32: Partner] {
        guard !collected.partners.isEmpty else { return [:] }
        let lengths = Set(collected.partners.keys.map(\.count))
        var found: [UInt32: Partner] = [:]
        for (term, (start, end)) in zip(collected.starts, collected.starts.dropFirst()).enumerated()
        where lengths.contains(Int(end - start)) {
            found[UInt32(term)] = collected.partners[Array(collected.bytes[Int(start)..<Int(end)])]
        }
        return found
    }

    /// The lengths of the secrets under a term, longest first; empty if unknown. ``SearchTermsBuilder/unknownLength`` at the
    /// end says that others are not known.
    func secretLengths(_ term: Int) -> [Int] { lengthSets[lengthSetOf.isEmpty ? 0 : Int(lengthSetOf[term])] }

    /// Appends a match for each term whose prefix stands at `position`.
    func match(_ bytes: Span<UInt8>, at position: Int, into matches: inout [RawMatch]) {
        match(bytes, at: position, lengths: prefixLengths, into: &matches)
    }

    /// The same, for prefixes of some lengths only, which ascend.
    func match(_ bytes: Span<UInt8>, at position: Int, lengths: [Int], into matches: inout [RawMatch]) {
        guard !ids.isEmpty else { return }
        var hash = PrefixTable.seed
        var hashed = 0
        for length in lengths {
            guard length <= bytes.count - position else { return }
            while hashed < length {
                hash = PrefixTable.step(hash, bytes[position + hashed])
                hashed += 1
            }
            table.forEach(PrefixTable.finish(hash, length)) { term in
                if isEqual(term, bytes, position, length) {
                    matches.append(RawMatch(start: position, term: UInt32(term)))
                }
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

    /// How many terms there are of each length.
    func lengthCounts() -> [Int: Int] {
        guard prefixLengths.count > 1 else { return [shortestPrefix: count] }
        var counts = [Int](repeating: 0, count: (prefixLengths.last ?? 0) + 1)
        for term in 0..<count { counts[prefixRange(term).count] += 1 }
        return prefixLengths.reduce(into: [:]) { $0[$1] = counts[$1] }
    }
}

/// The ids of terms: half as many bytes for those of a store, which lie close together.
struct TermIDs: Sendable {
    private let first: Int64
    /// What is to be added to the first; empty if that is too much for some.
    private let distances: [UInt32]
    private let whole: [Int64]

    init(_ ids: [Int64]) {
        let (first, last) = (ids.min() ?? 0, ids.max() ?? 0)
        self.first = first
        let isNear = UInt64(bitPattern: last &- first) <= UInt64(UInt32.max)
        distances = isNear ? ids.map { UInt32(truncatingIfNeeded: $0 &- first) } : []
        whole = isNear ? [] : ids
    }

    var count: Int { max(distances.count, whole.count) }
    var isEmpty: Bool { count == 0 }

    subscript(_ term: Int) -> Int64 { whole.isEmpty ? first &+ Int64(distances[term]) : whole[term] }
}

/// A registered prefix that stands somewhere, not yet graded.
struct RawMatch: Equatable {
    /// Where it starts in the span that was searched.
    var start: Int
    /// The term's number.
    var term: UInt32
}
