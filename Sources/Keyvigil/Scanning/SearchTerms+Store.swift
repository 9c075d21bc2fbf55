internal import KeyStore
internal import Keys
internal import LeakScan

extension SearchTerms {
    /// Fewer secrets than that are read by one thread.
    private static let few: Int64 = 20_000

    /// The prefixes of a store, of at least `shortest` bytes, and the greatest secret that they tell of. A prefix that
    /// several secrets share goes by the first of them.
    ///
    /// - Parameter shapes: what is searched for besides.
    static func all(
        in store: Store, shortest: Int, shapes: [TokenShape] = [], threads: Int
    ) throws -> (terms: SearchTerms, greatestSecret: Int64) {
        let greatest = try store.greatestSecret()
        guard greatest > 0 else { return (SearchTerms(SearchTermsBuilder(), shapes: shapes), 0) }
        let parts = greatest < few ? 1 : Int64(min(max(1, threads), 16))
        var collected = Parallel.map(Int(parts), threads: threads) { number in
            let first = greatest * Int64(number) / parts + 1
            let last = greatest * Int64(number + 1) / parts
            return Result { try builder(of: store, in: first...max(first, last), shortest: shortest) }
        }
        // Taken out one by one, so that none is copied.
        var all = try collected.removeFirst().get()
        while !collected.isEmpty { try all.add(collected.removeFirst().get()) }
        return (SearchTerms(merging: all, shapes: shapes), greatest)
    }

    private static func builder(
        of store: Store, in part: ClosedRange<Int64>, shortest: Int
    ) throws -> SearchTermsBuilder {
        var builder = SearchTermsBuilder(expecting: min(part.count, 1 << 20))
        let issuers = store.issuers
        try store.forEachPrefix(in: part) { secret, prefix, length, issuer in
            guard prefix.count >= shortest else { return }
            try builder.add(id: secret, prefix: prefix, secretLength: length)
            // Login and secret are often written down apart, in two variables of one file.
            guard let issuer, case .signIn(alphabet: let alphabet, length: let length)? = issuers[issuer]?.shape else {
                return
            }
            let login = (0..<prefix.count - 1).map { prefix[$0] }
            guard login.count >= shortest else { return }
            try builder.add(
                id: secret, prefix: login,
                partner: Partner(separator: UInt8(ascii: ":"), alphabet: alphabet, length: length))
        }
        return builder
    }
}
