/// Collects prefixes one by one for ``SearchTerms``, without a second copy of all of them.
package struct SearchTermsBuilder: Sendable {
    fileprivate(set) var ids: [Int64] = []
    /// All prefixes, concatenated; the start of each, and last the end of the last one.
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate(set) var starts: [UInt32] = [0]
    /// The hash of each prefix, for ``PrefixTable``.
    fileprivate(set) var hashes: [UInt32] = []
    /// For each term, the index into `sets`, the distinct lists of secret lengths.
    fileprivate(set) var setOf: [UInt32] = []
    fileprivate(set) var sets: [[Int]] = []
    fileprivate(set) var lengths: Set<Int> = []
    /// The partners of prefixes that are names.
    fileprivate(set) var partners: [[UInt8]: Partner] = [:]
    /// The maximum number of bytes that determine a hit.
    fileprivate(set) var reach = 0
    private var lastLength = 0
    private var setNumbers: [[Int]: UInt32] = [:]
    /// The lengths of the previous term, which most terms share.
    private var last: (lengths: [Int], number: UInt32, longest: Int?)?

    /// - Parameter count: the expected number of terms, to allocate memory once.
    package init(expecting count: Int = 0) {
        ids.reserveCapacity(count)
        starts.reserveCapacity(count + 1)
        hashes.reserveCapacity(count)
        bytes.reserveCapacity(count * 20)
        setOf.reserveCapacity(count)
    }

    package var count: Int { ids.count }

    /// Adds a prefix; the parameters are those of ``SearchTerm``.
    ///
    /// - Throws: ``LeakScanError`` for a prefix that is empty or longer than 1,024 bytes, or for a secret's
    ///   length that is shorter than its prefix or longer than 4,096.
    package mutating func add(
        id: Int64, prefix: some Collection<UInt8>, secretLengths: [Int] = [], partner: Partner? = nil
    ) throws(LeakScanError) {
        if let partner { partners[Array(prefix)] = partner }
        let length = prefix.count
        try check(id, length, secretLengths)
        var hash = PrefixTable.seed
        for byte in prefix {
            bytes.append(byte)
            hash = PrefixTable.step(hash, byte)
        }
        add(id, length: length, hash: hash, secretLengths: secretLengths)
    }

    /// Adds the prefix of one secret.
    ///
    /// - Parameter secretLength: nil if it is not known.
    /// - Throws: as ``add(id:prefix:secretLengths:)``.
    package mutating func add(
        id: Int64, prefix: borrowing Span<UInt8>, secretLength: Int?
    ) throws(LeakScanError) {
        let length = prefix.count
        // Avoids an array for each of a million terms.
        if let secretLength, last?.lengths.count == 1, last?.lengths[0] == secretLength, length <= secretLength,
            (1...SearchTerms.longestPrefix).contains(length)
        {
            try check(id, length, [])
        } else {
            let lengths = secretLength.map { [$0] } ?? []
            try check(id, length, lengths)
            _ = number(of: lengths)
        }
        var hash = PrefixTable.seed
        for index in prefix.indices {
            bytes.append(prefix[index])
            hash = PrefixTable.step(hash, prefix[index])
        }
        add(id, length: length, hash: hash, secretLengths: last?.lengths ?? [])
    }

    /// Adds the terms of another builder.
    ///
    /// - Throws: ``LeakScanError`` if there are too many terms in total.
    package mutating func add(_ other: SearchTermsBuilder) throws(LeakScanError) {
        guard bytes.count + other.bytes.count < Int(UInt32.max) else {
            throw .unusableTerm(other.ids.first ?? 0, "there are too many prefixes for one scan")
        }
        let base = UInt32(bytes.count)
        let numbers = other.sets.map { number(of: $0).number }
        ids += other.ids
        bytes += other.bytes
        hashes += other.hashes
        starts.reserveCapacity(starts.count + other.ids.count)
        for start in other.starts.dropFirst() { starts.append(base + start) }
        setOf.reserveCapacity(ids.count)
        for number in other.setOf { setOf.append(numbers[Int(number)]) }
        lengths.formUnion(other.lengths)
        partners.merge(other.partners) { first, _ in first }
        reach = max(reach, other.reach)
    }

    private func check(_ id: Int64, _ length: Int, _ secretLengths: [Int]) throws(LeakScanError) {
        guard (1...SearchTerms.longestPrefix).contains(length) else {
            throw .unusableTerm(id, "it has \(length) bytes; 1 to \(SearchTerms.longestPrefix) are allowed")
        }
        for secret in secretLengths where !(length...SearchTerms.longestSecret).contains(secret) {
            throw .unusableTerm(id, "a secret of \(secret) bytes cannot start with its \(length) bytes")
        }
        guard bytes.count + length < Int(UInt32.max), ids.count < Int(UInt32.max) - 1 else {
            throw .unusableTerm(id, "there are too many prefixes for one scan")
        }
    }

    /// Adds a term whose prefix is already at the end of `bytes`.
    private mutating func add(_ id: Int64, length: Int, hash: UInt64, secretLengths: [Int]) {
        let set = number(of: secretLengths)
        ids.append(id)
        hashes.append(PrefixTable.finish(hash, length))
        starts.append(UInt32(bytes.count))
        setOf.append(set.number)
        if length != lastLength { lengths.insert(length) }
        lastLength = length
        // One byte more than the longest run, to detect its end.
        reach = max(reach, set.longest ?? (length + SearchTerms.longestUnknownRun + 1))
    }

    private mutating func number(of lengths: [Int]) -> (number: UInt32, longest: Int?) {
        if let last, last.lengths == lengths { return (last.number, last.longest) }
        let sorted = Array(Set(lengths)).sorted(by: >)
        let number = setNumbers[sorted] ?? UInt32(sets.count)
        if setNumbers[sorted] == nil {
            setNumbers[sorted] = number
            sets.append(sorted)
        }
        last = (lengths, number, sorted.first)
        return (number, sorted.first)
    }

    /// The element of a list of lengths that represents an unknown length.
    static let unknownLength = 0

    /// Keeps one term for each distinct prefix: the first one, with the lengths of all.
    ///
    /// - Parameter table: the table of the collected terms.
    /// - Returns: false if no terms share a prefix, so that nothing has changed.
    mutating func merge(_ table: PrefixTable) -> Bool {
        let firsts = table.firstsAlike(prefixes: bytes, starts: starts)
        guard !firsts.isEmpty else { return false }
        var known: [UInt32: Set<Int>] = [:]
        for (term, first) in firsts {
            known[first, default: lengthSet(of: first)].formUnion(lengthSet(of: term))
        }
        for (first, lengths) in known {
            let isUnknown = lengths == [Self.unknownLength]
            setOf[Int(first)] = number(of: isUnknown ? [] : lengths.sorted(by: >)).number
        }
        // In place, because there may be a million terms.
        var kept = 0
        var end = 0
        for term in ids.indices where firsts[UInt32(term)] == nil {
            let prefix = Int(starts[term])..<Int(starts[term + 1])
            starts[kept] = UInt32(end)
            for index in prefix {
                bytes[end] = bytes[index]
                end += 1
            }
            ids[kept] = ids[term]
            hashes[kept] = hashes[term]
            setOf[kept] = setOf[term]
            kept += 1
        }
        starts[kept] = UInt32(end)
        starts.removeSubrange((kept + 1)...)
        bytes.removeSubrange(end...)
        ids.removeSubrange(kept...)
        hashes.removeSubrange(kept...)
        setOf.removeSubrange(kept...)
        return true
    }
    private func lengthSet(of term: UInt32) -> Set<Int> {
        let lengths = sets[Int(setOf[Int(term)])]
        return lengths.isEmpty ? [Self.unknownLength] : Set(lengths)
    }
}
