/// Finds prefixes. The implementations range from brute force to fast, and all find the same.
protocol Matcher: Sendable {
    /// Appends, in ascending order of start, a match for every term whose complete prefix is in `bytes` and starts
    /// within `starts`. It may read beyond `starts`, up to the end of `bytes`.
    ///
    /// - Precondition: `starts` is within `0 ... bytes.count`.
    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch])
}

/// Compares every term at every position: the reference for the others.
struct NaiveMatcher: Matcher {
    let terms: SearchTerms

    func search(_ bytes: Span<UInt8>, starts: Range<Int>, into matches: inout [RawMatch]) {
        for start in starts {
            for term in 0..<terms.count {
                let prefix = terms.prefix(term)
                guard prefix.count <= bytes.count - start else { continue }
                var isEqual = true
                for (index, byte) in prefix.enumerated() where bytes[start + index] != byte {
                    isEqual = false
                    break
                }
                if isEqual { matches.append(RawMatch(start: start, term: UInt32(term))) }
            }
        }
    }
}

extension ScanOptions.Engine {
    /// The matcher of this engine for these terms.
    func matcher(for terms: SearchTerms) -> any Matcher {
        switch self {
        case .naive: NaiveMatcher(terms: terms)
        case .scalar: HeadMatcher(terms: terms)
        case .vector, .seams: terms.brands.isEmpty ? GramMatcher(terms: terms) : BrandMatcher(terms: terms)
        }
    }
}
