/// The prefixes of one scan, prepared for searching. Built once and shared by all threads.
///
/// A term needs its prefix and at most 20 bytes, so a million terms need about 30 MB.
package final class SearchTerms: Sendable {
    /// The maximum length of a candidate run in bytes, if the length of the secrets with a prefix is unknown.
    package static let longestUnknownRun = 512
    /// The longest prefix, and the longest secret, in bytes.
    package static let longestPrefix = 1024
    package static let longestSecret = 4096

    /// The callers' ids by term number. A term number is an index into the terms of this scan.
    let ids: TermIDs
    /// All prefixes, one after the other; term `n` is `starts[n] ..< starts[n + 1]`.
    let prefixBytes: [UInt8]
    /// Empty if all prefixes are equally long.
    private let starts: [UInt32]
    /// The index into `lengthSets` for each term (empty if there is only one set), and the sets, each descending so
    /// that the longest secret is tried first.
    private let lengthSetOf: [UInt32]
    private let lengthSets: [[Int]]
    /// The partners of terms that are names.
    let partners: [UInt32: Partner]
    private let table: PrefixTable
    /// The distinct lengths of prefixes, ascending.
    let prefixLengths: [Int]
    /// The maximum number of bytes, from its start, that determine whether a position is a hit and its grade. If the
    /// `longestReach` bytes from a position are copied elsewhere, the copy has the same hit.
    let longestReach: Int
    /// The same for plain text only.
    let plainReach: Int
    /// The maximum number of bytes that are read to decode a hit in another form.
    let decodedReach: Int
    /// The length of the longest secret that has a shape.
    let longestToken: Int
    /// The common starts of all prefixes, if there are only a few; otherwise empty.
    let brands: [Brand]
    /// Searches for the other forms of those starts.
    let forms: FormMatcher
    /// Whether ``forms`` finds each start also with escapes or gaps in it; else only secrets with a shape are.
    let findsAllForms: Bool
    /// What else secrets look like; a shape is the term of the number ``count`` and its own.
    private let shapes: [TokenShape]
    /// Searches for the shapes.
    let tokens: TokenSearch

    /// The number of prefixes.
    package var count: Int { ids.count }

    package var isEmpty: Bool { ids.isEmpty && shapes.isEmpty }

    var shortestPrefix: Int { prefixLengths.first ?? 0 }

    /// - Throws: ``LeakScanError`` for a prefix that is empty or longer than 1,024 bytes, or for a secret's
    ///   length that is shorter than its prefix or longer than 4,096.
    package convenience init(
        _ terms: some Sequence<SearchTerm>, shapes: [TokenShape] = []
    ) throws(LeakScanError) {
        var builder = SearchTermsBuilder()
        for term in terms {
            try builder.add(
                id: term.id, prefix: term.prefix, secretLengths: term.secretLengths, partner: term.partner)
        }
        self.init(builder, shapes: shapes)
    }

    /// Prepares collected terms for searching.
    package convenience init(_ collected: consuming SearchTermsBuilder, shapes: [TokenShape] = []) {
        let table = PrefixTable(collected.hashes)
        self.init(collected, table, shapes)
    }

    /// The same with one term for each distinct prefix: the first, with the known lengths of all.
    package convenience init(merging collected: consuming SearchTermsBuilder, shapes: [TokenShape] = []) {
        var table = PrefixTable(collected.hashes)
        if collected.merge(table) { table = PrefixTable(collected.hashes) }
        self.init(collected, table, shapes)
    }

    private init(_ collected: consuming SearchTermsBuilder, _ table: PrefixTable, _ shapes: [TokenShape]) {
        self.table = table
        self.shapes = shapes
        tokens = TokenSearch(shapes)
        ids = TermIDs(collected.ids)
        prefixBytes = collected.bytes
        starts = collected.lengths.count > 1 ? collected.starts : []
        lengthSets = collected.sets
        partners = Self.partners(of: collected)
        lengthSetOf = lengthSets.count > 1 ? collected.setOf : []
        prefixLengths = collected.lengths.sorted()
        plainReach = max(collected.reach, 1)
        let common = Brand.common(
            to: prefixBytes, starts: collected.starts, shortest: prefixLengths.first ?? 0,
            limit: FormMatcher.mostThorough)
        brands = common.count <= Brand.limit ? common : []
        let heads = Self.heads(common.map(\.bytes), collected)
        forms = FormMatcher(
            starts: heads.sorted { $0.lexicographicallyPrecedes($1) }, brands: brands.map(\.bytes))
        findsAllForms =
            heads.count <= FormMatcher.mostThorough && heads.allSatisfy { $0.count >= Brand.shortestInForms }
            && !forms.searchesBreaksAlone
        // What is decoded is decided with all of the text; until then only its start has to be recognised.
        longestReach = max(
            forms.isEmpty ? plainReach : max(2 * plainReach + 16, FormMatcher.reach),
            shapes.isEmpty ? 0 : TokenSearch.reach)
        longestToken = shapes.map { $0.brand.count + $0.lengths.upperBound }.max() ?? 0
        decodedReach = max(16 * plainReach, 8 * longestToken) + 1024
    }

    /// The starts of prefixes that are searched for in other forms: the brands, or where one is too short for that, the prefixes that
    /// begin with it, as long as they are few. Without brands all prefixes, if they are not too many.
    private static func heads(_ brands: [[UInt8]], _ collected: borrowing SearchTermsBuilder) -> Set<[UInt8]> {
        let short = brands.filter { $0.count < Brand.shortestInForms }
        let most = brands.isEmpty ? FormMatcher.mostStarts : FormMatcher.mostThorough
        guard brands.isEmpty ? collected.ids.count <= most : !short.isEmpty else { return Set(brands) }
        var heads = Set(brands).subtracting(short)
        for (start, end) in zip(collected.starts, collected.starts.dropFirst()) {
            let prefix = collected.bytes[Int(start)..<Int(end)]
            guard brands.isEmpty || short.contains(where: { prefix.starts(with: $0) }) else { continue }
            heads.insert(Array(prefix))
            guard heads.count <= most else { return Set(brands) }
        }
        return heads
    }

    func prefixRange(_ term: Int) -> Range<Int> {
        guard !starts.isEmpty else { return (term * shortestPrefix)..<((term + 1) * shortestPrefix) }
        return Int(starts[term])..<Int(starts[term + 1])
    }

    func prefix(_ term: Int) -> ArraySlice<UInt8> { prefixBytes[prefixRange(term)] }

    /// The caller's id of a term.
    func id(of term: UInt32) -> Int64 { term < ids.count ? ids[Int(term)] : shapes[Int(term) - ids.count].id }

    /// What is visible of a term: its prefix, or the brand of its shape.
    func visible(of term: UInt32) -> ArraySlice<UInt8> {
        term < ids.count ? prefix(Int(term)) : shapes[Int(term) - ids.count].brand[...]
    }

    /// Whether a term is a shape, and has no prefix.
    func isShape(_ term: UInt32) -> Bool { term >= count }

    /// The term of a shape.
    func term(ofShape number: Int) -> UInt32 { UInt32(count + number) }

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

    /// The lengths of the secrets under a term, longest first; empty if unknown. ``SearchTermsBuilder/unknownLength``
    /// at the end means that there are secrets of unknown length.
    func secretLengths(_ term: Int) -> [Int] { lengthSets[lengthSetOf.isEmpty ? 0 : Int(lengthSetOf[term])] }

    /// Appends a match for each term whose prefix is at `position`.
    func match(_ bytes: Span<UInt8>, at position: Int, into matches: inout [RawMatch]) {
        match(bytes, at: position, lengths: prefixLengths, into: &matches)
    }

    /// The same for prefixes of the given lengths only, which must ascend.
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
                if isEqual(term, bytes, at: position, length: length) {
                    matches.append(RawMatch(start: position, term: UInt32(term)))
                }
            }
        }
    }

    private func isEqual(_ term: Int, _ bytes: Span<UInt8>, at position: Int, length: Int) -> Bool {
        let range = prefixRange(term)
        guard range.count == length else { return false }
        for index in 0..<length where prefixBytes[range.lowerBound + index] != bytes[position + index] {
            return false
        }
        return true
    }

    /// The number of terms of each prefix length.
    func lengthCounts() -> [Int: Int] {
        guard prefixLengths.count > 1 else { return [shortestPrefix: count] }
        var counts = [Int](repeating: 0, count: (prefixLengths.last ?? 0) + 1)
        for term in 0..<count { counts[prefixRange(term).count] += 1 }
        return prefixLengths.reduce(into: [:]) { $0[$1] = counts[$1] }
    }
}

/// The ids of terms, stored as 32-bit distances if they are close together, as those of a store are.
struct TermIDs: Sendable {
    private let first: Int64
    /// The distances from ``first``; empty if one does not fit.
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

/// An occurrence of a prefix that is not graded yet.
struct RawMatch: Equatable {
    /// Its offset in the searched span.
    var start: Int
    /// The number of the term.
    var term: UInt32
}
