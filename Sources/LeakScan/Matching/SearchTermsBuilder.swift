/// Collects prefixes one by one, as they come from a store, for ``SearchTerms``: there is never a second copy of them all.
package struct SearchTermsBuilder: Sendable {
    fileprivate(set) var ids: [Int64] = []
    /// All prefixes, one after the other, and where each starts; at last where the last one ends.
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate(set) var starts: [UInt32] = [0]
    /// Which of `sets`, the distinct lists of secrets' lengths, belongs to a term.
    fileprivate(set) var setOf: [UInt32] = []
    fileprivate(set) var sets: [[Int]] = []
    fileprivate(set) var lengths: Set<Int> = []
    /// The most bytes that decide on a hit.
    fileprivate(set) var reach = 0
    private var lastLength = 0
    private var setNumbers: [[Int]: UInt32] = [:]
    /// Most terms have the lengths of the one before.
    private var last: (lengths: [Int], number: UInt32, longest: Int?)?

    /// - Parameter count: about how many there will be, so that no memory is taken twice.
    package init(expecting count: Int = 0) {
        ids.reserveCapacity(count)
        starts.reserveCapacity(count + 1)
        bytes.reserveCapacity(count * 20)
        setOf.reserveCapacity(count)
    }

    /// Adds a prefix; the parameters are those of ``SearchTerm``.
    ///
    /// - Throws: ``LeakScanError`` for a prefix that is empty or longer than 1,024 bytes, or for a secret's
    ///   length that is shorter than its prefix or longer than 4,096.
    package mutating func add(
        id: Int64, prefix: some Collection<UInt8>, secretLengths: [Int] = []
    ) throws(LeakScanError) {
        let length = prefix.count
        guard (1...SearchTerms.longestPrefix).contains(length) else {
            throw .unusableTerm(id, "it has \(length) bytes; 1 to \(SearchTerms.longestPrefix) are allowed")
        }
        for secret in secretLengths where !(length...SearchTerms.longestSecret).contains(secret) {
            throw .unusableTerm(id, "a secret of \(secret) bytes cannot start with its \(length) bytes")
        }
        guard bytes.count + length < Int(UInt32.max), ids.count < Int(UInt32.max) - 1 else {
            throw .unusableTerm(id, "there are too many prefixes for one scan")
        }
        let set = number(of: secretLengths)
        ids.append(id)
        bytes.append(contentsOf: prefix)
        starts.append(UInt32(bytes.count))
        setOf.append(set.number)
        if length != lastLength { lengths.insert(length) }
        lastLength = length
        // One byte more than the longest run, to see that it ended.
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
}
