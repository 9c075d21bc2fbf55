/// The prefixes of one scan, arranged for searching. Built once; shared by all threads.
package struct SearchTerms: Sendable {
    /// Where the length of the secrets under a prefix is not known, the most bytes of a run that is tried.
    package static let longestUnknownRun = 512

    /// How many terms there are.
    package let count: Int

    package var isEmpty: Bool { count == 0 }

    /// - Throws: ``LeakScanError`` for a prefix that is empty or longer than 1,024 bytes, or for a secret's length
    ///   that is shorter than its prefix or longer than 4,096.
    package init(_ terms: some Sequence<SearchTerm>) throws(LeakScanError) {
        count = terms.underestimatedCount
    }
}
